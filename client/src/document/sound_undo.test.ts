import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { keepSound } from "./sound_undo";

const ME = Symbol("me");
const SEEDS = 200;
/** Seeds that ended with two readings of one document before undo was mended. */
const BAD_SEEDS = [851, 2055, 2148, 3094, 4576, 4744];

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Somebody who types, takes nodes away, undoes and redoes. */
class Typist {
  readonly doc = new Y.Doc();
  readonly nodes = this.doc.getMap<Y.Map<Y.Text>>("nodes");
  readonly undoManager = new Y.UndoManager([this.nodes], {
    trackedOrigins: new Set([ME]),
    captureTimeout: 0,
  });

  constructor(
    clientId: number,
    readonly chance: () => number,
  ) {
    this.doc.clientID = clientId;
    keepSound(this.doc, this.undoManager);
  }

  below(count: number): number {
    return Math.floor(this.chance() * count);
  }

  act(): void {
    const id = `n${this.below(2)}`;
    const what = this.chance();
    if (what < 0.7) this.doc.transact(() => this.edit(id, what), ME);
    else if (what < 0.9) this.undoManager.undo();
    else this.undoManager.redo();
  }

  edit(id: string, what: number): void {
    const code = this.nodes.get(id)?.get("code");
    if (what < 0.15) this.nodes.set(id, new Y.Map<Y.Text>([["code", new Y.Text("ab")]]));
    else if (what < 0.5) code?.insert(this.below(code.length + 1), "xyz".slice(0, 1 + this.below(3)));
    else if (what < 0.65 && code?.length) {
      const at = this.below(code.length);
      code.delete(at, Math.min(code.length - at, 1 + this.below(3)));
    } else if (what >= 0.65) this.nodes.delete(id);
  }
}

function readAnew(doc: Y.Doc): unknown {
  const fresh = new Y.Doc();
  Y.applyUpdate(fresh, Y.encodeStateAsUpdate(doc));
  return fresh.getMap("nodes").toJSON();
}

describe("undo of texts that came back with their nodes", () => {
  it("leaves a document that reads the same to whoever opens it later (U9)", () => {
    for (const seed of [...BAD_SEEDS, ...Array.from({ length: SEEDS }, (_, at) => at + 1)]) {
      const typist = new Typist(1000 * seed + 1, chances(seed));
      for (let step = 0; step < 60; step += 1) {
        typist.act();
        typist.chance();
      }
      expect(readAnew(typist.doc), `seed ${seed}`).toEqual(typist.nodes.toJSON());
    }
  });
});

describe("undo of what others took away meanwhile", () => {
  it("does what it can where Yjs throws, and goes on with the step before", () => {
    const [mine, theirs] = [new Y.Doc(), new Y.Doc()];
    const nodes = mine.getMap<Y.Map<number>>("nodes");
    const undoManager = new Y.UndoManager([nodes], { trackedOrigins: new Set([ME]), captureTimeout: 0 });
    const told: boolean[] = [];
    keepSound(mine, undoManager, () => told.push(undoManager.canUndo()));
    const meet = () => {
      Y.applyUpdate(theirs, Y.encodeStateAsUpdate(mine));
      Y.applyUpdate(mine, Y.encodeStateAsUpdate(theirs));
    };
    const set = (value: number) => mine.transact(() => nodes.get("n")?.set("x", value), ME);

    theirs.getMap("nodes").set("n", new Y.Map([["x", 0]]));
    meet();
    set(1);
    mine.transact(() => nodes.set("n", new Y.Map<number>([["x", 2]])), ME);
    undoManager.undo();
    set(3);
    undoManager.undo();
    set(4);
    meet();
    theirs.getMap("nodes").delete("n");
    meet();
    expect(() => undoManager.undo()).not.toThrow();
    expect(told).toEqual([undoManager.canUndo()]);
    expect(readAnew(mine)).toEqual(nodes.toJSON());
    mine.transact(() => nodes.set("n", new Y.Map<number>([["x", 5]])), ME);
    undoManager.undo();
    expect(nodes.toJSON()).toEqual({});
  });
});

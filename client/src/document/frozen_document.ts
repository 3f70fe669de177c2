/** A drawing that nobody edits, in the form of a shared document: a past version, for the editor to show. */
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import type { Ports, Problem, Role, Spell, SpellJson } from "../protocol";
import { type Readable, Store } from "../store";
import { DocumentEdits } from "./edits";
import { spellToJson } from "./json";
import { KINDS, readThing, root, toShared } from "./shape";
import { EMPTY } from "./snapshot";
import type { History, Loading, Person, RefusedWork, SaveStatus, SharedDocument } from "./types";

const SAVED: SaveStatus = { state: "saved" };

/**
 * See `SharedDocument`. Every edit is ignored; nobody else is there and nothing is sent, so that looking at it
 * changes nothing of the document that the person works on.
 */
export class FrozenDocument extends DocumentEdits implements SharedDocument {
  readonly loading = new Store<Loading>({ state: "open" });
  readonly spell = new Store<Spell>(EMPTY);
  readonly saving = new Store<SaveStatus>(SAVED);
  readonly generation = new Store(0);
  readonly role = new Store<Role | null>(null);
  readonly editable = new Store(false);
  readonly keepTrouble = new Store<string | null>(null);
  readonly refused = new Store<readonly RefusedWork[]>([]);
  readonly problems = new Store<readonly Problem[]>([]);
  readonly people = new Store<readonly Person[]>([]);
  readonly history = new Store<History>({ undo: false, redo: false });
  #doc = new Y.Doc();
  #awareness = new Awareness(this.#doc);
  #undoManager = new Y.UndoManager([root(this.#doc, "nodes")]);

  /** `ports` are those of the nodes whose ports depend on their content, as far as they are known. */
  constructor(
    readonly canvas: string,
    spell: SpellJson,
    readonly ports: Readable<Readonly<Record<string, Ports>>>,
  ) {
    super();
    this.draw(spell);
  }

  get doc(): Y.Doc {
    return this.#doc;
  }

  get awareness(): Awareness {
    return this.#awareness;
  }

  get undoManager(): Y.UndoManager {
    return this.#undoManager;
  }

  /** Show another drawing. Fields that a spell does not have are left out, missing ones have their defaults. */
  draw(spell: SpellJson): void {
    this.#end();
    this.#doc = new Y.Doc();
    this.#awareness = new Awareness(this.#doc);
    this.#undoManager = new Y.UndoManager([root(this.#doc, "nodes")]);
    const before = this.spell.get();
    const drawn: Record<string, Record<string, unknown>> = {};
    this.#doc.transact(() => {
      for (const kind of KINDS) {
        const map = root(this.#doc, kind);
        const things: Record<string, unknown> = {};
        drawn[kind] = things;
        for (const [id, thing] of Object.entries(spell[kind] ?? {})) {
          map.set(id, toShared(kind, thing));
          things[id] = readThing(kind, map.get(id), before[kind][id] as never);
        }
      }
    });
    const name = spell.name ?? EMPTY.name;
    this.spell.set({ ...EMPTY, ...drawn, name, requirements: spell.requirements ?? {} } as Spell);
    this.generation.set(this.generation.get() + 1);
  }

  codeText(node: string): Y.Text | null {
    return this.#text("nodes", node, "code");
  }

  noteText(note: string): Y.Text | null {
    return this.#text("notes", note, "text");
  }

  toJson(): SpellJson {
    return spellToJson(this.spell.get());
  }

  setPresence(): void {}

  undo(): void {}

  redo(): void {}

  async discard(): Promise<void> {}

  async saved(): Promise<void> {}

  close(): void {
    this.#end();
  }

  #end(): void {
    this.#undoManager.destroy();
    this.#awareness.destroy();
    this.#doc.destroy();
  }

  #text(kind: "nodes" | "notes", id: string, name: string): Y.Text | null {
    const map = root(this.#doc, kind).get(id);
    const text = map instanceof Y.Map ? map.get(name) : null;
    return text instanceof Y.Text ? text : null;
  }
}

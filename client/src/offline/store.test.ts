/** Every store keeps what it was given, apart for each user and canvas, and gives orphaned edits away once. */
import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { MANY_ROWS } from "./compact";
import { KeepError } from "./errors";
import { IndexedDbStore } from "./indexeddb_store";
import { LastWords } from "./last_words";
import { MemoryStore } from "./memory_store";
import type { BrowserStore, KeptHead, RefusedWork } from "./types";

const HEAD: KeptHead = { epoch: "e1", role: "owner", name: "Sum", at: 1_000 };
const bytes = (...values: number[]) => Uint8Array.from(values);

function copy(id: string, canvas = "c"): RefusedWork {
  const error = { code: "schema_violation", message: "No." };
  return {
    id,
    canvas,
    error,
    at: 5,
    spell: { schema: 1, name: "Sum", nodes: {}, edges: {} },
    touched: ["a"],
  };
}

let count = 0;
const stores: [string, () => Promise<BrowserStore>][] = [
  ["memory", async () => new MemoryStore(null)],
  ["IndexedDB", () => IndexedDbStore.open(`test ${++count}`)],
];

describe.each(stores)("%s", (_name, open) => {
  let store: BrowserStore;
  beforeEach(async () => {
    store = await open();
  });

  test("keeps head, acknowledged updates, edits in their order, and copies", async () => {
    const canvas = store.canvas("anna", "c");
    const keys = await canvas.write({
      epoch: "e1",
      head: HEAD,
      acked: [bytes(0, 0)],
      add: [
        { tab: "t", update: bytes(1) },
        { tab: "t", update: bytes(2) },
      ],
      refuse: [copy("r1")],
    });
    const [third] = await canvas.write({ epoch: "e1", add: [{ tab: "t", update: bytes(3) }] });
    expect([...keys, third]).toEqual([...keys, third].sort((a, b) => Number(a) - Number(b)));
    const kept = await canvas.load();
    expect(kept.head).toEqual(HEAD);
    expect(kept.acked).toEqual([bytes(0, 0)]);
    expect(kept.edits.map(({ update }) => [...update])).toEqual([[1], [2], [3]]);
    expect(kept.refused).toEqual([copy("r1")]);
  });

  test("an edit is removed or replaced by its key; what is not there is passed over", async () => {
    const canvas = store.canvas("anna", "c");
    const [first, second] = await canvas.write({
      epoch: "e1",
      add: [
        { tab: "t", update: bytes(1) },
        { tab: "t", update: bytes(2) },
      ],
    });
    await canvas.write({
      epoch: "e1",
      remove: [first as number, 999],
      replace: [{ key: second as number, update: bytes(9) }],
    });
    await canvas.write({ epoch: "e1", replace: [{ key: first as number, update: bytes(8) }] });
    expect((await canvas.load()).edits).toEqual([{ key: second, tab: "t", update: bytes(9) }]);
  });

  test("one user's work is not the other's, nor one canvas's another's", async () => {
    await store
      .canvas("anna", "c")
      .write({ epoch: "e1", head: HEAD, add: [{ tab: "t", update: bytes(1) }], refuse: [copy("r1")] });
    for (const [user, canvas] of [
      ["ben", "c"],
      ["anna", "d"],
    ] as const) {
      expect(await store.canvas(user, canvas).load()).toEqual({
        head: null,
        acked: [],
        edits: [],
        refused: [],
      });
      expect(await store.canvas(user, canvas).adopt(() => true, "x")).toEqual([]);
    }
    expect(await store.openable("ben")).toEqual(new Map());
    expect(await store.refused("ben")).toEqual([]);
    expect(await store.unsent("ben")).toEqual({ edits: 0, copies: 0, canvases: 0 });
    expect(await store.openable("anna")).toEqual(new Map([["c", HEAD]]));
    await store.clear("ben");
    expect(await store.unsent("anna")).toEqual({ edits: 1, copies: 1, canvases: 1 });
    await store.clear("anna");
    expect((await store.canvas("anna", "c").load()).edits).toEqual([]);
    expect(await store.refused("anna")).toEqual([]);
  });

  test("nothing of another epoch is written", async () => {
    const canvas = store.canvas("anna", "c");
    await canvas.write({ epoch: "e2", head: { ...HEAD, epoch: "e2" } });
    const late = canvas.write({ epoch: "e1", add: [{ tab: "t", update: bytes(1) }], acked: [bytes(1)] });
    await expect(late).rejects.toMatchObject({ code: "other_epoch" });
    await expect(late).rejects.toBeInstanceOf(KeepError);
    expect(await canvas.load()).toMatchObject({ acked: [], edits: [] });
    await canvas.forget("e1", [copy("late")]);
    expect(await canvas.load()).toMatchObject({ head: { epoch: "e2" }, refused: [copy("late")] });
    await canvas.forget("e2");
    expect(await canvas.load()).toMatchObject({ head: null, refused: [copy("late")] });
  });

  test("of two tabs that adopt the edits of a third, one gets them", async () => {
    const canvas = store.canvas("anna", "c");
    await canvas.write({
      epoch: "e1",
      add: [
        { tab: "dead", update: bytes(1) },
        { tab: "two", update: bytes(2) },
      ],
    });
    const gone = (tab: string) => tab === "dead";
    const [one, two] = await Promise.all([canvas.adopt(gone, "one"), canvas.adopt(gone, "two")]);
    expect([one.length, two.length].sort()).toEqual([0, 1]);
    expect((await canvas.load()).edits.filter(({ tab }) => tab === "dead")).toEqual([]);
  });

  test("copies outlive their canvas and go one by one", async () => {
    const canvas = store.canvas("anna", "c");
    await canvas.write({ epoch: "e1", head: HEAD, refuse: [copy("r1"), copy("r2")] });
    await canvas.forget(null);
    await canvas.discard("r1");
    expect((await canvas.load()).refused).toEqual([copy("r2")]);
    expect(await store.refused("anna")).toEqual([copy("r2")]);
  });

  test("eviction drops what was not opened for long or is too much, but never what is not sent", async () => {
    const names = ["old", "unsent", "a", "b", "c"];
    for (const [at, name] of names.entries()) {
      await store.canvas("anna", name).write({
        epoch: "e1",
        head: { ...HEAD, at },
        acked: [bytes(0, 0)],
        add: name === "unsent" ? [{ tab: "t", update: bytes(1) }] : [],
      });
    }
    await store.evict(1, 2);
    expect([...(await store.openable("anna")).keys()].sort()).toEqual(["b", "c", "unsent"]);
    expect((await store.canvas("anna", "old").load()).acked).toEqual([]);
  });

  test("many acknowledged updates become one that says the same", async () => {
    const canvas = store.canvas("anna", "c");
    const doc = new Y.Doc();
    const updates: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => updates.push(update));
    for (let i = 0; i <= MANY_ROWS; i += 1) doc.getMap("nodes").set(`n${i % 7}`, i);
    await canvas.write({ epoch: "e1", head: HEAD, acked: updates.slice(0, 50) });
    for (const update of updates.slice(50)) await canvas.write({ epoch: "e1", acked: [update] });
    const { acked } = await canvas.load();
    expect(acked).toHaveLength(1);
    const read = new Y.Doc();
    for (const update of acked) Y.applyUpdate(read, update);
    expect(read.getMap("nodes").toJSON()).toEqual(doc.getMap("nodes").toJSON());
  });

  test("results are kept with their canvas and go with it", async () => {
    const canvas = store.canvas("anna", "c");
    expect(await canvas.loadResults()).toBeNull();
    await canvas.write({ epoch: "e1", head: HEAD });
    await canvas.saveResults({ runs: [1] });
    expect(await canvas.loadResults()).toEqual({ runs: [1] });
    await canvas.forget(null);
    expect(await canvas.loadResults()).toBeNull();
  });

  test("facts are remembered by name", async () => {
    await store.remember("user", { id: "u1" });
    expect(await store.recall("user")).toEqual({ id: "u1" });
    expect(await store.recall("other")).toBeUndefined();
  });
});

test("what was written is there after the database was closed and opened again", async () => {
  const first = await IndexedDbStore.open("again");
  await first.canvas("anna", "c").write({ epoch: "e1", head: HEAD, add: [{ tab: "t", update: bytes(7) }] });
  const second = await IndexedDbStore.open("again");
  expect((await second.canvas("anna", "c").load()).edits).toMatchObject([{ update: bytes(7) }]);
});

test("a write that fails leaves nothing and says why", async () => {
  const store = await IndexedDbStore.open("full");
  const add = IDBObjectStore.prototype.add;
  IDBObjectStore.prototype.add = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  try {
    const written = store
      .canvas("anna", "c")
      .write({ epoch: "e1", head: HEAD, add: [{ tab: "t", update: bytes(1) }] });
    await expect(written).rejects.toMatchObject({ code: "full", message: "This browser keeps no more." });
  } finally {
    IDBObjectStore.prototype.add = add;
  }
  expect((await store.canvas("anna", "c").load()).head).toBeNull();
});

test("a full browser makes room with canvases that the server has whole, and then keeps the edit", async () => {
  const store = await IndexedDbStore.open("room");
  for (const [at, canvas] of ["old", "new"].entries()) {
    await store.canvas("anna", canvas).write({ epoch: "e1", head: { ...HEAD, at }, acked: [bytes(0, 0)] });
  }
  const add = vi.spyOn(IDBObjectStore.prototype, "add").mockImplementationOnce(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  await store.canvas("anna", "new").write({ epoch: "e1", add: [{ tab: "t", update: bytes(1) }] });
  add.mockRestore();
  expect([...(await store.openable("anna")).keys()]).toEqual(["new"]);
  expect((await store.canvas("anna", "new").load()).edits).toHaveLength(1);
});

/** `localStorage`, as one browser's pages share it. */
class Shelf implements Storage {
  readonly #items = new Map<string, string>();
  get length() {
    return this.#items.size;
  }
  key = (index: number) => [...this.#items.keys()][index] ?? null;
  getItem = (key: string) => this.#items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.#items.set(key, value);
  removeItem = (key: string) => void this.#items.delete(key);
  clear = () => this.#items.clear();
}

describe("a page that is left while it writes", () => {
  let shelf: Shelf;
  /** Two pages of one browser, of which the first is left in the middle: what it had begun is not in the second's. */
  const pages = async () => {
    shelf = new Shelf();
    const first = await IndexedDbStore.open(`left ${++count}`, new LastWords(shelf));
    const next = await IndexedDbStore.open(`next ${count}`, new LastWords(shelf));
    return { first, next };
  };

  test("leaves all that was under way, began as it ended, or waited, to the next page", async () => {
    const { first, next } = await pages();
    const canvas = first.canvas("anna", "c");
    const big = new Uint8Array(100_000).map((_, index) => index % 256);
    const under = [
      canvas.write({ epoch: "e1", head: HEAD, acked: [big] }),
      first.remember("list anna", ["c"]),
    ];
    first.pageEnds();
    under.push(canvas.write({ epoch: "e1", add: [{ tab: "t", update: bytes(1) }] }));
    canvas.leave({ epoch: "e1", refuse: [copy("r1")] });
    under.push(canvas.saveResults({ runs: [], madeFrom: [["r", new Map([["a", "1"]])]] }) as Promise<never>);
    await next.takeUp();
    const kept = await next.canvas("anna", "c").load();
    expect(kept.head).toEqual(HEAD);
    expect(kept.acked).toEqual([big]);
    expect(kept.edits).toMatchObject([{ tab: "t", update: bytes(1) }]);
    expect(kept.refused).toEqual([copy("r1")]);
    expect(await next.recall("list anna")).toEqual(["c"]);
    const results = await next.canvas("anna", "c").loadResults();
    expect(results).toEqual({ runs: [], madeFrom: [["r", new Map([["a", "1"]])]] });
    expect(shelf.length).toBe(0);
    await Promise.all(under);
  });

  test("leaves nothing of what was written, nor when it comes back", async () => {
    const { first } = await pages();
    const canvas = first.canvas("anna", "c");
    await canvas.write({ epoch: "e1", head: HEAD });
    first.pageEnds();
    expect(shelf.length).toBe(0);
    const under = canvas.write({ epoch: "e1", acked: [bytes(0, 0)] });
    expect(shelf.length).toBe(1);
    first.pageGoesOn();
    expect(shelf.length).toBe(0);
    await under;
  });

  test("is not taken up where the canvas is another by now; what fails is left to the next page", async () => {
    const { first, next } = await pages();
    first.canvas("anna", "c").leave({ epoch: "e1", acked: [bytes(0, 0)] });
    await next.canvas("anna", "c").write({ epoch: "e2", head: { ...HEAD, epoch: "e2" } });
    await next.takeUp();
    expect((await next.canvas("anna", "c").load()).acked).toEqual([]);
    expect(shelf.length).toBe(0);
    first.canvas("anna", "d").leave({ epoch: "e1", head: HEAD });
    const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("broken", "UnknownError");
    });
    await next.takeUp();
    put.mockRestore();
    expect(shelf.length).toBe(1);
    await next.takeUp();
    expect([...(await next.openable("anna")).keys()].sort()).toEqual(["c", "d"]);
  });

  test("leaves nothing of somebody who signed out, nor of a canvas that is forgotten, nor what is too long", async () => {
    const { first, next } = await pages();
    const leave = () => {
      for (const [user, canvas] of [
        ["anna", "c"],
        ["anna", "d"],
        ["bert", "c"],
      ] as const)
        first.canvas(user, canvas).leave({ epoch: "e1", head: HEAD });
    };
    leave();
    await next.canvas("anna", "c").forget(null);
    expect(shelf.length).toBe(2);
    await next.clear("anna");
    await next.takeUp();
    expect((await next.openable("anna")).size).toBe(0);
    expect([...(await next.openable("bert")).keys()]).toEqual(["c"]);
    first.canvas("bert", "d").leave({ epoch: "e1", head: HEAD, acked: [new Uint8Array(900_000)] });
    expect(shelf.length).toBe(0);
  });

  test("leaves a sign-out to the next page, and nothing else of that person", async () => {
    const { first, next } = await pages();
    await next.canvas("anna", "c").write({ epoch: "e1", head: HEAD, add: [{ tab: "t", update: bytes(1) }] });
    const under = [
      first.canvas("anna", "d").write({ epoch: "e1", head: HEAD }),
      first.clear("anna"),
      first.remember("list anna", undefined),
    ];
    first.pageEnds();
    // Another tab that had not heard of it says something later.
    next.canvas("anna", "f").leave({ epoch: "e1", head: HEAD });
    next.canvas("bert", "c").leave({ epoch: "e1", head: HEAD });
    await next.remember("list anna", ["c"]);
    expect(shelf.length).toBe(4);
    await next.takeUp();
    expect((await next.openable("anna")).size).toBe(0);
    expect(await next.unsent("anna")).toEqual({ edits: 0, copies: 0, canvases: 0 });
    expect(await next.recall("list anna")).toBeUndefined();
    expect([...(await next.openable("bert")).keys()]).toEqual(["c"]);
    expect(shelf.length).toBe(0);
    await Promise.all(under);
  });

  test("leaves its last edits to the tab that adopts the others", async () => {
    const { first, next } = await pages();
    first.canvas("anna", "c").leave({ epoch: "e1", add: [{ tab: "gone", update: bytes(1) }] });
    const adopted = await next.canvas("anna", "c").adopt((tab) => tab === "gone", "mine");
    expect(adopted).toMatchObject([{ tab: "mine", update: bytes(1) }]);
  });

  test("leaves values as they are, whatever their keys", async () => {
    const { first, next } = await pages();
    const odd = {
      "\u0001map": 1,
      "\u0001\u0001bytes": "AA==",
      map: new Map([["\u0001map", bytes(1)]]),
      list: [{}],
    };
    const under = first.remember("odd", odd);
    first.pageEnds();
    await next.takeUp();
    expect(await next.recall("odd")).toEqual(odd);
    await under;
  });

  test("leaves a head that does not replace a newer one", async () => {
    const { first, next } = await pages();
    const canvas = next.canvas("anna", "c");
    first.canvas("anna", "c").leave({ epoch: "e1", head: HEAD, add: [{ tab: "t", update: bytes(1) }] });
    await canvas.write({ epoch: "e1", head: { ...HEAD, role: "viewer", at: HEAD.at + 1 } });
    await next.takeUp();
    expect(await canvas.load()).toMatchObject({ head: { role: "viewer" }, edits: [{ tab: "t" }] });
    first.canvas("anna", "c").leave({ epoch: "e1", head: { ...HEAD, name: "New", at: HEAD.at + 2 } });
    await next.takeUp();
    expect((await canvas.load()).head?.name).toBe("New");
  });
});

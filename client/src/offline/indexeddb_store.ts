/**
 * Keeps work in IndexedDB.
 *
 * y-indexeddb was looked at and not taken: it knows neither which updates the server acknowledged nor whose they
 * are, every tab writes every update again, it does not say when a write is durable, and a failing write is lost
 * in silence.
 */
import type { IDBPTransaction, StoreNames } from "idb";
import { compact, MANY_ROWS } from "./compact";
import { type Database, everyPlaceOf, openDatabase, type Place, type Schema } from "./database";
import { KeepError, keepError } from "./errors";
import { isOf, type LastWord, LastWords } from "./last_words";
import type {
  BrowserStore,
  CanvasStore,
  KeptCanvas,
  KeptChange,
  KeptEdit,
  KeptHead,
  RefusedWork,
  Unsent,
} from "./types";
import { whenLeft } from "./when_left";

const CONTENT = ["canvases", "states", "edits", "refused", "results"] as const;
const ALL: StoreNames<Schema>[] = [...CONTENT];
type Writing = IDBPTransaction<Schema, StoreNames<Schema>[], "readwrite">;

/** Strict resolves when the operating system has it on the disk, not in a buffer of the browser. */
type Durability = "strict" | "relaxed";

/** Canvases that stay when the browser is full, though the server has them whole. */
const FEW_CANVASES = 1;

/** See `CanvasStore`. */
class IndexedDbCanvas implements CanvasStore {
  readonly #store: IndexedDbStore;
  readonly #user: string;
  readonly #canvas: string;

  constructor(store: IndexedDbStore, user: string, canvas: string) {
    this.#store = store;
    this.#user = user;
    this.#canvas = canvas;
  }

  get #place(): Place {
    return [this.#user, this.#canvas];
  }

  async load(): Promise<KeptCanvas> {
    await this.#store.takeUp(); // Above all a sign-out: later it would take along what this page writes.
    return this.#store.read(async (db) => {
      const tx = db.transaction(ALL);
      const [head, acked, refused, edits] = await Promise.all([
        tx.objectStore("canvases").get(this.#place),
        tx.objectStore("states").index("place").getAll(this.#place),
        tx.objectStore("refused").index("place").getAll(this.#place),
        this.#edits(tx),
      ]);
      return {
        head: head ? headOf(head) : null,
        acked: acked.map(({ update }) => update),
        edits,
        refused: refused.sort((a, b) => a.at - b.at).map(withoutUser),
      };
    });
  }

  write(change: KeptChange): Promise<readonly number[]> {
    return this.#store.toldOf(this.#change(change), () => this.#write(change));
  }

  /** Write a change that a page had left; its head only where none that is newer was written meanwhile. */
  writeLate(change: KeptChange): Promise<readonly number[]> {
    return this.#store.toldOf(this.#change(change), () => this.#write(change, true));
  }

  leave(change: KeptChange): void {
    this.#store.words.say(this.#change(change));
  }

  #change(change: KeptChange): LastWord {
    return { kind: "change", user: this.#user, canvas: this.#canvas, change };
  }

  #write(change: KeptChange, late = false): Promise<readonly number[]> {
    return this.#store.write(async (tx) => {
      const known = await tx.objectStore("canvases").get(this.#place);
      if (known && known.epoch !== change.epoch)
        throw new KeepError("other_epoch", "The canvas was replaced.");
      const where = { user: this.#user, canvas: this.#canvas };
      const outdated = late && known && change.head && known.at > change.head.at;
      if (change.head && !outdated) await tx.objectStore("canvases").put({ ...where, ...change.head });
      // Without a head the canvas was forgotten meanwhile: only unsent work is kept then.
      const acked = known || change.head ? (change.acked ?? []) : [];
      for (const update of acked) await tx.objectStore("states").add({ ...where, update });
      if (acked.length > 0) await this.#compact(tx);
      const edits = tx.objectStore("edits");
      for (const { key, update } of change.replace ?? []) {
        const edit = await edits.get(key);
        if (edit) await edits.put({ ...edit, update }, key);
      }
      for (const key of change.remove ?? []) await edits.delete(key);
      for (const copy of change.refuse ?? [])
        await tx.objectStore("refused").put({ ...copy, user: this.#user });
      const keys: number[] = [];
      for (const edit of change.add ?? []) keys.push(await edits.add({ ...where, ...edit }));
      return keys;
    });
  }

  async adopt(tabs: (tab: string) => boolean, by: string): Promise<readonly KeptEdit[]> {
    await this.#store.takeUp(); // What a tab had under way as it went is an edit of it as well.
    return this.#store.write(async (tx) => {
      const orphans = (await this.#edits(tx)).filter(({ tab }) => tab !== by && tabs(tab));
      const where = { user: this.#user, canvas: this.#canvas };
      for (const { key, update } of orphans) {
        await tx.objectStore("edits").put({ ...where, tab: by, update }, key);
      }
      return orphans.map((edit) => ({ ...edit, tab: by }));
    });
  }

  forget(epoch: string | null, refuse: readonly RefusedWork[] = []): Promise<void> {
    this.#store.forgetWords(this.#user, this.#canvas);
    return this.#store.write(async (tx) => {
      for (const copy of refuse) await tx.objectStore("refused").put({ ...copy, user: this.#user });
      const known = await tx.objectStore("canvases").get(this.#place);
      if (epoch === null || !known || known.epoch === epoch) await forgetContent(tx, this.#place, true);
    });
  }

  discard(id: string): Promise<void> {
    return this.#store.write((tx) => tx.objectStore("refused").delete(id));
  }

  loadResults(): Promise<unknown> {
    return this.#store.read(async (db) => (await db.get("results", this.#place))?.results ?? null);
  }

  saveResults(results: unknown): Promise<void> {
    const where = { user: this.#user, canvas: this.#canvas };
    const write = () =>
      this.#store.write(async (tx) => {
        // Only for a canvas that is kept: not for one that was just forgotten.
        if (!(await tx.objectStore("canvases").get(this.#place))) return;
        await tx.objectStore("results").put({ ...where, results });
      }, "relaxed");
    return this.#store.toldOf({ kind: "results", ...where, results }, write);
  }

  async #edits(tx: IDBPTransaction<Schema, StoreNames<Schema>[], IDBTransactionMode>): Promise<KeptEdit[]> {
    const index = tx.objectStore("edits").index("place");
    const [keys, edits] = await Promise.all([index.getAllKeys(this.#place), index.getAll(this.#place)]);
    return edits.map(({ tab, update }, at) => ({ key: keys[at] as number, tab, update }));
  }

  async #compact(tx: Writing): Promise<void> {
    const index = tx.objectStore("states").index("place");
    if ((await index.count(this.#place)) <= MANY_ROWS) return;
    const [keys, states] = await Promise.all([index.getAllKeys(this.#place), index.getAll(this.#place)]);
    const update = compact(states.map((state) => state.update));
    for (const key of keys) await tx.objectStore("states").delete(key);
    await tx.objectStore("states").add({ user: this.#user, canvas: this.#canvas, update });
  }
}

/** See `BrowserStore`. */
export class IndexedDbStore implements BrowserStore {
  readonly words: LastWords;
  readonly #name: string | undefined;
  #db: Promise<Database> | null;
  readonly #underWay = new Set<LastWord>();
  #ending = false;
  #takingUp: Promise<void> = Promise.resolve();

  private constructor(db: Database, name: string | undefined, words: LastWords) {
    this.#db = Promise.resolve(db);
    this.#name = name;
    this.words = words;
    whenLeft({ left: () => {}, ending: () => this.pageEnds(), back: () => this.pageGoesOn() });
  }

  /** Rejects where the browser has no IndexedDB, or does not let this page use it. */
  static async open(name?: string, words = new LastWords()): Promise<IndexedDbStore> {
    let store: IndexedDbStore | null = null;
    const db = await openDatabase(() => store?.ended(), name);
    store = new IndexedDbStore(db, name, words);
    return store;
  }

  /** Write what pages had under way when they were left. What cannot be written waits for the next page. */
  takeUp(): Promise<void> {
    this.#takingUp = this.#takingUp.then(() => this.#takeUp());
    return this.#takingUp;
  }

  async #takeUp(): Promise<void> {
    const words = this.words.take();
    // What else was said of somebody who signed out is to go, too.
    const last = (word: LastWord) => Number(word.kind === "clear");
    for (const word of words.sort((one, other) => last(one) - last(other))) {
      await this.#writeWord(word).catch((error: unknown) => {
        // Another life of the canvas began: as with every write, nothing of the old one is kept.
        if (!(error instanceof KeepError && error.code === "other_epoch")) this.words.leave(word);
      });
    }
  }

  /** What is under way now, and begins from now on, may not be finished. */
  pageEnds(): void {
    if (this.#ending) return;
    this.#ending = true;
    for (const word of this.#underWay) this.words.say(word);
  }

  pageGoesOn(): void {
    this.#ending = false;
    this.words.takeBack();
  }

  /** Do `work`, which writes what `word` says; a page that ends meanwhile leaves the word. */
  async toldOf<T>(word: LastWord, work: () => Promise<T>): Promise<T> {
    this.#underWay.add(word);
    if (this.#ending) this.words.say(word);
    try {
      return await work();
    } finally {
      this.#underWay.delete(word);
    }
  }

  get trouble(): null {
    return null;
  }

  canvas(user: string, canvas: string): CanvasStore {
    return new IndexedDbCanvas(this, user, canvas);
  }

  openable(user: string): Promise<ReadonlyMap<string, KeptHead>> {
    return this.read(async (db) => {
      const kept = await db.getAll("canvases", everyPlaceOf(user));
      return new Map(kept.map((head) => [head.canvas, headOf(head)]));
    });
  }

  refused(user: string): Promise<readonly RefusedWork[]> {
    return this.read(async (db) => {
      const copies = await db.getAllFromIndex("refused", "user", user);
      return copies.sort((a, b) => a.at - b.at).map(withoutUser);
    });
  }

  unsent(user: string): Promise<Unsent> {
    return this.read(async (db) => {
      const edits = await db.getAllFromIndex("edits", "place", everyPlaceOf(user));
      const copies = await db.getAllFromIndex("refused", "user", user);
      const canvases = new Set([...edits, ...copies].map(({ canvas }) => canvas));
      return { edits: edits.length, copies: copies.length, canvases: canvases.size };
    });
  }

  clear(user: string): Promise<void> {
    this.forgetWords(user);
    return this.toldOf({ kind: "clear", user }, () => this.#clear(user));
  }

  /** Forget words that were said, and say no more what is under way, as `LastWords.forget`. */
  forgetWords(user: string, canvas?: string): void {
    this.words.forget(user, canvas);
    for (const word of this.#underWay) if (isOf(word, user, canvas)) this.#underWay.delete(word);
  }

  #clear(user: string): Promise<void> {
    return this.write(async (tx) => {
      for (const name of ["canvases", "results"] as const)
        await tx.objectStore(name).delete(everyPlaceOf(user));
      for (const name of ["states", "edits"] as const) {
        const keys = await tx.objectStore(name).index("place").getAllKeys(everyPlaceOf(user));
        for (const key of keys) await tx.objectStore(name).delete(key);
      }
      const copies = await tx.objectStore("refused").index("user").getAllKeys(user);
      for (const key of copies) await tx.objectStore("refused").delete(key);
    });
  }

  evict(before: number, most: number): Promise<void> {
    return this.write((tx) => evict(tx, before, most));
  }

  remember(name: string, value: unknown): Promise<void> {
    const put = () =>
      this.read(async (db) => {
        await db.put("facts", value, name);
      });
    return this.toldOf({ kind: "fact", name, value }, put);
  }

  recall(name: string): Promise<unknown> {
    return this.read((db) => db.get("facts", name));
  }

  /** The database was closed by somebody else; it is opened again when it is needed. */
  ended(): void {
    this.#db = null;
  }

  /** Run `work` on the database; its errors become KeepErrors. */
  async read<T>(work: (db: Database) => Promise<T>): Promise<T> {
    try {
      this.#db ??= openDatabase(() => this.ended(), this.#name);
      return await work(await this.#db);
    } catch (error) {
      if ((error as { name?: string } | null)?.name === "InvalidStateError") this.ended();
      throw keepError(error);
    }
  }

  /**
   * Run `work` in one transaction; resolves when it is durable, and leaves nothing when it rejects. Where the
   * browser's quota is used up, canvases that the server has whole make room, and it is tried once more.
   */
  async write<T>(work: (tx: Writing) => Promise<T>, durability: Durability = "strict"): Promise<T> {
    try {
      return await this.#writeOnce(work, durability);
    } catch (error) {
      if (!(error instanceof KeepError && error.code === "full")) throw error;
      await this.#writeOnce((tx) => evict(tx, 0, FEW_CANVASES), "relaxed");
      return this.#writeOnce(work, durability);
    }
  }

  #writeWord(word: LastWord): Promise<unknown> {
    if (word.kind === "fact") return this.remember(word.name, word.value);
    if (word.kind === "clear") return this.clear(word.user);
    const canvas = new IndexedDbCanvas(this, word.user, word.canvas);
    return word.kind === "results" ? canvas.saveResults(word.results) : canvas.writeLate(word.change);
  }

  #writeOnce<T>(work: (tx: Writing) => Promise<T>, durability: Durability): Promise<T> {
    return this.read(async (db) => {
      const tx = db.transaction(ALL, "readwrite", { durability });
      // Awaited below; a failure before that must not count as unhandled.
      tx.done.catch(() => {});
      try {
        const result = await work(tx);
        await tx.done;
        return result;
      } catch (error) {
        try {
          tx.abort();
        } catch {
          // It is over already.
        }
        // Where the transaction ended by itself, it knows better why than its last request: a quota, above all.
        await tx.done.catch((cause: unknown) => {
          if ((cause as { name?: string } | null)?.name !== "AbortError") throw cause;
        });
        throw error;
      }
    });
  }
}

/** See `BrowserStore.evict`. */
async function evict(tx: Writing, before: number, most: number): Promise<void> {
  const heads = (await tx.objectStore("canvases").getAll()).sort((a, b) => b.at - a.at);
  for (const [index, { user, canvas, at }] of heads.entries()) {
    if (index < most && at >= before) continue;
    const place: Place = [user, canvas];
    const unsent = await tx.objectStore("edits").index("place").count(place);
    if (unsent === 0) await forgetContent(tx, place, false);
  }
}

/** Delete what is kept of a canvas, its refused copies apart; its edits only where `edits`. */
async function forgetContent(tx: Writing, place: Place, edits: boolean): Promise<void> {
  await tx.objectStore("canvases").delete(place);
  await tx.objectStore("results").delete(place);
  for (const name of edits ? (["states", "edits"] as const) : (["states"] as const)) {
    const keys = await tx.objectStore(name).index("place").getAllKeys(place);
    for (const key of keys) await tx.objectStore(name).delete(key);
  }
}

function headOf({ epoch, role, name, at }: KeptHead): KeptHead {
  return { epoch, role, name, at };
}

function withoutUser({ user: _user, ...copy }: RefusedWork & { user: string }): RefusedWork {
  return copy;
}

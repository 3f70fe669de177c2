/** Writes to the browser's store what this tab does, and knows what is safe there. */
import * as Y from "yjs";
import { type CanvasStore, type KeptChange, type KeptHead, keepError, type RefusedWork } from "../offline";
import type { UnsentEdit } from "./outbox";

/** What a keeper tells its owner. */
export interface KeeperOptions {
  /** The name of this tab. */
  tab: string;
  /** `unkept` or `trouble` changed. */
  changed(): void;
  /** These edits are durable in the browser, and have their keys. */
  kept(edits: readonly UnsentEdit[]): void;
}

/** What is written next. */
interface Batch {
  add: UnsentEdit[];
  acked: Uint8Array[];
  remove: number[];
  replace: { key: number; update: Uint8Array }[];
  refuse: RefusedWork[];
  head: KeptHead | null;
}

/** How long what the server has may wait: it is kept for speed and for reading offline, not for safety. */
const LAZY_MS = 1_000;
const RETRY_MS = 30_000;

/**
 * One write at a time; what comes meanwhile goes together in the next. An edit is written at once, and with it
 * all that the server sent before it, which it may build on. What the server has acknowledged is written within
 * a second, or when the tab is hidden.
 *
 * A write that fails is tried again with the next edit: until then its edits are in this tab only, and counted.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  #store: CanvasStore | null = null;
  #epoch: string | null = null;
  #next = emptyBatch();
  #writing: Promise<void> | null = null;
  #underWay: readonly UnsentEdit[] = [];
  /** Edits that were acknowledged while they were being written. */
  readonly #overtaken = new Set<UnsentEdit>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #trouble: string | null = "Nothing is kept yet.";

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Edits that are in this tab only. */
  get unkept(): number {
    return this.#next.add.length + this.#underWay.length;
  }

  /** Whether copies of refused work wait to be written. */
  get holdsCopies(): boolean {
    return this.#next.refuse.length > 0;
  }

  /** Why edits are not kept; null when they are. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Begin to write to `store`; null when there is none, for the reason given. */
  begin(store: CanvasStore | null, trouble: string | null): void {
    this.#store = store;
    this.#trouble = trouble;
    this.#soon(true);
    this.#options.changed();
  }

  /** From here on updates belong to this life of the canvas. What was not written of another is dropped. */
  setEpoch(epoch: string): void {
    if (this.#epoch !== null && this.#epoch !== epoch) this.#next = emptyBatch();
    this.#epoch = epoch;
  }

  /** Keep what is known of the canvas, and with it what waits: from then on it opens without the server. */
  setHead(head: KeptHead): void {
    this.#next.head = head;
    this.#soon(true);
  }

  /** Keep an edit of this tab. */
  keep(edit: UnsentEdit): void {
    this.#next.add.push(edit);
    this.#soon(true);
  }

  /** Keep what the server has. */
  acked(updates: readonly Uint8Array[]): void {
    const full = updates.filter((update) => update.byteLength > 2);
    if (full.length === 0) return;
    this.#next.acked.push(...full);
    this.#soon(false);
  }

  /** The server has these now. */
  settle(edits: readonly UnsentEdit[]): void {
    for (const edit of edits) {
      if (edit.again) continue;
      const waiting = this.#next.add.indexOf(edit);
      if (edit.key === null && this.#underWay.includes(edit)) this.#overtaken.add(edit);
      else {
        if (waiting >= 0) this.#next.add.splice(waiting, 1);
        if (edit.key !== null) this.#next.remove.push(edit.key);
        this.#next.acked.push(edit.update);
      }
    }
    this.#soon(true);
    this.#options.changed();
  }

  /** The server refused some edits: they are no longer sent, and others were done again in another way. */
  async setAside(
    removed: readonly UnsentEdit[],
    replaced: readonly UnsentEdit[],
    copies: readonly RefusedWork[],
  ): Promise<void> {
    while (this.#writing) await this.#writing; // Only then every edit has its key.
    const gone = new Set(removed);
    this.#next.add = this.#next.add.filter((edit) => !gone.has(edit));
    this.#next.remove.push(...keysOf(removed));
    for (const { key, update } of replaced) if (key !== null) this.#next.replace.push({ key, update });
    this.#next.refuse.push(...copies);
    await this.flush();
  }

  /** Wait until all that was given is written, or could not be. */
  async flush(): Promise<void> {
    for (;;) {
      this.#soon(true);
      if (!this.#writing) return;
      await this.#writing;
      if (this.#trouble !== null) return;
    }
  }

  /** The page ends: what waits is written now, also what would wait for a write that is under way. */
  leave(): void {
    const { tab } = this.#options;
    if (!this.#writing) this.#soon(true);
    else if (this.#epoch !== null && !isEmpty(this.#next))
      this.#store?.leave(changeOf(this.#next, this.#epoch, tab));
  }

  /** Forget what waits; edits that are not kept are forgotten too. */
  drop(): void {
    this.#next = emptyBatch();
    this.#options.changed();
  }

  /** Write what is there, and no more. */
  close(): void {
    this.#soon(true);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #soon(now: boolean): void {
    if (!this.#store || this.#epoch === null || this.#writing || isEmpty(this.#next)) return;
    if (now) {
      if (this.#timer) clearTimeout(this.#timer);
      this.#timer = null;
      this.#writing = this.#write(this.#store, this.#epoch);
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#soon(true);
    }, LAZY_MS);
  }

  async #write(store: CanvasStore, epoch: string): Promise<void> {
    const batch = this.#next;
    this.#next = emptyBatch();
    this.#underWay = batch.add;
    let failed = false;
    try {
      const keys = await store.write(changeOf(batch, epoch, this.#options.tab));
      for (const [index, edit] of batch.add.entries()) edit.key = keys[index] ?? null;
      this.#underWay = [];
      this.#trouble = null;
      this.#options.kept(batch.add.filter((edit) => !this.#overtaken.has(edit)));
      const overtaken = batch.add.filter((edit) => this.#overtaken.delete(edit));
      if (overtaken.length > 0) this.settle(overtaken);
    } catch (error) {
      failed = true;
      this.#underWay = [];
      this.#failed(batch, error);
    } finally {
      this.#writing = null;
      this.#options.changed();
    }
    if (failed) return;
    const { add, remove, refuse, replace } = this.#next;
    this.#soon(add.length + remove.length + refuse.length + replace.length > 0);
  }

  #failed(batch: Batch, error: unknown): void {
    const { code, message } = keepError(error);
    this.#trouble = message;
    const overtaken = batch.add.filter((edit) => this.#overtaken.delete(edit));
    if (code === "other_epoch") return; // The server is about to say so, too.
    const add = batch.add.filter((edit) => !overtaken.includes(edit));
    const acked = [...batch.acked, ...overtaken.map(({ update }) => update)];
    const next = this.#next;
    this.#next = {
      add: [...add, ...next.add],
      acked: [...acked, ...next.acked],
      remove: [...batch.remove, ...next.remove],
      replace: [...batch.replace, ...next.replace],
      refuse: [...batch.refuse, ...next.refuse],
      head: next.head ?? batch.head,
    };
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#soon(true);
    }, RETRY_MS);
  }
}

function emptyBatch(): Batch {
  return { add: [], acked: [], remove: [], replace: [], refuse: [], head: null };
}

function isEmpty({ add, acked, remove, replace, refuse, head }: Batch): boolean {
  return add.length + acked.length + remove.length + replace.length + refuse.length === 0 && !head;
}

function changeOf({ add, acked, head, ...rest }: Batch, epoch: string, tab: string): KeptChange {
  return {
    ...rest,
    epoch,
    // One row for a second of others' edits, however many they are.
    acked: acked.length > 1 ? [Y.mergeUpdates(acked)] : acked,
    ...(head ? { head } : {}),
    add: add.map(({ update }) => ({ tab, update })),
  };
}

function keysOf(edits: readonly UnsentEdit[]): number[] {
  return edits.flatMap(({ key }) => (key === null ? [] : [key]));
}

/** A canvas's place in this browser: its store, what is written there, and the other tabs that have it open. */
import {
  type Browser,
  type CanvasStore,
  inTime,
  type KeptCanvas,
  keepError,
  type RefusedWork,
  type TabLine,
} from "../offline";
import { Keeper } from "./keeper";
import { Neighbours } from "./neighbours";
import type { UnsentEdit } from "./outbox";

/** What a document does with what it hears from its browser. */
export interface BrowserSideOptions {
  /** The life of the canvas that this tab is in; null before it is known. */
  epoch(): string | null;
  /** What is kept, or whether anything is, changed. */
  changed(): void;
  /** What the browser kept, before anything else happens; nothing of it is this tab's to send yet. */
  found(kept: KeptCanvas): void;
  /** Other tabs made these edits; they send them. */
  seen(updates: readonly Uint8Array[]): void;
  /** These edits are this tab's to send from now on. */
  adopted(edits: readonly UnsentEdit[]): void;
  /** Another tab left these out after a refusal. */
  dropped(updates: readonly Uint8Array[]): void;
  /** The copies that are kept now. */
  copies(copies: readonly RefusedWork[]): void;
}

/** See the top of the file. Where the browser does not keep, its methods do nothing, and `trouble` says why. */
export class BrowserSide {
  readonly keeper: Keeper;
  readonly #options: BrowserSideOptions;
  readonly #line: TabLine;
  #store: CanvasStore | null = null;
  /** Why what is written to the store does not outlive the page. */
  #fleeting: string | null = null;
  #neighbours: Neighbours | null = null;
  /** Copies that the browser was given and has not written. */
  readonly #unwritten = new Set<string>();
  #given = false;
  #closed = false;

  constructor(browser: Browser, user: string, canvas: string, options: BrowserSideOptions) {
    this.#options = options;
    this.#line = browser.line(user, canvas);
    this.keeper = new Keeper({
      tab: this.#line.id,
      changed: options.changed,
      kept: (edits) => {
        if (!this.keeper.holdsCopies) this.#unwritten.clear();
        this.#tellEdits(edits);
      },
    });
  }

  /** Why edits do not outlive this tab; null when they do. */
  get trouble(): string | null {
    return this.#fleeting ?? this.keeper.trouble;
  }

  /** Of `pending` edits, those that would be lost if this tab ended now. */
  unkept(pending: number): number {
    return this.#fleeting === null ? Math.min(pending, this.keeper.unkept) : pending;
  }

  /** Of `copies`, those that would be lost if this tab ended now. */
  unkeptCopies(copies: readonly RefusedWork[]): number {
    return this.#fleeting === null
      ? copies.filter(({ id }) => this.#unwritten.has(id)).length
      : copies.length;
  }

  /** Read what is kept, take over the edits of tabs that are gone, and begin to write; null when nothing is kept. */
  async open(browser: Browser, user: string, canvas: string): Promise<KeptCanvas | null> {
    let found: KeptCanvas | null = null;
    try {
      found = await inTime(this.#read(browser, user, canvas));
    } catch (error) {
      this.#given = true; // What comes later is not waited for.
      this.#store = null;
      this.#fleeting = keepError(error).message;
    }
    if (!this.#closed) this.keeper.begin(this.#store, null);
    return found;
  }

  /** What is kept now, all that this tab wrote included; null where it cannot be read. */
  async load(): Promise<KeptCanvas | null> {
    await this.keeper.flush();
    return (await this.#store?.load().catch(() => null)) ?? null;
  }

  /** What other tabs have not sent yet. */
  async editsOfOthers(): Promise<readonly UnsentEdit[]> {
    const kept = await this.load();
    if (!kept || kept.head?.epoch !== this.#options.epoch()) return [];
    return kept.edits.filter(({ tab }) => tab !== this.#line.id).map(({ key, update }) => ({ key, update }));
  }

  /** Look after tabs that ended while nobody was told, and after edits that were missed. */
  async lookAround(): Promise<void> {
    const kept = await this.#store?.load().catch(() => null);
    if (!kept || this.#closed || kept.head?.epoch !== this.#options.epoch()) return;
    this.#options.seen(kept.edits.map(({ update }) => update));
    await this.#neighbours?.adopt(kept.edits);
  }

  /** Write what became of edits after a refusal, and tell the other tabs. */
  async setAside(
    epoch: string | null,
    lost: readonly UnsentEdit[],
    redone: readonly UnsentEdit[],
    copies: readonly RefusedWork[],
    dropped: readonly Uint8Array[],
  ): Promise<void> {
    await this.keeper.setAside(lost, redone, copies);
    if (this.keeper.holdsCopies) for (const { id } of copies) this.#unwritten.add(id);
    if (epoch !== null) this.#neighbours?.tellDropped(epoch, dropped);
    if (copies.length > 0) this.#neighbours?.tellCopies();
  }

  /** Forget a life of the canvas (null: any), and keep the copies. */
  async forget(epoch: string | null, copies: readonly RefusedWork[]): Promise<void> {
    this.keeper.drop();
    for (const { id } of copies) this.#unwritten.add(id);
    try {
      await this.#store?.forget(epoch, copies);
      for (const { id } of copies) this.#unwritten.delete(id);
    } catch (error) {
      console.warn("Copies of refused work are in this tab only", error);
    }
    this.#neighbours?.tellCopies();
  }

  async discard(copy: string): Promise<void> {
    await this.#store?.discard(copy);
    this.#neighbours?.tellCopies();
  }

  /** Let the other tabs take over, once all that is to be kept is written. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.keeper.flush();
    this.keeper.close();
    if (this.#neighbours) this.#neighbours.close();
    else this.#line.close();
  }

  async #read(browser: Browser, user: string, canvas: string): Promise<KeptCanvas | null> {
    const kept = await browser.store;
    const store = kept.canvas(user, canvas);
    await this.#line.ready;
    const found = await store.load();
    if (this.#closed || this.#given) return null;
    this.#store = store;
    this.#fleeting = kept.trouble;
    const { epoch, seen, adopted, dropped } = this.#options;
    const copiesChanged = () => void this.#readCopies();
    this.#neighbours = new Neighbours({
      ...{ line: this.#line, store, epoch, seen, adopted, dropped },
      copiesChanged,
    });
    this.#options.found(found);
    await this.#neighbours.adopt(found.edits);
    return found;
  }

  async #readCopies(): Promise<void> {
    const kept = await this.#store?.load().catch(() => null);
    if (kept && !this.#closed) this.#options.copies(kept.refused);
  }

  #tellEdits(edits: readonly UnsentEdit[]): void {
    const epoch = this.#options.epoch();
    const updates = edits.map(({ update }) => update);
    if (epoch !== null && updates.length > 0) this.#neighbours?.tellEdits(epoch, updates);
  }
}

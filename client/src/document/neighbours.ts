/** The other tabs of this browser that have the canvas open, and the edits of those that are gone. */
import type { CanvasStore, KeptEdit, TabLine } from "../offline";
import type { UnsentEdit } from "./outbox";

/** What a tab does with what it hears. */
export interface NeighboursOptions {
  line: TabLine;
  store: CanvasStore;
  /** The life of the canvas that this tab is in; null before it is known. */
  epoch(): string | null;
  /** Other tabs made these edits; they send them. */
  seen(updates: readonly Uint8Array[]): void;
  /** These edits are this tab's to send from now on. */
  adopted(edits: readonly UnsentEdit[]): void;
  /** Another tab left these out after a refusal. */
  dropped(updates: readonly Uint8Array[]): void;
  /** Copies were added or discarded. */
  copiesChanged(): void;
}

type Message =
  | { kind: "edits" | "dropped"; tab: string; epoch: string; updates: Uint8Array[] }
  | { kind: "copies" };

/**
 * Each tab sends its own edits: no tab speaks for the others, so that a hidden or frozen one holds nobody up. The
 * edits of a tab that is gone are adopted by whichever notices first; the store gives them to one tab only.
 */
export class Neighbours {
  readonly #options: NeighboursOptions;
  readonly #watched = new Set<string>();
  #closed = false;

  constructor(options: NeighboursOptions) {
    this.#options = options;
    options.line.listen((message) => this.#hear(message as Message));
  }

  /** Adopt the edits of tabs that are gone, and watch over those that live; call at the start and when online. */
  async adopt(kept: readonly KeptEdit[]): Promise<void> {
    const { line } = this.#options;
    const others = new Set(kept.map(({ tab }) => tab).filter((tab) => tab !== line.id));
    if (others.size === 0) return;
    const alive = await line.alive();
    await this.#adoptOf((tab) => others.has(tab) && !alive?.has(tab));
    for (const tab of others) if (alive?.has(tab)) this.#watch(tab);
  }

  tellEdits(epoch: string, updates: readonly Uint8Array[]): void {
    this.#tell({ kind: "edits", tab: this.#options.line.id, epoch, updates: [...updates] });
  }

  tellDropped(epoch: string, updates: readonly Uint8Array[]): void {
    if (updates.length > 0)
      this.#tell({ kind: "dropped", tab: this.#options.line.id, epoch, updates: [...updates] });
  }

  tellCopies(): void {
    this.#tell({ kind: "copies" });
  }

  close(): void {
    this.#closed = true;
    this.#options.line.close();
  }

  #tell(message: Message): void {
    if (!this.#closed) this.#options.line.send(message);
  }

  #hear(message: Message): void {
    if (this.#closed) return;
    if (message.kind === "copies") {
      this.#options.copiesChanged();
      return;
    }
    this.#watch(message.tab);
    if (message.epoch !== this.#options.epoch()) return; // The server will tell one of the two.
    if (message.kind === "edits") this.#options.seen(message.updates);
    else this.#options.dropped(message.updates);
  }

  #watch(tab: string): void {
    if (this.#watched.has(tab)) return;
    this.#watched.add(tab);
    this.#options.line.whenGone(tab, () => {
      this.#watched.delete(tab);
      void this.#adoptOf((other) => other === tab);
    });
  }

  async #adoptOf(gone: (tab: string) => boolean): Promise<void> {
    if (this.#closed) return;
    try {
      const { store, line } = this.#options;
      const adopted = await store.adopt(gone, line.id);
      if (adopted.length === 0) return;
      const edits = adopted.map(({ key, update }) => ({ key, update }));
      this.#options.seen(edits.map(({ update }) => update));
      this.#options.adopted(edits);
    } catch (error) {
      // They stay in the store for the next tab.
      console.warn("The edits of a tab that is gone could not be taken over", error);
    }
  }
}

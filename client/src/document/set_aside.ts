/** Work that cannot go to the server as it is: copies of it, which stay until the person discards them. */
import { newId } from "../ids";
import type { RefusedWork } from "../offline";
import type { ErrorBody, SpellJson } from "../protocol";
import { Store } from "../store";
import type { BrowserSide } from "./browser_side";
import type { Outbox } from "./outbox";
import type { Salvaged } from "./salvage";

/** What a copy tells beside its error. */
interface Content {
  readonly spell: SpellJson;
  /** What the refused edits touched, as far as it is known. */
  readonly touched: readonly string[];
}

/** The copies of one canvas: those of this tab, and those that the browser keeps of others. */
export class SetAside {
  readonly copies = new Store<readonly RefusedWork[]>([]);
  readonly #canvas: string;
  readonly #outbox: Outbox;
  readonly #kept: BrowserSide;
  #made = 0;

  constructor(canvas: string, outbox: Outbox, kept: BrowserSide) {
    this.#canvas = canvas;
    this.#outbox = outbox;
    this.#kept = kept;
  }

  /** How many this tab has made. */
  get made(): number {
    return this.#made;
  }

  /** Keep all that waits to be sent as one copy; with `epoch`, forget that life of the canvas altogether. */
  all(error: ErrorBody, content: Content, epoch?: string | null): void {
    const mine = this.#outbox.edits;
    const copies = mine.length > 0 ? [this.#copy(error, content)] : [];
    this.#outbox.replace([]);
    if (epoch === undefined) void this.#kept.setAside(null, mine, [], copies, []);
    else void this.#kept.forget(epoch, copies);
    this.#add(copies);
  }

  /**
   * Keep what of the refused edits is not done again as a copy (`content`; null: nothing), and have the browser know
   * what became of each edit; ends when it has written that.
   */
  some(
    error: ErrorBody,
    content: Content | null,
    became: { readonly epoch: string | null } & Pick<Salvaged, "lost" | "redone" | "dropped">,
  ): Promise<void> {
    const copies = content ? [this.#copy(error, content)] : [];
    const { epoch, lost, redone, dropped } = became;
    const written = this.#kept.setAside(epoch, lost, redone, copies, dropped);
    this.#add(copies);
    return written;
  }

  /** Forget one, here and in the browser. */
  async discard(id: string): Promise<void> {
    this.copies.update((copies) => copies.filter((copy) => copy.id !== id));
    await this.#kept.discard(id);
  }

  #copy(error: ErrorBody, { spell, touched }: Content): RefusedWork {
    return { id: newId(), canvas: this.#canvas, error, at: Date.now(), spell, touched };
  }

  #add(copies: readonly RefusedWork[]): void {
    if (copies.length === 0) return;
    this.#made += copies.length;
    this.copies.update((known) => [...known, ...copies]);
  }
}

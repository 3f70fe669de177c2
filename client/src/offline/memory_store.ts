/** Keeps work for as long as the page lives: for private windows, and where IndexedDB is missing or broken. */
import { compact, MANY_ROWS } from "./compact";
import { KeepError } from "./errors";
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

/** See `CanvasStore`. */
class MemoryCanvas implements CanvasStore {
  head: KeptHead | null = null;
  #acked: Uint8Array[] = [];
  edits: KeptEdit[] = [];
  refused: RefusedWork[] = [];
  #results: unknown = null;
  #lastKey = 0;

  async load(): Promise<KeptCanvas> {
    return { head: this.head, acked: [...this.#acked], edits: [...this.edits], refused: [...this.refused] };
  }

  async write(change: KeptChange): Promise<readonly number[]> {
    if (this.head && this.head.epoch !== change.epoch)
      throw new KeepError("other_epoch", "The canvas was replaced.");
    if (change.head) this.head = change.head;
    // Without a head the canvas was forgotten meanwhile: only unsent work is kept then.
    if (this.head) this.#acked.push(...(change.acked ?? []));
    if (this.#acked.length > MANY_ROWS) this.#acked = [compact(this.#acked)];
    const removed = new Set(change.remove);
    const replaced = new Map(change.replace?.map(({ key, update }) => [key, update]));
    this.edits = this.edits
      .filter(({ key }) => !removed.has(key))
      .map((edit) => ({ ...edit, update: replaced.get(edit.key) ?? edit.update }));
    this.refused.push(...(change.refuse ?? []));
    return (change.add ?? []).map(({ tab, update }) => {
      this.#lastKey += 1;
      this.edits.push({ key: this.#lastKey, tab, update });
      return this.#lastKey;
    });
  }

  leave(change: KeptChange): void {
    this.write(change).catch(() => {});
  }

  async adopt(tabs: (tab: string) => boolean, by: string): Promise<readonly KeptEdit[]> {
    const adopted = this.edits.filter(({ tab }) => tab !== by && tabs(tab));
    this.edits = this.edits.map((edit) => (adopted.includes(edit) ? { ...edit, tab: by } : edit));
    return adopted.map((edit) => ({ ...edit, tab: by }));
  }

  async forget(epoch: string | null, refuse: readonly RefusedWork[] = []): Promise<void> {
    this.refused.push(...refuse);
    if (epoch !== null && this.head && this.head.epoch !== epoch) return;
    this.drop();
    this.edits = [];
  }

  /** Drop what the server has, too. */
  drop(): void {
    this.head = null;
    this.#acked = [];
    this.#results = null;
  }

  async discard(id: string): Promise<void> {
    this.refused = this.refused.filter((copy) => copy.id !== id);
  }

  async loadResults(): Promise<unknown> {
    return this.#results;
  }

  async saveResults(results: unknown): Promise<void> {
    this.#results = results;
  }
}

/** See `BrowserStore`. `trouble` says why nothing outlives the page; tests that play a browser give null. */
export class MemoryStore implements BrowserStore {
  readonly #canvases = new Map<string, Map<string, MemoryCanvas>>();
  readonly #facts = new Map<string, unknown>();

  constructor(readonly trouble: string | null = "This browser keeps nothing for this page.") {}

  canvas(user: string, canvas: string): MemoryCanvas {
    const mine = this.#canvases.get(user) ?? new Map<string, MemoryCanvas>();
    this.#canvases.set(user, mine);
    const known = mine.get(canvas) ?? new MemoryCanvas();
    mine.set(canvas, known);
    return known;
  }

  async openable(user: string): Promise<ReadonlyMap<string, KeptHead>> {
    return new Map([...this.#of(user)].flatMap(([id, { head }]) => (head ? [[id, head] as const] : [])));
  }

  async refused(user: string): Promise<readonly RefusedWork[]> {
    return [...this.#of(user).values()].flatMap(({ refused }) => refused).sort((a, b) => a.at - b.at);
  }

  async unsent(user: string): Promise<Unsent> {
    const all = [...this.#of(user).values()].filter(
      ({ edits, refused }) => edits.length + refused.length > 0,
    );
    return {
      edits: all.reduce((sum, { edits }) => sum + edits.length, 0),
      copies: all.reduce((sum, { refused }) => sum + refused.length, 0),
      canvases: all.length,
    };
  }

  async clear(user: string): Promise<void> {
    this.#canvases.delete(user);
  }

  async evict(before: number, most: number): Promise<void> {
    const all = [...this.#canvases.values()].flatMap((mine) => [...mine.values()]);
    const newestFirst = all.filter(({ head }) => head).sort((a, b) => (b.head?.at ?? 0) - (a.head?.at ?? 0));
    for (const [index, canvas] of newestFirst.entries()) {
      const old = index >= most || (canvas.head?.at ?? 0) < before;
      if (old && canvas.edits.length === 0) canvas.drop();
    }
  }

  async remember(name: string, value: unknown): Promise<void> {
    this.#facts.set(name, value);
  }

  async recall(name: string): Promise<unknown> {
    return this.#facts.get(name);
  }

  #of(user: string): ReadonlyMap<string, MemoryCanvas> {
    return this.#canvases.get(user) ?? new Map();
  }
}

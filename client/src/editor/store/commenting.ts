/** What is open of the comments: the mode, the thread that is looked at, or the place of a new one. */
import type { CommentStore, NewPlace, Thread } from "../../comments";
import type { Pair, Spell } from "../../protocol";
import { type Readable, Store } from "../../store";
import { NODE_WIDTH } from "./geometry";

export type OpenComment =
  | { readonly kind: "thread"; readonly id: string }
  | { readonly kind: "new"; readonly place: NewPlace };

/** Which threads the panel lists. */
export type ThreadFilter = "open" | "resolved" | "mine";

/** What commenting needs of the editor. */
export interface CommentingEditor {
  readonly document: { readonly spell: Readable<Spell> };
  readonly view: { center(): Pair; fly(to: Pair): void } | null;
  selectedNodes(): string[];
}

export class Commenting {
  /** A click on the canvas begins a thread. */
  readonly mode = new Store(false);
  readonly open = new Store<OpenComment | null>(null);
  readonly filter = new Store<ThreadFilter>("open");
  readonly #comments: CommentStore;
  readonly #editor: CommentingEditor;

  constructor(comments: CommentStore, editor: CommentingEditor) {
    this.#comments = comments;
    this.#editor = editor;
  }

  /** Write a new thread at a node, or at a place. */
  begin(node: string | null, at: Pair): void {
    this.mode.set(false);
    const position = node === null ? undefined : this.#editor.document.spell.get().nodes[node]?.position;
    this.#comments.close();
    this.open.set({ kind: "new", place: { node, at: position ?? [Math.round(at[0]), Math.round(at[1])] } });
  }

  /** Write a new thread at the node that is selected, else in the middle of the view. */
  beginHere(): void {
    const nodes = this.#editor.selectedNodes();
    const [node] = nodes;
    if (nodes.length === 1 && node !== undefined) this.begin(node, [0, 0]);
    else this.begin(null, this.#editor.view?.center() ?? [0, 0]);
  }

  /** Send the new thread, and look at it. */
  send(text: string): void {
    const open = this.open.get();
    if (open?.kind !== "new") return;
    const id = this.#comments.begin(text, open.place);
    this.open.set({ kind: "thread", id });
    void this.#comments.open(id);
  }

  /** Look at the thread of a comment; with `fly`, bring it into view. False when it cannot be read. */
  async show(comment: string, fly = true): Promise<boolean> {
    this.mode.set(false);
    this.open.set({ kind: "thread", id: comment });
    const known = this.#comments.threads.get().get(comment);
    if (fly && known) this.#editor.view?.fly(this.placeOf(known));
    const id = await this.#comments.open(comment);
    const open = this.open.get();
    if (id === null || open?.kind !== "thread" || open.id !== comment) return id !== null;
    if (id !== comment) this.open.set({ kind: "thread", id });
    const thread = this.#comments.threads.get().get(id);
    if (fly && !known && thread) this.#editor.view?.fly(this.placeOf(thread));
    return true;
  }

  /** Look at no thread, and leave the mode. */
  close(): void {
    this.mode.set(false);
    this.open.set(null);
    this.#comments.close();
  }

  /** Where a thread is now, in canvas units. */
  placeOf(thread: Thread): Pair {
    const node = thread.node === null ? undefined : this.#editor.document.spell.get().nodes[thread.node];
    return node ? [node.position[0] + (node.size?.[0] ?? NODE_WIDTH), node.position[1]] : thread.at;
  }
}

/** The comment that an address names: `#comment=ID`. */
export function commentIn(hash: string): string | null {
  return /^#comment=([0-9a-f]{32})$/.exec(hash)?.[1] ?? null;
}

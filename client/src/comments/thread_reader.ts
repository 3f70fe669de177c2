/** The thread that is looked at, with all its comments. */
import type { Answer } from "../protocol";
import type { Connection } from "../session";
import { Store } from "../store";
import { failure } from "./failure";
import { type Comment, type OpenedThread, readThread, type Thread } from "./types";

/** Reads one thread page by page, and keeps it in step with what the server says. */
export class ThreadReader {
  readonly opened = new Store<OpenedThread | null>(null);
  readonly #session: Connection;
  readonly #canvas: string;
  readonly #found: (thread: Thread) => void;
  #reading = 0;
  /** Comments that were removed while the thread was read. */
  #gone = new Set<string>();

  constructor(session: Connection, canvas: string, found: (thread: Thread) => void) {
    this.#session = session;
    this.#canvas = canvas;
    this.#found = found;
  }

  /** Read the thread that a comment is in; resolves to its id, or null when it cannot be read. */
  async open(comment: string): Promise<string | null> {
    const reading = ++this.#reading;
    this.#gone = new Set();
    const before = this.opened.get();
    if (before?.id !== comment) this.opened.set({ id: comment, comments: [], whole: false, error: null });
    try {
      return await this.#read(comment, () => reading === this.#reading);
    } catch (error) {
      if (reading !== this.#reading) return null;
      this.opened.update((now) => now && { ...now, error: failure(error) });
      return null;
    }
  }

  /** Look at a thread that is not on the server yet. */
  begin(thread: string): void {
    this.#reading += 1;
    this.opened.set({ id: thread, comments: [], whole: true, error: null });
  }

  /** Read the thread anew, after a reconnection or when it came to the server; `only` if it is that one. */
  async again(only?: string): Promise<void> {
    const now = this.opened.get();
    if (now && (only === undefined || now.id === only)) await this.open(now.id);
  }

  close(): void {
    this.#reading += 1;
    this.opened.set(null);
  }

  /** Take a comment that was made or edited. */
  put(comment: Comment): void {
    const now = this.opened.get();
    if (now?.id === comment.thread) this.opened.set({ ...now, comments: merged(now.comments, [comment]) });
  }

  removed(thread: string, comment: string): void {
    const now = this.opened.get();
    if (now?.id !== thread) return;
    this.#gone.add(comment);
    this.opened.set({ ...now, comments: now.comments.filter((one) => one.id !== comment) });
  }

  async #read(comment: string, wanted: () => boolean): Promise<string | null> {
    let after: string | null = null;
    let id = comment;
    const seen = new Set<string>();
    do {
      const asked = { canvas: this.#canvas, id, after };
      const page: Answer<"comments.get"> = await this.#session.request("comments.get", asked);
      if (!wanted()) return null;
      id = page.thread.id;
      this.#found(readThread(page.thread));
      for (const one of page.comments) seen.add(one.id);
      const fresh = page.comments.filter((one) => !this.#gone.has(one.id));
      const now = this.opened.get();
      const known = now?.id === id ? now.comments : [];
      after = page.next;
      const last = page.comments.at(-1)?.created_at ?? 0;
      // What was known, and is not there any more up to here, was removed while this tab was away.
      const still = known.filter((one) => seen.has(one.id) || one.created_at > last);
      this.opened.set({ id, comments: merged(still, fresh), whole: after === null, error: null });
    } while (after !== null);
    return id;
  }
}

function merged(known: readonly Comment[], fresh: readonly Comment[]): readonly Comment[] {
  const all = new Map([...known, ...fresh].map((comment) => [comment.id, comment]));
  return [...all.values()].sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1));
}

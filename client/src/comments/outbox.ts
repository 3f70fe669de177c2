/** Comments on their way to the server: kept in the browser and sent until they are answered. */
import { ServerError } from "../api";
import type { Answer, ErrorBody, Pair } from "../protocol";
import type { Connection } from "../session";
import { Store } from "../store";
import type { Keep } from "./keep";
import type { Waiting } from "./types";

/** Failures that time may cure: what was sent is sent again. */
const PASSING = new Set([
  "offline",
  "disconnected",
  "timeout",
  "unavailable",
  "store_unavailable",
  "rate_limited",
  "internal",
]);

const AGAIN_MS = 5_000;

interface NewWaiting {
  readonly text: string;
  readonly thread?: string;
  readonly node?: string | null;
  readonly at?: Pair;
}

/**
 * Sends in the order of writing, one at a time. Each comment has the id that it will have on the server, so that
 * one whose answer was lost, or which another tab sends too, is there once.
 */
export class CommentOutbox {
  readonly waiting: Store<readonly Waiting[]>;
  readonly #session: Connection;
  readonly #canvas: string;
  readonly #keep: Keep;
  readonly #sent: (thread: string, answer: Answer<"comments.create">) => void;
  #sending = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #ended = false;

  constructor(
    session: Connection,
    canvas: string,
    keep: Keep,
    sent: (thread: string, answer: Answer<"comments.create">) => void,
  ) {
    this.#session = session;
    this.#canvas = canvas;
    this.#keep = keep;
    this.#sent = sent;
    this.waiting = new Store(keep.read().waiting);
  }

  /** Keep a comment and send it; returns its id. */
  add({ text, thread, node = null, at }: NewWaiting): string {
    const id = commentId();
    const one = {
      id,
      thread: thread ?? id,
      text,
      node,
      at: at ?? null,
      createdAt: Date.now() / 1000,
      error: null,
    };
    this.waiting.update((list) => [...list, one]);
    this.#keep.change((kept) => ({ ...kept, waiting: [...kept.waiting, one] }));
    this.flush();
    return id;
  }

  /** Send what waits, from the first. */
  flush(): void {
    if (this.#sending || this.#ended) return;
    this.#sending = true;
    void this.#send().finally(() => {
      this.#sending = false;
    });
  }

  retry(id: string): void {
    this.#change(id, null);
    this.flush();
  }

  drop(id: string): void {
    if (!this.waiting.get().some((one) => one.id === id || one.thread === id)) return;
    const others = (one: Waiting) => one.id !== id && one.thread !== id;
    this.waiting.update((list) => list.filter(others));
    this.#keep.change((kept) => ({ ...kept, waiting: kept.waiting.filter(others) }));
  }

  /** A comment is on the server. */
  arrived(id: string): void {
    if (!this.waiting.get().some((one) => one.id === id)) return;
    this.waiting.update((list) => list.filter((one) => one.id !== id));
    this.#keep.change((kept) => ({ ...kept, waiting: kept.waiting.filter((one) => one.id !== id) }));
  }

  end(): void {
    this.#ended = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #send(): Promise<void> {
    for (;;) {
      const next = this.waiting.get().find((one) => one.error === null);
      if (!next || this.#ended) return;
      try {
        const answer = await this.#session.request("comments.create", request(this.#canvas, next));
        this.arrived(next.id);
        this.#sent(next.thread, answer);
      } catch (error) {
        if (!(error instanceof ServerError)) throw error;
        if (PASSING.has(error.code)) return this.#later();
        this.#change(next.id, { code: error.code, message: error.message });
      }
    }
  }

  #later(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), AGAIN_MS);
  }

  #change(id: string, error: ErrorBody | null): void {
    const changed = (list: readonly Waiting[]) =>
      list.map((one) => (one.id === id ? { ...one, error } : one));
    this.waiting.update(changed);
    this.#keep.change((kept) => ({ ...kept, waiting: changed(kept.waiting) }));
  }
}

function request(canvas: string, one: Waiting) {
  if (one.thread !== one.id) return { canvas, id: one.id, text: one.text, thread: one.thread };
  return { canvas, id: one.id, text: one.text, node: one.node, at: one.at as [number, number] };
}

/** A new id of 32 hexadecimal digits, as the server takes it. */
function commentId(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

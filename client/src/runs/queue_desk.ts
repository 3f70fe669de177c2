/** The queues of the server, and what is done with them. */
import type { RunView } from "../protocol";
import type { QueueView } from "../protocol/generated";
import type { Connection } from "../session";
import { Store } from "../store";

export type Queue = QueueView;

/** Limits of a queue; null takes one away. */
export interface QueueLimits {
  readonly concurrency?: number | null;
  readonly per_process?: number | null;
  readonly rate?: { readonly count: number; readonly seconds: number } | null;
}

const EVERY_MS = 2_000;
const MOST_SHOWN = 100;

/** Asks again every two seconds while it is open: queues change without an event. */
export class QueueDesk {
  readonly queues = new Store<readonly Queue[] | null>(null);
  readonly failure = new Store<string | null>(null);
  /** Runs that wait in the queue that is looked into. */
  readonly waiting = new Store<readonly RunView[]>([]);
  readonly looked = new Store<string | null>(null);
  /** Whether there are more than are listed. */
  readonly more = new Store(false);
  /** Whether runs of everybody are listed, as administrators see them, or the person's own. */
  readonly everybody: boolean;
  readonly #session: Connection;

  constructor(session: Connection, everybody = false) {
    this.#session = session;
    this.everybody = everybody;
  }

  open(): () => void {
    void this.load();
    const timer = setInterval(() => void this.load(), EVERY_MS);
    return () => clearInterval(timer);
  }

  async load(): Promise<void> {
    try {
      const { items } = await this.#session.request("queues.find");
      this.queues.set(items);
      this.failure.set(null);
      if (this.looked.get()) await this.#loadWaiting();
    } catch (error) {
      this.failure.set(error instanceof Error ? error.message : String(error));
    }
  }

  /** Look into a queue, or no more. */
  look(queue: string | null): void {
    this.looked.set(queue);
    this.waiting.set([]);
    if (queue) void this.load();
  }

  pause(name: string): Promise<void> {
    return this.#do(this.#session.request("queues.pause", { name }));
  }

  play(name: string): Promise<void> {
    return this.#do(this.#session.request("queues.play", { name }));
  }

  drain(name: string): Promise<void> {
    return this.#do(this.#session.request("queues.drain", { name }));
  }

  limit(name: string, limits: QueueLimits): Promise<void> {
    return this.#do(this.#session.request("queues.patch", { name, ...limits }));
  }

  /** Cancel runs that wait or run; resolves with how many. */
  async cancel(what: { queue?: string; ids?: string[]; canvas?: string }): Promise<number> {
    const { cancelled } = await this.#session.request("runs.cancel_many", what);
    await this.load();
    return cancelled;
  }

  async #loadWaiting(): Promise<void> {
    const queue = this.looked.get();
    if (!queue) return;
    const found = await this.#session.request("runs.find", {
      queue,
      status: ["queued", "running", "waiting", "paused"],
      limit: MOST_SHOWN,
      ...(this.everybody ? { all: true } : {}),
    });
    if (this.looked.get() !== queue) return;
    this.waiting.set(found.items as readonly RunView[]);
    this.more.set(found.next != null);
  }

  async #do(asked: Promise<unknown>): Promise<void> {
    await asked;
    await this.load();
  }
}

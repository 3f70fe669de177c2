/** Follows one stream of events: each exactly once, in order, whatever the connection does. */
import type { Resumed, RunEvent } from "../protocol";

/** How a follower catches up, and what it does with events. */
export interface FollowerOptions {
  /** Events after a number, by pages. Rejects when the server cannot be reached. */
  resume(afterSeq: number): Promise<Resumed>;
  /** Fresh events, in order. */
  deliver(events: readonly RunEvent[]): void;
  /** The server has not kept all that was missed; what follows is delivered. */
  lost(): void;
  /** Catching up failed; `resume` is not tried again before `catchUp` is called or another gap shows. */
  failed(error: unknown): void;
}

/** Events that wait behind a gap; the oldest are dropped beyond this, as they will be resumed anyway. */
const BUFFER = 10_000;

/**
 * Delivers the events of a stream.
 *
 * A number at or below the last one delivered is a repetition and is dropped. A number beyond the next one shows
 * a gap: it waits until what is missing has been fetched. What the server answers to `resume` is the truth: a
 * number that it leaves out does not exist (any more).
 */
export class StreamFollower {
  readonly #options: FollowerOptions;
  #last: number;
  #waiting = new Map<number, RunEvent>();
  #catching: Promise<void> | null = null;

  /** `last` is the number of the last event already known. */
  constructor(last: number, options: FollowerOptions) {
    this.#last = last;
    this.#options = options;
  }

  /** The number of the last event delivered. */
  get last(): number {
    return this.#last;
  }

  /** Take events as they come. */
  receive(events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.seq > this.#last) this.#waiting.set(event.seq, event);
    }
    if (this.#catching) {
      this.#trim();
      return;
    }
    this.#drain();
    if (this.#waiting.size > 0) void this.catchUp();
  }

  /** Fetch what was missed; call after each reconnection. One at a time. */
  catchUp(): Promise<void> {
    this.#catching ??= this.#catchUp().finally(() => {
      this.#catching = null;
    });
    return this.#catching;
  }

  async #catchUp(): Promise<void> {
    try {
      for (;;) {
        const { events, seq, more, snapshot_required } = await this.#options.resume(this.#last);
        if (snapshot_required && !more && seq < this.#last) this.#startAnew(seq); // The server's log was set back.
        const fresh = events.filter((event) => event.seq > this.#last);
        const end = Math.max(this.#last, more ? (events.at(-1)?.seq ?? seq) : seq);
        const stuck = more && end === this.#last;
        this.#last = end;
        if (fresh.length > 0) this.#options.deliver(fresh);
        if (snapshot_required) this.#options.lost();
        if (!more || stuck) break;
      }
      this.#drain();
      // A gap behind the answer's end: events that the server has committed since.
      if (this.#waiting.size > 0) await this.#catchUp();
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #startAnew(seq: number): void {
    this.#last = seq;
    this.#waiting.clear();
  }

  /** Deliver what follows on without a gap. */
  #drain(): void {
    for (const seq of this.#waiting.keys()) if (seq <= this.#last) this.#waiting.delete(seq);
    const next: RunEvent[] = [];
    for (let event = this.#waiting.get(this.#last + 1); event; event = this.#waiting.get(this.#last + 1)) {
      this.#waiting.delete(event.seq);
      this.#last = event.seq;
      next.push(event);
    }
    if (next.length > 0) this.#options.deliver(next);
  }

  #trim(): void {
    if (this.#waiting.size <= BUFFER) return;
    const keep = [...this.#waiting.keys()].sort((a, b) => b - a).slice(0, BUFFER);
    this.#waiting = new Map(keep.flatMap((seq) => [[seq, this.#waiting.get(seq) as RunEvent]]));
  }
}

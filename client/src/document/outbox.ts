/** This tab's edits on their way to the server: one request at a time, kept until acknowledged. */
import * as Y from "yjs";
import { ProtocolError } from "../api/errors";
import { newId } from "../ids";
import type { ErrorBody } from "../protocol";
import { backoff } from "../session/backoff";

/** An edit that the server has not acknowledged. */
export interface UnsentEdit {
  update: Uint8Array;
  /** Its key in the browser's store; null while it is not there. */
  key: number | null;
  /** It goes to the server again, which once had it: the store has it among the acknowledged. */
  readonly again?: boolean;
}

/** How edits are sent and what becomes of them. */
export interface OutboxOptions {
  /** Resolves once the server has made the update durable; the same `id` may come again. */
  send(id: string, update: Uint8Array): Promise<void>;
  /** `pending` or `trouble` changed. */
  changed(): void;
  /** The server has made these durable; they are no longer in the outbox. */
  acknowledged(edits: readonly UnsentEdit[]): void;
  /** The server does not take this edit as it is. The outbox is paused then, and still has it and all others. */
  refused(error: ErrorBody, edit: UnsentEdit): void;
}

interface Parcel {
  readonly id: string;
  readonly update: Uint8Array;
  readonly edits: readonly UnsentEdit[];
}

/** Edits are joined to parcels of about this many bytes, under the server's limit for one update. */
const PARCEL_BYTES = 256 * 1024;
const RETRY = { first: 250, longest: 10_000 };
/** Answers that say "not now". */
const PASSING = new Set([
  "unavailable",
  "store_unavailable",
  "rate_limited",
  "internal",
  "canvas_quarantined",
]);
/** Refusals that speak of the tab or the canvas, not of what is in the parcel: no smaller one would be taken. */
const WHOLE = new Set(["update_gap", "canvas_not_open", "client_id_taken", "epoch_mismatch", "forbidden"]);

/**
 * Sends the first edit at once and, while it is under way, joins the following into one. An update that was not
 * answered is sent again under the same id; the CRDT makes the second coming harmless. A parcel that is refused
 * for its content is sent again by halves, until the one edit is found that the server does not take.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #queue: UnsentEdit[] = [];
  #parcel: Parcel | null = null;
  /** Edits in one parcel at most. */
  #most = Number.POSITIVE_INFINITY;
  #running = false;
  #attempt = 0;
  #round = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #trouble: string | null = null;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Edits that are not durable on the server yet. */
  get pending(): number {
    return this.#queue.length + (this.#parcel?.edits.length ?? 0);
  }

  /** Those edits, in the order in which they are sent. */
  get edits(): readonly UnsentEdit[] {
    return [...(this.#parcel?.edits ?? []), ...this.#queue];
  }

  /** Why the server does not take edits for now; null when it does. */
  get trouble(): string | null {
    return this.#trouble;
  }

  add(edit: UnsentEdit): void {
    this.#queue.push(edit);
    this.#options.changed();
    queueMicrotask(() => this.#send());
  }

  /** Take over edits of another tab. They go before those that may build on them: keys tell the order. */
  adopt(edits: readonly UnsentEdit[]): void {
    const known = new Set(this.edits.map(({ key }) => key));
    const fresh = edits.filter(({ key }) => key === null || !known.has(key));
    if (fresh.length === 0) return;
    this.#queue = [...this.#queue, ...fresh].sort(byKey);
    this.#options.changed();
    queueMicrotask(() => this.#send());
  }

  /** Put `edits` in the place of all that is here. Only while paused. */
  replace(edits: readonly UnsentEdit[]): void {
    this.#parcel = null;
    this.#queue = [...edits];
    this.#options.changed();
  }

  /** Stop sending; what is under way is forgotten as unanswered, and kept. */
  pause(): void {
    this.#running = false;
    this.#round += 1;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Send again, the parcel that was under way under its old id. */
  resume(): void {
    this.pause();
    this.#running = true;
    this.#attempt = 0;
    this.#trouble = null;
    this.#options.changed();
    this.#send();
  }

  /** Send all that is here at once, without waiting between; resolves when all is answered, or never will be. */
  async finish(): Promise<void> {
    this.pause();
    const parcels = this.#parcel ? [this.#parcel] : [];
    while (this.#queue.length > 0) parcels.push(this.#pack());
    const sent = parcels.map(({ id, update, edits }) =>
      this.#options.send(id, update).then(() => this.#options.acknowledged(edits)),
    );
    await Promise.allSettled(sent);
  }

  #send(): void {
    if (!this.#running || this.#timer || this.#attempt > 0) return;
    if (!this.#parcel && this.#queue.length > 0) this.#parcel = this.#pack();
    if (!this.#parcel) return;
    const round = this.#round;
    this.#attempt = 1;
    this.#try(this.#parcel, round);
  }

  #try(parcel: Parcel, round: number): void {
    this.#options.send(parcel.id, parcel.update).then(
      () => round === this.#round && this.#acknowledged(parcel),
      (error: unknown) => round === this.#round && this.#failed(parcel, error),
    );
  }

  #acknowledged(parcel: Parcel): void {
    this.#parcel = null;
    this.#attempt = 0;
    this.#trouble = null;
    this.#most *= 2;
    this.#options.acknowledged(parcel.edits);
    this.#send();
    this.#options.changed();
  }

  #failed(parcel: Parcel, error: unknown): void {
    const known = error instanceof ProtocolError ? error : null;
    const passing = !known || known.unanswered || PASSING.has(known.code);
    if (!passing) {
      this.#refused(parcel, known.body);
      return;
    }
    this.#trouble = known && !known.unanswered ? known.message : null;
    const round = this.#round;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#attempt += 1;
        this.#try(parcel, round);
      },
      backoff(this.#attempt, RETRY),
    );
    this.#options.changed();
  }

  #refused(parcel: Parcel, error: ErrorBody): void {
    const [first] = parcel.edits;
    if (parcel.edits.length > 1 && !WHOLE.has(error.code)) {
      this.#most = Math.ceil(parcel.edits.length / 2);
      this.#queue = [...parcel.edits, ...this.#queue];
      this.#parcel = null;
      this.#attempt = 0;
      this.#send();
      return;
    }
    this.pause();
    if (first) this.#options.refused(error, first);
  }

  #pack(): Parcel {
    let bytes = 0;
    let count = 0;
    for (const { update } of this.#queue) {
      if (count > 0 && (count >= this.#most || bytes + update.byteLength > PARCEL_BYTES)) break;
      bytes += update.byteLength;
      count += 1;
    }
    const edits = this.#queue.splice(0, count);
    const updates = edits.map(({ update }) => update);
    const [only] = updates;
    return { id: newId(), update: count === 1 && only ? only : Y.mergeUpdates(updates), edits };
  }
}

/** Edits without a key come last: they are the newest. */
export function byKey(a: { key: number | null }, b: { key: number | null }): number {
  return (a.key ?? Number.MAX_SAFE_INTEGER) - (b.key ?? Number.MAX_SAFE_INTEGER);
}

/** This tab's edits on their way to the server: one request at a time, kept until acknowledged. */
import * as Y from "yjs";
import { ProtocolError } from "../api/errors";
import type { ErrorBody } from "../protocol";
import { backoff } from "../session/backoff";
import { newId } from "./ids";

/** How edits are sent and what becomes of them. */
export interface OutboxOptions {
  /** Resolves once the server has made the update durable; the same `id` may come again. */
  send(id: string, update: Uint8Array): Promise<void>;
  /** `pending` or `trouble` changed. */
  changed(): void;
  /** The server does not take these edits as they are. The outbox is paused then, and still has them. */
  refused(error: ErrorBody): void;
}

interface Parcel {
  readonly id: string;
  readonly update: Uint8Array;
  readonly edits: number;
}

/** Merged edits are cut into parcels of about this many bytes, under the server's limit for one update. */
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

/**
 * Sends the first edit at once and, while it is under way, joins the following into one. An update that was not
 * answered is sent again under the same id; the CRDT makes the second coming harmless.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #queue: Uint8Array[] = [];
  #parcel: Parcel | null = null;
  #running = false;
  #attempt = 0;
  #round = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #trouble: string | null = null;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Edits that are not durable yet. */
  get pending(): number {
    return this.#queue.length + (this.#parcel?.edits ?? 0);
  }

  /** Why the server does not take edits for now; null when it does. */
  get trouble(): string | null {
    return this.#trouble;
  }

  add(update: Uint8Array): void {
    this.#queue.push(update);
    this.#options.changed();
    queueMicrotask(() => this.#send());
  }

  /** Stop sending; what is under way is forgotten as unanswered, and kept. */
  pause(): void {
    this.#running = false;
    this.#round += 1;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /**
   * Send again: what was kept (under the same ids), or in its place one update that holds all that the server
   * lacks, or null when it lacks nothing.
   */
  resume(what: "kept" | Uint8Array | null): void {
    this.pause();
    if (what !== "kept") {
      const edits = Math.max(1, this.pending);
      this.#queue = [];
      this.#parcel = what && { id: newId(), update: what, edits };
    }
    this.#running = true;
    this.#attempt = 0;
    this.#trouble = null;
    this.#options.changed();
    this.#send();
  }

  /** Forget all edits. */
  clear(): void {
    this.pause();
    this.#queue = [];
    this.#parcel = null;
    this.#trouble = null;
    this.#options.changed();
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
      () => round === this.#round && this.#acknowledged(),
      (error: unknown) => round === this.#round && this.#failed(parcel, error),
    );
  }

  #acknowledged(): void {
    this.#parcel = null;
    this.#attempt = 0;
    this.#trouble = null;
    this.#send();
    this.#options.changed();
  }

  #failed(parcel: Parcel, error: unknown): void {
    const known = error instanceof ProtocolError ? error : null;
    const passing = !known || known.unanswered || PASSING.has(known.code);
    if (!passing) {
      this.pause();
      this.#options.refused(known.body);
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

  #pack(): Parcel {
    let bytes = 0;
    let edits = 0;
    for (const update of this.#queue) {
      if (edits > 0 && bytes + update.byteLength > PARCEL_BYTES) break;
      bytes += update.byteLength;
      edits += 1;
    }
    const taken = this.#queue.splice(0, edits);
    const [only] = taken;
    return { id: newId(), update: edits === 1 && only ? only : Y.mergeUpdates(taken), edits };
  }
}

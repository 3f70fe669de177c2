/** A past run, event by event: how it stood at any moment. Nothing is run again. */
import { isInside } from "../engine/inside_paths";
import { reduceEvents, unknownRun } from "../engine/reduce";
import type { RunState } from "../engine/types";
import type { RunEvent } from "../protocol";
import { Store } from "../store";

/** Events from one kept state to the next: stepping back reduces no more than these. */
export const STRIDE = 64;
/** Events of a run that are stepped through at most. */
const MOST = 100_000;
/** Milliseconds between two moments while it plays, and of a whole run at most. */
const TICK_MS = 120;
const PLAY_MS = 20_000;

/** Where a stepped run stands: after `index` events of `total`. */
export interface Moment {
  readonly run: string;
  readonly index: number;
  readonly total: number;
  /** The event that led here; null before the first. */
  readonly event: RunEvent | null;
  readonly state: RunState;
  /** Seconds since the run's first event. */
  readonly at: number;
  readonly playing: boolean;
}

/** A page of a run's events. */
export interface EventPage {
  readonly events: readonly RunEvent[];
  readonly seq: number;
  readonly more?: boolean;
}

/** States of a run by number of events, made of the nearest kept one before. */
export class Moments {
  readonly #events: readonly RunEvent[];
  readonly #kept: RunState[];

  constructor(start: RunState, events: readonly RunEvent[]) {
    this.#events = events;
    this.#kept = [start];
  }

  get total(): number {
    return this.#events.length;
  }

  event(index: number): RunEvent | null {
    return this.#events[index - 1] ?? null;
  }

  /** How the run stood after so many events. */
  at(index: number): RunState {
    const place = Math.floor(index / STRIDE);
    while (this.#kept.length <= place) {
      const from = (this.#kept.length - 1) * STRIDE;
      const last = this.#kept[this.#kept.length - 1] as RunState;
      this.#kept.push(reduceEvents(last, this.#events.slice(from, from + STRIDE)));
    }
    const near = this.#kept[place] as RunState;
    const rest = this.#events.slice(place * STRIDE, index);
    return rest.length === 0 ? near : reduceEvents(near, rest);
  }
}

/** The nodes that came to an end up to a moment, in the order in which they did. */
export function finishedUpTo(events: Iterable<RunEvent>): string[] {
  const found: string[] = [];
  for (const { kind, node } of events)
    if (node && (kind === "node.done" || kind === "node.failed" || kind === "node.skipped")) found.push(node);
  return found;
}

/**
 * Steps through one run at a time. `moment` is null while none is stepped through; `close` leaves, and so does
 * whatever else takes the run off the canvas.
 */
export class Stepper {
  readonly moment = new Store<Moment | null>(null);
  readonly loading = new Store<string | null>(null);
  #moments: Moments | null = null;
  #run = "";
  #began = 0;
  #timer: ReturnType<typeof setInterval> | null = null;
  #opening = 0;

  /** Read a run's events and stand before the first. Rejects where they are not kept any more. */
  async open(run: RunState, page: (after: number) => Promise<EventPage>): Promise<void> {
    const opening = ++this.#opening;
    this.pause();
    this.loading.set(run.id);
    try {
      const events: RunEvent[] = [];
      for (let after = 0, more = true; more && events.length < MOST; ) {
        const next = await page(after);
        if (opening !== this.#opening) return;
        events.push(...next.events.filter(({ node }) => !node || !isInside(node)));
        more = (next.more ?? false) && next.seq > after;
        after = next.seq;
      }
      if (events.length === 0) throw new Error("The events of this run are not kept any more.");
      const start = unknownRun(run.id, run.stream, run.createdAt);
      this.#moments = new Moments(
        { ...start, user: run.user, audience: run.audience, mode: run.mode },
        events,
      );
      this.#run = run.id;
      this.#began = events[0]?.at ?? run.createdAt;
      this.goTo(0);
    } finally {
      if (opening === this.#opening) this.loading.set(null);
    }
  }

  /** Stand after so many events. */
  goTo(index: number): void {
    const moments = this.#moments;
    if (!moments) return;
    const place = Math.min(Math.max(0, Math.round(index)), moments.total);
    const event = moments.event(place);
    this.moment.set({
      run: this.#run,
      index: place,
      total: moments.total,
      event,
      state: moments.at(place),
      at: event ? Math.max(0, event.at - this.#began) : 0,
      playing: this.#timer !== null,
    });
  }

  /** Go on by so many events, or back. */
  step(by: number): void {
    this.pause();
    this.goTo((this.moment.get()?.index ?? 0) + by);
  }

  /** Go to the next event of a kind that tells how a node ended, or to the one before. */
  stepNode(direction: 1 | -1): void {
    const moments = this.#moments;
    const from = this.moment.get()?.index ?? 0;
    if (!moments) return;
    this.pause();
    for (let index = from + direction; index > 0 && index <= moments.total; index += direction) {
      const event = moments.event(index);
      if (event && finishedUpTo([event]).length > 0) {
        this.goTo(index);
        return;
      }
    }
    this.goTo(direction === 1 ? moments.total : 0);
  }

  play(): void {
    const moments = this.#moments;
    if (!moments || this.#timer) return;
    const stride = Math.max(1, Math.ceil((moments.total * TICK_MS) / PLAY_MS));
    this.#timer = setInterval(() => {
      const next = (this.moment.get()?.index ?? 0) + stride;
      if (next >= moments.total) this.pause();
      this.goTo(next);
    }, TICK_MS);
    this.goTo(this.moment.get()?.index === moments.total ? 0 : (this.moment.get()?.index ?? 0));
  }

  pause(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    const moment = this.moment.get();
    if (moment?.playing) this.moment.set({ ...moment, playing: false });
  }

  close(): void {
    this.#opening += 1;
    this.pause();
    this.#moments = null;
    this.loading.set(null);
    this.moment.set(null);
  }
}

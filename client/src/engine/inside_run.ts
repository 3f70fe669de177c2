/** What one node ran inside itself in one run: fetched by the page, followed while it goes on. */
import type { RunEvent } from "../protocol";
import { Store } from "../store";
import { hasFrames, withFrame } from "./frame";
import { placeIn, roundsIn } from "./inside_paths";
import { idleNode, reduceNode } from "./reduce";
import type { Inside, InsideView, Iteration, NodeRun, Rounds } from "./types";

interface InsideSource {
  /** Events of the node and of its inside, after a number. */
  page(afterSeq: number): Promise<{ events: readonly RunEvent[]; seq: number; more?: boolean }>;
  /** All fresh events of the canvas; returns what ends it. */
  onEvents(listener: (events: readonly RunEvent[]) => void): () => void;
  /** Tells when the server can be asked again; returns what ends it. */
  onOpened(listener: () => void): () => void;
}

/** Pages that are read: the server tells no more of one run than this holds. */
const MOST_PAGES = 200;

/**
 * See `InsideView`. An event counts once, by its number. A node that is called again (live) begins anew.
 * Only iterations with fresh events are made anew, and what flows is shown by frames.
 */
export class InsideRun implements InsideView {
  readonly state = new Store<Inside>({ loading: true, iterations: [], rounds: null });
  readonly #run: string;
  readonly #node: string;
  readonly #source: InsideSource;
  readonly #nodes = new Map<number | null, Record<string, NodeRun>>();
  readonly #made = new Map<number | null, Iteration>();
  /** Fresh events that wait until what was before them is here. */
  #waiting: RunEvent[] | null = [];
  #asking = false;
  #rounds: Rounds | null = null;
  #seen = 0;
  readonly #ends: (() => void)[];
  #endFrame: (() => void) | null = null;
  #closed = false;

  constructor(run: string, node: string, source: InsideSource) {
    this.#run = run;
    this.#node = node;
    this.#source = source;
    this.#ends = [
      source.onEvents((events) => {
        const mine = events.filter((event) => event.run === run && this.#isMine(event));
        if (mine.length === 0) return;
        if (this.#waiting) this.#waiting.push(...mine);
        else this.#take(mine, false);
      }),
      source.onOpened(() => {
        if (this.#waiting && !this.#asking) void this.#load();
      }),
    ];
    void this.#load();
  }

  close(): void {
    this.#closed = true;
    for (const end of this.#ends) end();
    this.#endFrame?.();
  }

  async #load(): Promise<void> {
    this.#asking = true;
    try {
      for (let page = 0, more = true; more && page < MOST_PAGES && !this.#closed; page += 1) {
        const answer = await this.#source.page(this.#seen);
        this.#take(answer.events, true);
        this.#seen = Math.max(this.#seen, answer.seq);
        more = answer.more ?? false;
      }
    } catch {
      return; // Asked again with the next connection.
    } finally {
      this.#asking = false;
    }
    const later = this.#waiting ?? [];
    this.#waiting = null;
    this.#take(later, false);
  }

  #isMine({ node }: RunEvent): boolean {
    return node === this.#node || (!!node && placeIn(this.#node, node) !== null);
  }

  #take(events: readonly RunEvent[], loading: boolean): void {
    for (const event of events) {
      if (event.seq <= this.#seen || !event.node) continue;
      this.#seen = event.seq;
      const place = placeIn(this.#node, event.node);
      if (place) this.#reduce(place.index, place.rest, event);
      else this.#own(event);
    }
    if (loading || !hasFrames()) this.#publish();
    else this.#endFrame ??= withFrame(() => this.#publish());
  }

  #own(event: RunEvent): void {
    if (event.kind === "node.started") {
      this.#nodes.clear();
      this.#made.clear();
      this.#rounds = null;
    }
    if (event.kind === "node.progress") this.#rounds = roundsIn(event.message) ?? this.#rounds;
  }

  #reduce(index: number | null, rest: string, event: RunEvent): void {
    const before = this.#nodes.get(index) ?? {};
    // Shared with the iteration that was published: never changed in place.
    const nodes = this.#made.get(index)?.nodes === before ? { ...before } : before;
    nodes[rest] = reduceNode(nodes[rest] ?? idleNode(this.#run), event);
    this.#nodes.set(index, nodes);
  }

  #publish(): void {
    this.#endFrame = null;
    if (this.#closed) return;
    for (const [index, nodes] of this.#nodes) {
      if (this.#made.get(index)?.nodes !== nodes)
        this.#made.set(index, { index, state: iterationState(nodes), nodes });
    }
    const iterations = [...this.#made.values()].sort((a, b) => (a.index ?? -1) - (b.index ?? -1));
    this.state.set({ loading: this.#waiting !== null, iterations, rounds: this.#rounds });
  }
}

function iterationState(nodes: Readonly<Record<string, NodeRun>>): Iteration["state"] {
  const states = Object.values(nodes).map(({ state }) => state);
  if (states.includes("failed")) return "failed";
  return states.some((state) => state === "running" || state === "queued" || state === "waiting")
    ? "running"
    : "done";
}

/** What cheap nodes give for an input while it is typed, in live mode. */
import type { Json, Outputs } from "../protocol";
import type { Connection } from "../session";
import { type Readable, Store } from "../store";
import type { Drafts, NodeState, NodeStatus } from "./types";

/** Milliseconds between two drafts that are sent. */
export const DRAFT_INTERVAL = 80;
/** Milliseconds that the outputs of a committed draft stay, at most, until the run brings them. */
export const DRAFT_STAY = 3_000;
/** A longer draft (as JSON) is not tried: it is shown when it is run. */
const MOST_CHARACTERS = 20_000;

const NONE: Readonly<Record<string, Outputs>> = {};
const ENDED: ReadonlySet<NodeState> = new Set(["done", "cached", "failed", "skipped"]);

/** What a draft needs of the runs of its canvas. */
export interface DraftRuns {
  readonly live: Readable<boolean>;
  readonly board: Readable<Readonly<Record<string, NodeStatus>>>;
}

interface Draft {
  readonly key: string;
  readonly value: Json;
}

/**
 * See `Drafts`.
 *
 * One draft is on its way at a time, and the newest goes next: however fast somebody types, the server is asked at
 * most every `DRAFT_INTERVAL`. What comes for a draft that is over is dropped.
 */
export class DraftStore implements Drafts {
  readonly outputs = new Store(NONE);
  readonly #session: Pick<Connection, "request">;
  readonly #canvas: string;
  readonly #runs: DraftRuns;
  readonly #end: (() => void)[];
  #next: Draft | null = null;
  #busy = false;
  /** Counts drafts that were dropped or settled: an answer to one of them is late. */
  #turn = 0;
  #pace: ReturnType<typeof setTimeout> | null = null;
  #stay: ReturnType<typeof setTimeout> | null = null;
  /** What the board said when the draft was settled; null while it is typed. */
  #settledOn: Readonly<Record<string, NodeStatus>> | null = null;

  constructor(session: Pick<Connection, "request">, canvas: string, runs: DraftRuns) {
    this.#session = session;
    this.#canvas = canvas;
    this.#runs = runs;
    this.#end = [
      runs.live.subscribe(() => !runs.live.get() && this.drop()),
      runs.board.subscribe(() => this.#makeWay()),
    ];
  }

  type(node: string, port: string, value: Json | undefined): void {
    if (!this.#runs.live.get()) return;
    if (this.#settledOn) this.drop();
    if (value === undefined || JSON.stringify(value).length > MOST_CHARACTERS) {
      this.drop();
      return;
    }
    this.#next = { key: `${node}.${port}`, value };
    this.#send();
  }

  drop(): void {
    this.#over();
    this.outputs.set(NONE);
  }

  settle(): void {
    this.#over();
    if (this.outputs.get() === NONE) return;
    this.#settledOn = this.#runs.board.get();
    this.#stay = setTimeout(() => this.drop(), DRAFT_STAY);
  }

  close(): void {
    this.drop();
    if (this.#pace) clearTimeout(this.#pace);
    for (const end of this.#end) end();
  }

  #over(): void {
    this.#turn += 1;
    this.#next = null;
    this.#settledOn = null;
    if (this.#stay) clearTimeout(this.#stay);
    this.#stay = null;
  }

  #send(): void {
    if (this.#busy || this.#pace || !this.#next) return;
    const { key, value } = this.#next;
    this.#next = null;
    this.#busy = true;
    this.#pace = setTimeout(() => {
      this.#pace = null;
      this.#send();
    }, DRAFT_INTERVAL);
    void this.#ask(key, value, this.#turn);
  }

  async #ask(key: string, value: Json, turn: number): Promise<void> {
    let outputs = NONE;
    try {
      const answer = await this.#session.request("runs.preview", {
        canvas: this.#canvas,
        inputs: { [key]: value },
      });
      outputs = answer.outputs as Readonly<Record<string, Outputs>>;
    } catch {
      // A draft is often wrong; what is committed in the end says why.
    }
    this.#busy = false;
    if (turn === this.#turn) this.outputs.set(Object.keys(outputs).length > 0 ? outputs : NONE);
    this.#send();
  }

  /** What a run has brought since the draft was settled takes the draft's place. */
  #makeWay(): void {
    const before = this.#settledOn;
    if (!before) return;
    const board = this.#runs.board.get();
    const shown = Object.entries(this.outputs.get());
    const left = shown.filter(([node]) => {
      const status = board[node];
      return !status || !ENDED.has(status.state) || status.last === before[node]?.last;
    });
    if (left.length === shown.length) return;
    if (left.length === 0) this.drop();
    else this.outputs.set(Object.fromEntries(left));
  }
}

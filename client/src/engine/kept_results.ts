/** What the browser keeps of runs: the position in each stream, and what the runs had come to there. */
import { inTime } from "../offline";
import type { Recipes } from "./stale";
import type { RunState } from "./types";

/** Where results are kept; see `CanvasStore`. Both reject when the browser does not keep. */
export interface ResultsStore {
  loadResults(): Promise<unknown>;
  saveResults(results: unknown): Promise<void>;
}

/** One picture: the runs are as the events up to `streams` made them, so that every later event is due once. */
export interface KeptResults {
  /** Another one than this page's is not read. */
  readonly version: 2;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly streams: readonly (readonly [stream: string, seq: number])[];
  readonly runs: readonly RunState[];
  readonly madeFrom: readonly (readonly [run: string, recipes: Recipes])[];
}

/** Runs that are kept at most, the newest first. */
const KEPT_RUNS = 5;
const LAZY_MS = 500;

/** Reads results once, and writes them a moment after they changed. */
export class ResultsKeeper {
  readonly #store: Promise<ResultsStore>;
  readonly #picture: () => KeptResults;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `picture` tells what is to be written now. */
  constructor(store: Promise<ResultsStore>, picture: () => KeptResults) {
    this.#store = store;
    this.#picture = picture;
  }

  /** What was kept; null when there is nothing, or the browser does not say. */
  async load(): Promise<KeptResults | null> {
    try {
      const kept = (await inTime(this.#store.then((store) => store.loadResults()))) as KeptResults | null;
      return kept?.version === 2 ? kept : null;
    } catch {
      return null;
    }
  }

  changed(): void {
    this.#timer ??= setTimeout(() => this.flush(), LAZY_MS);
  }

  /** Write now what changed; the page may be about to end. */
  flush(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    const picture = this.#picture();
    // Kept for speed and for reading offline: the server has all of it.
    this.#store.then((store) => store.saveResults(picture)).catch(() => {});
  }
}

/** The runs to keep of all that are known, the newest first. */
export function runsToKeep(runs: readonly RunState[]): readonly RunState[] {
  return runs.slice(0, KEPT_RUNS);
}

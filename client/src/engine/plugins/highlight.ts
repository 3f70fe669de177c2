/** Shows on the canvas which node a replay is at, as a plugin. */
import { Store } from "../../store";
import type { Highlight, Plugin, ReplayRun, ReplayStep } from "../types";

/** Milliseconds on one node at most, and on a whole replay. */
const STEP_MS = 250;
const WALK_MS = 4_000;

/** Waits some milliseconds, or until the signal is aborted. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

/**
 * Walks through a past run at a pace that the eye can follow. A run that has just completed was watched as it
 * went, so its replay does not linger; nor does any where less motion is preferred.
 */
export class HighlightPlugin implements Plugin {
  readonly name = "highlight";
  readonly now = new Store<Highlight | null>(null);
  readonly #wait: Wait;

  constructor(wait: Wait = waitFor) {
    this.#wait = wait;
  }

  onRunStart(): void {
    this.now.set(null);
  }

  onNode(step: ReplayStep): void | Promise<void> {
    if (step.run.live || prefersLessMotion()) return;
    this.now.set({ run: step.run.id, node: step.node, index: step.index, total: step.total });
    if (step.run.stepping) return; // Whoever steps sets the pace.
    return this.#wait(Math.min(STEP_MS, WALK_MS / step.total), step.signal);
  }

  onRunEnd(run: ReplayRun): void {
    if (!run.stepping) this.now.set(null);
  }

  dispose(): void {
    this.now.set(null);
  }
}

function prefersLessMotion(): boolean {
  return globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
}

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

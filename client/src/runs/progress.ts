/** How far a run is: counted from what this tab saw, else as the server told it. */
import { ended } from "../engine/reduce";
import type { NodeRun, RunState } from "../engine/types";
import type { RunProgress } from "../protocol";
import type { RunRow } from "./run_list";

const UNDER_WAY: ReadonlySet<NodeRun["state"]> = new Set(["queued", "waiting", "running"]);

/** Null for a run that has ended, or has not begun. */
export function progressOf({ state, view, status }: Pick<RunRow, "state" | "view" | "status">) {
  if (ended(status)) return null;
  const seen = state && state.order.length > 0 ? counted(state) : null;
  const told = view?.progress ?? null;
  // What this tab saw may lack the beginning of a run, what was listed is of a moment ago.
  return seen && (!told || seen.ended >= told.ended) ? seen : told;
}

function counted({ order, nodes }: RunState): RunProgress {
  let over = 0;
  let said: RunProgress | null = null;
  for (const node of order) {
    const run = nodes[node];
    if (!run) continue;
    if (!UNDER_WAY.has(run.state)) over += 1;
    else if (run.progress !== null)
      said = { ended: 0, total: 0, node, value: run.progress, message: run.message };
  }
  return { ...said, ended: over, total: order.length };
}

/** The share that is done, 0 to 1: what a node under way said of itself counts as its part of one node. */
export function shareOf({ ended: over, total, value }: RunProgress): number {
  return total === 0 ? 0 : Math.min(1, (over + (value ?? 0)) / total);
}

/** In words: how many nodes, and how far the one is that said so, by the name that `nameOf` gives it. */
export function progressWords(progress: RunProgress, nameOf: (node: string) => string): string {
  const { ended: over, total, node, value, message } = progress;
  const nodes = `${over.toLocaleString()} of ${total.toLocaleString()} ${total === 1 ? "node" : "nodes"}`;
  if (!node) return nodes;
  const far = typeof value === "number" ? ` ${Math.round(value * 100)} %` : "";
  const said = message ? ` ${message}` : "";
  return far || said ? `${nodes}, ${nameOf(node)}:${far}${far && said ? "," : ""}${said}` : nodes;
}

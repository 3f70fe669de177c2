/** Which iteration is looked at of each node that runs something inside itself. */

import { iterationOf } from "../../engine/inside_paths";
import type { Inside, InsideView, Iteration, NodeRun, Runs } from "../../engine/types";
import { type Readable, Store } from "../../store";

/** One owner of a body in one run. */
export interface Looked {
  readonly run: string;
  readonly inside: Readable<Inside>;
  /** The iteration that was chosen by hand; undefined: the one that is worth a look. */
  readonly chosen: Store<number | undefined>;
}

interface Open extends Looked {
  readonly view: InsideView;
  users: number;
}

/** What is open is shared by all that show it: the inspector, and the frame around the body. */
export class Insides {
  readonly #runs: Runs;
  readonly #open = new Map<string, Open>();

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  /** Look into a node in a run; `leave` it once. */
  look(node: string, run: string): Looked {
    const key = `${run} ${node}`;
    const open = this.#open.get(key) ?? this.#make(run, node);
    this.#open.set(key, open);
    open.users += 1;
    return open;
  }

  leave(node: string, run: string): void {
    const key = `${run} ${node}`;
    const open = this.#open.get(key);
    if (!open) return;
    open.users -= 1;
    if (open.users > 0) return;
    open.view.close();
    this.#open.delete(key);
  }

  #make(run: string, node: string): Open {
    const view = this.#runs.inside(run, node);
    return { run, view, inside: view.state, chosen: new Store<number | undefined>(undefined), users: 0 };
  }
}

/** The iteration to show: that which was chosen, else the first failed one, else the one under way, else the last. */
export function shownIteration(
  owner: string,
  { iterations }: Inside,
  chosen: number | undefined,
  last: NodeRun | undefined,
): Iteration | undefined {
  const at = (index: number | null | undefined) => iterations.find((each) => each.index === index);
  if (chosen !== undefined) return at(chosen) ?? { index: chosen, state: "done", nodes: {} };
  const blamed = blamedIteration(owner, last) ?? toldFailures(last)[0]?.index;
  const failed = blamed === undefined ? undefined : at(blamed);
  if (failed) return failed;
  return (
    iterations.find(({ state }) => state === "failed") ??
    // Of one that has no nodes, as in a map by code, it is still told that it failed.
    (blamed === undefined ? undefined : { index: blamed, state: "failed" as const, nodes: {} }) ??
    iterations.findLast(({ state }) => state === "running") ??
    iterations.at(-1)
  );
}

/** The iteration by which the node failed. */
function blamedIteration(owner: string, last: NodeRun | undefined): number | undefined {
  const details = last?.error?.details;
  const index = iterationOf(owner, details?.path) ?? details?.index;
  return typeof index === "number" ? index : undefined;
}

/** A failure that the node told in its output `errors`. */
export interface ToldFailure {
  readonly index: number;
  readonly message: string;
}

/** Failures of iterations that a node told, or that failed it, also those whose nodes nobody was told of. */
export function toldFailures(last: NodeRun | undefined): readonly ToldFailure[] {
  const { error } = last ?? {};
  if (error) {
    const index = error.details?.index;
    return typeof index === "number" ? [{ index, message: error.message }] : [];
  }
  const given = last?.outputs?.errors as { preview?: unknown } | undefined;
  const errors = Array.isArray(given) ? given : given?.preview;
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((each) => {
    const { index, message } = (
      typeof each === "object" && each !== null ? each : {}
    ) as Partial<ToldFailure>;
    return typeof index === "number" ? [{ index, message: String(message ?? "") }] : [];
  });
}

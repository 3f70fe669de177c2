/** What is wrong with code, where it stands: problems of the spell, and where the last run failed. */
import type { Diagnostic } from "@codemirror/lint";
import type { EditorState } from "@codemirror/state";
import type { Problem } from "../../protocol";
import { shortMessage } from "../store/graph";
import { type CodePlace, placeIn, rangeOf } from "./places";

/** Where the last run of a node failed in its code. */
export interface FailedAt {
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Return what is to be marked in the code of `node`. */
export function diagnosticsOf(
  state: EditorState,
  node: string,
  problems: readonly Problem[],
  failure: FailedAt | null,
): Diagnostic[] {
  const found: Diagnostic[] = [];
  const add = (
    place: CodePlace | null,
    severity: Diagnostic["severity"],
    message: string,
    source?: string,
  ) => {
    const range = place && rangeOf(state.doc, place);
    if (range) found.push({ ...range, severity, message, ...(source ? { source } : {}) });
  };
  for (const problem of problems) {
    const message = shortMessage(problem.message);
    for (const place of placesOf(problem, node)) add(place, toneOf(problem), message, problem.code);
  }
  if (failure) add(placeIn(failure.details), "error", failure.message, "last run");
  return found.sort((a, b) => a.from - b.from);
}

/** A circle is told once, and stands at every name that closes it. */
function placesOf(problem: Problem, node: string): (CodePlace | null)[] {
  const names = problem.details?.names;
  if (!Array.isArray(names)) return problem.node === node ? [placeIn(problem.details)] : [];
  const told = names as Readonly<Record<string, unknown>>[];
  return told.filter((name) => name?.node === node).map(placeIn);
}

function toneOf(problem: Problem): Diagnostic["severity"] {
  return problem.code === "missing_input" ? "warning" : problem.severity;
}

/** What is wrong with the packages of a canvas, by package, from all who say something of it. */
import type { Problem } from "../protocol";
import { canonicalName, type Requirements } from "./requirements";
import type { Worker } from "./types";

/**
 * By the name that the canvas has for the package; "" is about all together.
 *
 * What the server read in the list comes before what the resolver said, and neither is kept for a package that has
 * left the list, or whose worker has found its packages since.
 */
export function faultsOf(
  requirements: Requirements,
  problems: readonly Problem[],
  worker: Pick<Worker, "faults"> | null,
): Readonly<Record<string, string>> {
  const names = new Map(Object.keys(requirements).map((name) => [canonicalName(name), name]));
  const faults: Record<string, string> = {};
  for (const [name, why] of Object.entries(worker?.faults ?? {})) {
    const known = names.get(canonicalName(name));
    faults[known ?? ""] = why;
  }
  for (const { code, message, details } of problems) {
    const name = details?.requirement;
    if (code === "invalid_requirement" && typeof name === "string" && name in requirements)
      faults[name] = plainly(message);
  }
  return faults;
}

/** `the requirement 'x' is wrong: it is ...` -> `It is ...`: the row already has the name. */
function plainly(message: string): string {
  const why = /^the requirement '[^']*' is wrong: (.+)$/s.exec(message)?.[1] ?? message;
  return why.charAt(0).toUpperCase() + why.slice(1);
}

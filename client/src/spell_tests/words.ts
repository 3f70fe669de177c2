/** Tests in words that people say. */
import type { Assertion } from "../protocol";
import type { Claim } from "./claims";
import type { Standing } from "./standing";

export const OPERATORS: Readonly<Record<Assertion["op"], string>> = {
  equals: "equals",
  matches: "matches the schema",
  contains: "contains",
  type: "is of type",
  length: "has the length",
};

export const standingWords: Readonly<Record<Standing, string>> = {
  never: "Never run",
  running: "Running",
  passed: "Passed",
  failed: "Failed",
  error: "Cannot run",
};

/** Why something of a run is not in the test that was made of it. */
const GAPS: Readonly<Record<string, string>> = {
  too_large: "its value is too large",
  too_large_altogether: "the values are too large together",
  too_deep: "its value is nested too deeply",
  not_exact: "JSON does not give its value back exactly",
  no_value: "its value is not there to be taken",
};

export function gapWords(code: string): string {
  return GAPS[code] ?? code;
}

/** How a node is expected to end. */
export function statusWords({ status, code }: Pick<Claim, "status" | "code">): string {
  if (status === "failed") return code === null ? "fails" : `fails with ${code}`;
  return status === "skipped" ? "is skipped" : "succeeds";
}

/** A value as a person reads it; `cut` values are text already. */
export function shownValue(value: unknown, cut: boolean): string {
  if (cut) return `${String(value)}…`;
  const short = JSON.stringify(value) ?? "nothing";
  return short.length <= 48 ? short : JSON.stringify(value, null, 2);
}

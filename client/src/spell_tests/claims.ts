/** What a test claims of nodes and their outputs, one by one, and how each is edited. */
import type { Assertion, Expectation, Json, SpellTest } from "../protocol";
import type { TestResult } from "../protocol/generated";

type Result = TestResult["assertions"][number];

/** One line of a test: an assertion on an output, or, without a port, how the node ends. */
export interface Claim {
  readonly node: string;
  readonly port: string | null;
  readonly status: NonNullable<Expectation["status"]>;
  readonly code: string | null;
  readonly assertion: Assertion | null;
  /** How it came out, where it did. */
  readonly result: Result | null;
}

/**
 * The lines of a test in the order of nodes and ports, with what came out of them. That a node ends as done is a
 * line only where nothing is asserted of its outputs, or where that is what failed.
 */
export function claimsOf(test: SpellTest, result: TestResult | null): readonly Claim[] {
  const find = (node: string, port: string | null) =>
    result?.assertions.find((each) => each.node === node && each.port === port) ?? null;
  return Object.entries(test.expect).flatMap(([node, expected]) => {
    const { status = "done", code = null, outputs = {} } = expected;
    const ports = Object.entries(outputs).map(([port, assertion]): Claim => {
      return { node, port, status, code, assertion, result: find(node, port) };
    });
    const ended = find(node, null);
    const alone = ports.length === 0 || ended?.passed === false;
    return alone ? [{ node, port: null, status, code, assertion: null, result: ended }, ...ports] : ports;
  });
}

/** What is expected of the node with another value at a port; null where there is no such assertion. */
export function withValue(test: SpellTest, { node, port }: Claim, value: Json): Expectation | null {
  const expected = test.expect[node];
  const assertion = port === null ? undefined : expected?.outputs?.[port];
  if (!expected || !assertion || port === null) return null;
  return { ...expected, outputs: { ...expected.outputs, [port]: { ...assertion, value } as Assertion } };
}

/**
 * What is expected of the node without the line; null: nothing. With its last output gone, the node is still expected
 * to end as it was.
 */
export function withoutClaim(test: SpellTest, { node, port }: Claim): Expectation | null {
  const expected = test.expect[node];
  if (!expected || port === null) return null;
  const { [port]: _, ...outputs } = expected.outputs ?? {};
  return { ...expected, outputs };
}

const TYPES: readonly string[] = ["string", "number", "integer", "boolean", "array", "object", "null"];

/** Read a typed value as what an assertion takes, or say why it is none. */
export function readExpected(op: Assertion["op"], text: string): { value: Json } | { why: string } {
  if (text.trim() === "") return { why: "A value is needed" };
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    if (op === "type" && TYPES.includes(text.trim())) return { value: text.trim() };
    return { why: error instanceof Error ? error.message.replace(/^JSON\.parse: /, "") : "This is not JSON" };
  }
  if (op === "length" && !(Number.isSafeInteger(value) && (value as number) >= 0))
    return { why: "A whole number is needed, 0 or more" };
  if (op === "matches" && (typeof value !== "object" || value === null || Array.isArray(value)))
    return { why: "A JSON Schema is needed: { … }" };
  if (op === "type" && !TYPES.includes(value as string)) return { why: `One of ${TYPES.join(", ")}` };
  return { value };
}

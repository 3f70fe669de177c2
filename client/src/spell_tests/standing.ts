/** How a test stands, and whether that still holds. */
import type { Spell, SpellNode } from "../protocol";
import type { TestResult } from "../protocol/generated";

/** `error`: it could not be run, or did not end in its time. */
export type Standing = "never" | "running" | "passed" | "failed" | "error";

/** How a test came out, and of which spell. */
export interface Tested {
  readonly result: TestResult;
  readonly spell: Spell;
}

/** Whether the test, or what it runs, was edited since; where nodes stand and what they are called is no matter. */
export function isOutdated({ result, spell: then }: Tested, now: Spell): boolean {
  if (then === now) return false;
  const [before, after] = [then.tests[result.test], now.tests[result.test]];
  if (before !== after && tested(before) !== tested(after)) return true;
  if (then.edges !== now.edges && JSON.stringify(then.edges) !== JSON.stringify(now.edges)) return true;
  return then.nodes !== now.nodes && !sameNodes(then.nodes, now.nodes);
}

function tested(test: Spell["tests"][string] | undefined): string {
  return JSON.stringify({ ...test, name: "" });
}

function sameNodes(then: Spell["nodes"], now: Spell["nodes"]): boolean {
  const ids = Object.keys(now);
  return (
    ids.length === Object.keys(then).length &&
    ids.every((id) => then[id] === now[id] || recipe(then[id]) === recipe(now[id]))
  );
}

function recipe(node: SpellNode | undefined): string {
  return JSON.stringify([node?.type, node?.version, node?.inputs, node?.code, node?.settings]);
}

/** The words for how a node stands, and the thing that made it so. */
import { expect, test } from "vitest";
import { idleNode } from "../../engine/reduce";
import { withChunk } from "../../engine/streamed";
import type { NodeRun, NodeState } from "../../engine/types";
import type { NodeSettings, Spell } from "../../protocol";
import { countdown, isPinned, type ShownState, shortWhy, shownState, whyOf, withTitles } from "./why";

const node = { type: "t", inputs: {}, settings: {}, position: [0, 0] as const };
/** load -> clean -> draw */
const spell: Spell = {
  schema: 1,
  name: "s",
  nodes: { load: node, clean: node, draw: node },
  edges: {
    w1: { source: "load", output: "rows", target: "clean", input: "table" },
    w2: { source: "clean", output: "rows", target: "draw", input: "data" },
  },
  groups: {},
  notes: {},
  requirements: {},
  tests: {},
};

function last(fields: Partial<NodeRun> = {}): NodeRun {
  return { ...idleNode("r"), startedAt: 1, ...fields };
}

function why(
  id: string,
  state: ShownState,
  run: Partial<NodeRun> = {},
  states: Record<string, NodeState> = {},
) {
  const statuses = Object.fromEntries(Object.entries(states).map(([node, state]) => [node, { state }]));
  return whyOf(id, state, last(run), { spell, statuses, title: (node) => node.toUpperCase() });
}

test.each<[string, ShownState, Partial<NodeRun>, string | null, RegExp]>([
  ["new", "done", { why: "new" }, "first time", /nothing was kept/],
  ["cached", "cached", { why: "cached" }, "nothing changed", /Nothing had changed/],
  ["code", "done", { why: "code changed" }, "code changed", /its own code/],
  [
    "packages",
    "done",
    { why: "packages changed" },
    "packages changed",
    /the packages that its code runs with/,
  ],
  ["unknown words of a later server", "done", { why: "moon phase" }, "moon phase", /because: moon phase/],
  ["an output by hand", "pinned", { why: "pinned" }, null, /pinned to a value/],
  ["muted", "muted", {}, null, /nothing leaves it/],
  ["stopped before its turn", "cancelled", { startedAt: null }, null, /before its turn/],
])("%s", (_name, state, run, short, full) => {
  expect(why("clean", state, run)).toMatchObject({ short, full: expect.stringMatching(full), cause: null });
});

test("an input that changed leads to its wire, or to its row where it has none", () => {
  expect(why("clean", "done", { why: "input changed (table)" })).toEqual({
    short: "“table” changed",
    full: "It ran because its input “table” had changed.",
    cause: { kind: "wire", id: "w1", node: "clean", port: "table" },
  });
  expect(why("clean", "done", { why: "triggered (go)" })).toMatchObject({
    short: "triggered by “go”",
    cause: { kind: "port", node: "clean", port: "go" },
  });
});

test("a skipped node leads to what failed, over all that was skipped between", () => {
  const states = { load: "failed", clean: "skipped" } as const;
  expect(why("draw", "skipped", { message: "'clean' was skipped" }, states)).toMatchObject({
    short: "'clean' was skipped",
    cause: { kind: "node", id: "load" },
  });
  const said = { message: "'load' gave nothing on 'rows'" };
  expect(why("clean", "skipped", said, { load: "done" })).toMatchObject({
    cause: { kind: "wire", id: "w1", port: "table" },
  });
});

test("a stale node leads to the first that was changed", () => {
  const states = { load: "done", clean: "stale", draw: "stale" } as const;
  expect(why("draw", "stale", {}, states)).toMatchObject({
    full: expect.stringContaining("“CLEAN”"),
    cause: { kind: "node", id: "clean" },
  });
  expect(why("clean", "stale", {}, states)).toMatchObject({
    cause: null,
    full: /changed since its last run/,
  });
});

test.each<[string, string, RegExp]>([
  ["limit", "held back by a limit", /held back by a limit/],
  ["stream", "waits for a slow reader", /caught up/],
  ["debounce", "until changes pause", /no change has come/],
  ["wait", "waits", /waits for what it was told/],
])("a node that waits for %s says so", (kind, short, full) => {
  const run = { waiting: { for: kind, until: null }, message: "half a second each" };
  expect(why("load", "waiting", run)).toMatchObject({ short, full: expect.stringMatching(full) });
  expect(why("load", "waiting", run).full).toContain("Half a second each.");
});

test("a slow reader is named", () => {
  const run = { waiting: { for: "stream", until: null } };
  expect(why("load", "streaming", run).cause).toEqual({ kind: "node", id: "clean" });
});

test("what a node's settings say is so at once, but not over a run that is under way", () => {
  const shown = (state: NodeState | undefined, settings: NodeSettings, wired: string[] = []) =>
    shownState(state && { state, last: last({ state: "done" }) }, settings, wired);
  expect(shown(undefined, { mode: "mute" })).toBe("muted");
  expect(shown("failed", { mode: "bypass" })).toBe("bypassed");
  expect(shown("stale", { pins: { out: 1 } })).toBe("pinned");
  expect(shown("running", { pins: { out: 1 } })).toBe("running");
  expect(shown("done", { mode: "mute", pins: { out: 1 } })).toBe("muted");
  expect(shown("done", { pins: { out: 1 } }, ["out", "other"])).toBe("done");
  const streamed = { out: withChunk(undefined, "a", 1, 0) };
  expect(shownState({ state: "running", last: last({ streamed }) }, {}, [])).toBe("streaming");
});

test("a node is pinned when hands gave all that others take from it", () => {
  expect(isPinned({ pins: { a: 1 } }, ["a", "error"])).toBe(true);
  expect(isPinned({ pins: { a: 1 } }, ["a", "all"])).toBe(false);
  expect(isPinned({ pins: {} }, [])).toBe(false);
  expect(isPinned({}, [])).toBe(false);
});

test("a face has few words: none where the state says all", () => {
  for (const state of ["queued", "stale", "failed", "pinned", "muted"] as const)
    expect(shortWhy(state, last({ why: "new" }))).toBeNull();
});

test.each([
  [0, null],
  [0.4, "1 s"],
  [59, "59 s"],
  [61, "1 min 1 s"],
  [7_260, "2 h 1 min"],
])("%d seconds are left: %s", (left, words) => {
  expect(countdown(1_000 + left, 1_000)).toBe(words);
});

test("nodes are spoken of by their titles, and ports by their names", () => {
  const said = "'load' gave nothing on 'load', 'clean' was skipped, 'gone' failed";
  expect(withTitles(said, { spell, title: (id) => id.toUpperCase() })).toBe(
    "“LOAD” gave nothing on 'load', “CLEAN” was skipped, 'gone' failed",
  );
});

/** The built-in plugins say what happened, and cost nothing where nobody looks. */
import { expect, test, vi } from "vitest";
import { EMPTY_SPELL } from "../../document";
import { settle } from "../../testing/fake_server";
import { idleNode } from "../reduce";
import { withChunk } from "../streamed";
import type { NodeRun, ReplayRun, ReplayStep } from "../types";
import { ConsolePlugin } from "./console";
import { HighlightPlugin } from "./highlight";
import { kindOf, PreviewPlugin } from "./preview";

function run(live: boolean): ReplayRun {
  const { signal } = new AbortController();
  return {
    id: "r",
    status: "completed",
    failed: [],
    live,
    order: ["a"],
    startedAt: 1,
    endedAt: 2,
    spell: EMPTY_SPELL,
    signal,
  };
}

function step(fields: Partial<ReplayStep> = {}, live = false): ReplayStep {
  const of = run(live);
  return {
    run: of,
    node: "a",
    type: "t",
    name: null,
    inputs: {},
    outputs: { text: "hello", n: [1, 2, 3, 4] },
    state: "done",
    error: null,
    why: "new",
    duration: 0.0123,
    index: 0,
    total: 1,
    signal: of.signal,
    load: async () => null,
    ...fields,
  };
}

function node(fields: Partial<NodeRun>): Record<string, { state: "done"; last: NodeRun }> {
  return { a: { state: "done", last: { ...idleNode("r1"), ...fields } } };
}

test("the console tells logs, failures, steps and plugin errors, in order", async () => {
  const lines = new ConsolePlugin();
  lines.writeEvents([
    { seq: 1, run: "r", kind: "node.log", at: 1, node: "a", level: "warning", message: "careful" },
    { seq: 2, run: "r", kind: "node.progress", at: 1, node: "a", value: 1 },
    { seq: 3, run: "r", kind: "node.failed", at: 2, node: "a", error: { code: "boom", message: "No" } },
  ]);
  lines.onRunStart(run(true));
  lines.onRunStart({ ...run(true), failed: ["a", "b"] });
  lines.onNode(step({}, true));
  lines.onNode(step({ state: "failed", error: { code: "boom", message: "No" } }, true));
  lines.writeError({ plugin: "p", phase: "onNode", run: "r", node: "a", error: new Error("oops") });
  await settle();
  expect(lines.entries.get().map(({ level, source, text }) => [level, source, text])).toEqual([
    ["warning", "log", "careful"],
    ["error", "run", "No"],
    ["info", "replay", "Run completed."],
    ["warning", "replay", "Run ended, failed nodes: 2."],
    ["info", "replay", 'done in 12 ms: text = "hello", n = list of 4'],
    ["error", "plugin", "Plugin p failed in onNode: oops"],
  ]);
  const { clear } = lines;
  clear();
  expect(lines.entries.get()).toEqual([]);
});

test("the highlight walks past runs at a pace, and not runs that were watched", async () => {
  const waits: number[] = [];
  const highlight = new HighlightPlugin(async (ms) => void waits.push(ms));
  await highlight.onNode(step({}, true));
  expect(highlight.now.get()).toBeNull();
  await highlight.onNode(step({ index: 3, total: 1_000 }));
  expect(highlight.now.get()).toEqual({ run: "r", node: "a", index: 3, total: 1_000 });
  expect(waits).toEqual([4]);
  highlight.onRunEnd(run(false));
  expect(highlight.now.get()).toBeNull();
});

test("previews are made only for who asks, and once for the same outputs", () => {
  const previews = new PreviewPlugin();
  const read = vi.fn(() => "hello");
  const outputs = Object.defineProperty({}, "text", { enumerable: true, get: read }) as Record<
    string,
    string
  >;
  previews.setBoard(node({ outputs }), {});
  expect(read).not.toHaveBeenCalled();
  const watched = previews.watch("a");
  expect(watched.get()).toMatchObject([{ port: "text", kind: "text", value: "hello", partial: false }]);
  expect(watched.get()).toBe(watched.get());
  expect(read).toHaveBeenCalledOnce();
});

test("only the node that changed is told, and a new run shows nothing until it has something", () => {
  const previews = new PreviewPlugin();
  const [a, b] = [vi.fn(), vi.fn()];
  previews.watch("a").subscribe(a);
  const end = previews.watch("b").subscribe(b);
  const first = node({ outputs: { text: "old" } });
  previews.setBoard(first, {});
  const queued = node({ run: "r2", outputs: null });
  previews.setBoard(queued, first);
  expect(previews.watch("a").get()).toMatchObject([{ value: "old" }]);
  previews.setBoard(node({ run: "r2", streamed: { text: withChunk(undefined, "ne", 1, 0) } }), queued);
  expect(previews.watch("a").get()).toMatchObject([{ value: "ne", run: "r2" }]);
  expect(a).toHaveBeenCalledTimes(2);
  expect(b).not.toHaveBeenCalled();
  end();
});

test("what is worth looking at comes first, and large values say that they are partial", () => {
  const previews = new PreviewPlugin();
  previews.onNode(step({ outputs: { n: 1, table: { $ref: "h", size: 99_999, preview: [{ a: 1 }] } } }));
  expect(previews.watch("a").get()).toMatchObject([
    { port: "table", kind: "table", partial: true, size: 99_999 },
    { port: "n", kind: "json", partial: false },
  ]);
});

test.each([
  [null, "nothing"],
  ["hi", "text"],
  ["data:image/png;base64,AA", "image"],
  [[{ a: 1 }], "table"],
  [[], "json"],
  [[1, 2], "json"],
  [{ a: 1 }, "json"],
  [{ $schema: "https://vega.github.io/schema/vega-lite/v6.json" }, "plot"],
])("%j is shown as %s", (value, kind) => {
  expect(kindOf(value as never)).toBe(kind);
});

test("the console says how large a value is, of which only the head is here", async () => {
  const lines = new ConsolePlugin();
  lines.onNode(step({ outputs: { rows: { $ref: "h", size: 883_200, preview: [1, 2, 3, 4] } } }));
  await settle();
  expect(lines.entries.get()[0]?.text).toContain("rows = list of 884 kB");
});

/** A run is what its events say, and nodes without an event stay the same objects. */
import { expect, test } from "vitest";
import type { RunEvent, RunView } from "../protocol";
import { reduceEvents, unknownRun, withView } from "./reduce";

let seq = 0;
function event(kind: RunEvent["kind"], fields: Partial<RunEvent> = {}): RunEvent {
  seq += 1;
  return { seq, run: "r", kind, at: 100 + seq, ...fields };
}

const queued = unknownRun("r", "canvas:c", 100);

test.each<[string, RunEvent[], object]>([
  ["queued", [event("node.queued")], { state: "queued" }],
  [
    "running with progress",
    [event("node.started", { why: "new" }), event("node.progress", { value: 0.5, message: "half" })],
    { state: "running", progress: 0.5, message: "half", why: "new" },
  ],
  [
    "done",
    [event("node.started", { why: "new" }), event("node.done", { outputs: { x: 1 }, duration: 2 })],
    { state: "done", outputs: { x: 1 }, duration: 2, why: "new", progress: null },
  ],
  [
    "cached",
    [event("node.done", { why: "cached", outputs: { x: 1 } })],
    { state: "cached", outputs: { x: 1 } },
  ],
  [
    "failed",
    [event("node.failed", { error: { code: "boom", message: "No" } })],
    { state: "failed", error: { code: "boom", message: "No" } },
  ],
  ["skipped", [event("node.skipped", { message: "a failed" })], { state: "skipped", message: "a failed" }],
  ["waiting", [event("node.waiting", { message: "for a person" })], { state: "waiting" }],
  [
    "waiting for a limit, until when is known",
    [event("node.waiting", { message: "2 calls a second", data: { for: "limit", until: 200.5 } })],
    { state: "waiting", message: "2 calls a second", waiting: { for: "limit", until: 200.5 } },
  ],
  [
    "no longer waiting once it starts",
    [event("node.waiting", { data: { for: "limit" } }), event("node.started", { why: "new" })],
    { state: "running", waiting: null },
  ],
  [
    "streaming to a slow reader",
    [event("node.started"), event("node.waiting", { data: { for: "stream" } })],
    { state: "running", waiting: { for: "stream", until: null } },
  ],
  [
    "streaming on when the reader has caught up",
    [
      event("node.started"),
      event("node.waiting", { data: { for: "stream" } }),
      event("node.chunk", { port: "out", value: [1] }),
    ],
    { state: "running", waiting: null },
  ],
  [
    "held back before a further attempt, and going on",
    [
      event("node.started"),
      event("node.waiting", { data: { for: "limit" } }),
      event("node.progress", { value: 1 }),
    ],
    { state: "running", waiting: null, progress: 1 },
  ],
  [
    "pinned",
    [event("node.done", { why: "pinned", outputs: { x: 1 } })],
    { state: "pinned", outputs: { x: 1 } },
  ],
  ["bypassed", [event("node.done", { why: "bypassed", outputs: { x: 1 } })], { state: "bypassed" }],
  ["muted", [event("node.skipped", { message: "muted" })], { state: "muted" }],
  [
    "streaming text",
    [event("node.chunk", { port: "text", value: "Hel" }), event("node.chunk", { port: "text", value: "lo" })],
    { streamed: { text: { kind: "text", head: "Hello", size: 5, chunks: 2 } } },
  ],
  [
    "streaming values",
    [event("node.chunk", { port: "out", value: [1, 2] }), event("node.chunk", { port: "out", value: [3] })],
    { streamed: { out: { kind: "items", head: [1, 2, 3], size: 3 } } },
  ],
  [
    "retried",
    [event("node.started"), event("node.chunk", { port: "text", value: "half" }), event("node.started")],
    { state: "running", streamed: {} },
  ],
  [
    "logging",
    [event("node.log", { message: "hi", level: "warning" })],
    { logs: [{ level: "warning", message: "hi", at: expect.any(Number) }] },
  ],
  [
    "cancelled in the middle",
    [event("node.started"), { ...event("run.cancelled"), node: null }],
    { state: "cancelled" },
  ],
])("a node is %s", (_name, events, expected) => {
  const at = events.map((each) => (each.kind.startsWith("node.") ? { ...each, node: "a" } : each));
  expect(reduceEvents(queued, at).nodes.a).toMatchObject(expected);
});

test("every node of a run that starts is queued; in live mode only those that a change reaches are told of", () => {
  const nodes = ["a", "b"];
  const once = reduceEvents(queued, [
    event("run.started", { data: { nodes, mode: "once" } }),
    event("node.done", { node: "a" }),
  ]);
  expect([once.nodes.a?.state, once.nodes.b?.state]).toEqual(["done", "queued"]);
  const live = reduceEvents(queued, [event("run.started", { data: { nodes, mode: "live" } })]);
  expect(live.nodes).toEqual({});
});

test("a run goes from queued over running to completed, with order and hashes", () => {
  const running = reduceEvents(queued, [event("run.started", { data: { nodes: ["a", "b"] } })]);
  expect(running).toMatchObject({ status: "running", order: ["a", "b"] });
  const data = { order: ["a", "b"], hashes: { a: { x: "h" } }, status: "completed" };
  expect(reduceEvents(running, [event("run.completed", { data })])).toMatchObject({
    status: "completed",
    hashes: { a: { x: "h" } },
    endedAt: expect.any(Number),
  });
});

test("an interrupted run says so, though its last event is a cancellation", () => {
  const run = reduceEvents(queued, [event("run.cancelled", { data: { status: "interrupted" } })]);
  expect(run.status).toBe("interrupted");
});

test("a run that goes on has what had ended, and what had not waits for its turn again (B2)", () => {
  const before = reduceEvents(queued, [
    event("run.started", { data: { nodes: ["a", "b", "c", "d"] } }),
    event("node.done", { node: "a", outputs: { x: 1 } }),
    event("node.failed", { node: "b", error: { code: "x", message: "x" } }),
    event("node.started", { node: "c" }),
    event("run.cancelled", { data: { status: "interrupted" } }),
  ]);
  expect([before.status, before.nodes.c?.state]).toEqual(["interrupted", "interrupted"]);
  const data = { nodes: ["a", "b", "c", "d"], kept: ["a"], attempt: 2 };
  const after = reduceEvents(before, [event("run.resumed", { data })]);
  expect(after).toMatchObject({ status: "running", endedAt: null });
  expect(Object.values(after.nodes).map((node) => node.state)).toEqual([
    "done",
    "queued",
    "queued",
    "queued",
  ]);
  expect(after.nodes.a).toBe(before.nodes.a);
});

test("what a fork kept of the run before is shown as not run, with what it left (B5)", () => {
  const forked = reduceEvents(queued, [
    event("run.started", { data: { nodes: ["a", "b"], kept: ["a"], forked_from: "r0" } }),
    event("node.done", { node: "a", outputs: { x: 1 }, why: "kept" }),
  ]);
  expect(forked.nodes.a).toMatchObject({ state: "cached", outputs: { x: 1 }, why: "kept" });
  expect(forked.nodes.b?.state).toBe("queued");
});

test("nodes that an event does not name stay the same objects, and so does the run before", () => {
  const before = reduceEvents(queued, [
    event("node.started", { node: "a" }),
    event("node.started", { node: "b" }),
  ]);
  const after = reduceEvents(before, [event("node.done", { node: "b", outputs: {} })]);
  expect(after.nodes.a).toBe(before.nodes.a);
  expect(before.nodes.b?.state).toBe("running");
});

test("only the last 500 lines of a node are kept", () => {
  const lines = Array.from({ length: 600 }, (_, i) => event("node.log", { node: "a", message: String(i) }));
  const { logs } = reduceEvents(queued, lines).nodes.a ?? { logs: [] };
  expect([logs.length, logs[0]?.message, logs.at(-1)?.message]).toEqual([500, "100", "599"]);
});

test("a view fills in what a past run left, and a list's view takes nothing away", () => {
  const head: RunView = {
    id: "r",
    status: "completed",
    mode: "once",
    audience: "shared",
    created_at: 1,
    started_at: 2,
    ended_at: 3,
    stream: "canvas:c",
    user: "u",
  };
  const whole = withView(queued, {
    ...head,
    order: ["a", "b", "c"],
    outputs: { a: { x: 1 } },
    errors: { b: { code: "boom", message: "No" } },
    skipped: { c: "b failed" },
    why: { a: "cached" },
    durations: { a: 0.5 },
  });
  expect(whole.nodes).toMatchObject({
    a: { state: "cached", outputs: { x: 1 }, duration: 0.5 },
    b: { state: "failed" },
    c: { state: "skipped", message: "b failed" },
  });
  expect(withView(whole, { ...head, outputs: {}, order: [] }).nodes).toBe(whole.nodes);
});

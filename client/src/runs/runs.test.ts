/** Past runs: the list, moments of a run, rows of a timeline, and the words for why a run waits. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { reduceEvents, unknownRun } from "../engine/reduce";
import type { RunState } from "../engine/types";
import type { RunEvent, RunView } from "../protocol";
import type { RunTimeline, TimelineNode } from "../protocol/generated";
import type { Connection } from "../session";
import { Store } from "../store";
import { progressOf, progressWords, shareOf } from "./progress";
import { QueueDesk } from "./queue_desk";
import { RunList } from "./run_list";
import { lastedWords, statusWords, whyWaits } from "./run_words";
import { finishedUpTo, Moments, STRIDE, Stepper } from "./stepper";
import { placeOf, rangeOf, shownRows, sums } from "./timeline_view";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function event(seq: number, kind: RunEvent["kind"], node?: string, more: object = {}): RunEvent {
  return { seq, run: "r", kind, at: 100 + seq, ...(node ? { node } : {}), ...more } as RunEvent;
}

/** A run of `count` nodes, one after the other: three events each, and two of the run. */
function history(count: number): RunEvent[] {
  const nodes = Array.from({ length: count }, (_, index) => `n${index}`);
  let seq = 0;
  return [
    event(++seq, "run.started", undefined, { data: { nodes } }),
    ...nodes.flatMap((node) => [
      event(++seq, "node.queued", node),
      event(++seq, "node.started", node, { why: "new" }),
      event(++seq, "node.done", node, { outputs: { value: seq }, duration: 0.5, why: "new" }),
    ]),
    event(++seq, "run.completed", undefined, { data: { status: "completed", order: nodes } }),
  ];
}

const START = unknownRun("r", "canvas:c", 100);

test("a run in which nodes failed is not called completed, and how many did is said", () => {
  expect(statusWords("completed", 0)).toBe("completed");
  expect(statusWords("completed", null)).toBe("completed");
  expect(statusWords("completed", 2)).toBe("failed nodes: 2");
  expect(statusWords("failed", 2)).toBe("failed");
  expect(statusWords("interrupted", 1)).toBe("interrupted");
  expect(lastedWords("failed nodes: 2", "3 s")).toBe("failed nodes: 2, in 3 s");
  expect(lastedWords("completed", "3 s")).toBe("completed in 3 s");
});

test("a run at any moment is what its events up to then make of it, whichever way one comes there (V6)", () => {
  const events = history(80);
  const moments = new Moments(START, events);
  for (const index of [events.length, 0, STRIDE, STRIDE - 1, STRIDE + 1, 7, events.length - 1, 3 * STRIDE])
    expect(moments.at(index)).toEqual(reduceEvents(START, events.slice(0, index)));
  expect(moments.at(3).nodes.n0?.state).toBe("running");
  expect(moments.at(4).nodes.n0?.outputs).toEqual({ value: 4 });
  expect(moments.at(4).nodes.n1?.state).toBe("queued");
});

test("stepping goes by nodes or events, plays to the end, and says when events are gone (V6)", async () => {
  const events = history(3);
  const stepper = new Stepper();
  const pages = [
    { events: events.slice(0, 4), seq: 4, more: true },
    { events: events.slice(4), seq: 11 },
  ];
  await stepper.open(START, async () => pages.shift() ?? { events: [], seq: 0 });
  expect(stepper.moment.get()).toMatchObject({ index: 0, total: 11, event: null });
  stepper.stepNode(1);
  expect(stepper.moment.get()?.event).toMatchObject({ kind: "node.done", node: "n0" });
  stepper.stepNode(1);
  stepper.stepNode(-1);
  expect(stepper.moment.get()?.index).toBe(4);
  stepper.step(1);
  expect(stepper.moment.get()?.index).toBe(5);
  stepper.play();
  expect(stepper.moment.get()?.playing).toBe(true);
  vi.advanceTimersByTime(5_000);
  expect(stepper.moment.get()).toMatchObject({ index: 11, playing: false });
  expect(stepper.moment.get()?.state.status).toBe("completed");
  await expect(stepper.open(START, async () => ({ events: [], seq: 0 }))).rejects.toThrow(
    "not kept any more",
  );
  stepper.close();
  expect(stepper.moment.get()).toBeNull();
});

test("what a node ran inside itself is no step of its own", async () => {
  const stepper = new Stepper();
  const events = [event(1, "run.started"), event(2, "node.done", "map[0]/x"), event(3, "node.done", "map")];
  await stepper.open(START, async () => ({ events, seq: 3 }));
  expect(stepper.moment.get()?.total).toBe(2);
  expect(finishedUpTo(events)).toEqual(["map[0]/x", "map"]);
});

test("a run that goes on keeps what it finished", () => {
  const [first, ...rest] = history(2);
  const stopped = event(9, "run.cancelled", undefined, { data: { status: "interrupted" } });
  const before = reduceEvents(START, [first as RunEvent, ...rest.slice(0, 4), stopped]);
  expect(before.nodes.n1?.state).toBe("interrupted");
  const again = event(10, "run.resumed", undefined, {
    data: { attempt: 2, nodes: ["n0", "n1"], kept: ["n0"] },
  });
  const after = reduceEvents(before, [again]);
  expect([after.status, after.endedAt]).toEqual(["running", null]);
  expect([after.nodes.n0?.state, after.nodes.n1?.state]).toEqual(["done", "queued"]);
});

// The list.

function view(id: string, created_at: number, more: Partial<RunView> = {}): RunView {
  const head = { id, created_at, status: "completed", mode: "once", audience: "shared", stream: "canvas:c" };
  return { ...head, ...more } as RunView;
}

function session(answer: (request: Record<string, unknown>) => unknown) {
  const asked: Record<string, unknown>[] = [];
  const connection = {
    status: new Store({ state: "online" }),
    request: async (_event: string, request: Record<string, unknown>) => {
      asked.push(request);
      return answer(request);
    },
    on: () => () => {},
    onOnline: () => () => {},
  };
  return { asked, connection: connection as unknown as Connection };
}

test("the list filters on the server and reads page after page", async () => {
  const { asked, connection } = session(({ after, status }) =>
    status
      ? { items: [view("f", 1, { status: "failed" })], next: null }
      : after
        ? { items: [view("a", 1)], next: null }
        : { items: [view("c", 3), view("b", 2)], next: "2:b" },
  );
  const past = new Store<readonly RunState[]>([{ ...unknownRun("now", "canvas:c", 9), status: "running" }]);
  const list = new RunList(connection, "c", { past });
  const end = list.open();
  await list.load();
  expect(list.rows.get().map(({ id }) => id)).toEqual(["now", "c", "b"]);
  expect(list.more.get()).toBe(true);
  await list.loadMore();
  expect(list.rows.get().map(({ id }) => id)).toEqual(["now", "c", "b", "a"]);
  expect([asked.at(-1)?.after, list.more.get()]).toEqual(["2:b", false]);
  list.setFilter({ status: ["failed"], search: "boom" });
  await vi.advanceTimersByTimeAsync(0);
  expect(asked.at(-1)).toMatchObject({ canvas: "c", status: ["failed"], search: "boom" });
  expect(list.rows.get().map(({ id }) => id)).toEqual(["f"]);
  end();
});

test("where the server cannot be asked, what this tab saw stands there with the reason", async () => {
  const { connection } = session(() => {
    throw new Error("offline");
  });
  const list = new RunList(connection, "c", { past: new Store<readonly RunState[]>([START]) });
  await list.load();
  expect([list.listing.get(), list.failure.get()]).toEqual(["failed", "offline"]);
  expect(list.rows.get().map(({ id }) => id)).toEqual(["r"]);
});

test("a run that waits says why", () => {
  const row = (status: RunView["status"], more: Partial<RunView> = {}) => ({
    id: "r",
    createdAt: 0,
    status,
    view: view("r", 0, { status, ...more }),
    state: null,
  });
  expect(whyWaits(row("running"), undefined, 100)).toBeNull();
  expect(whyWaits(row("paused"), undefined, 100)).toMatch("held");
  expect(whyWaits(row("queued", { queue: "q", ahead: 0 }), undefined, 100)).toBe("next in “q”");
  expect(whyWaits(row("queued", { queue: "q", ahead: 4 }), undefined, 100)).toBe("4 before it in “q”");
  expect(whyWaits(row("queued", { queue: "q", ahead: 4 }), { name: "q", state: "paused" }, 100)).toMatch(
    "paused",
  );
  expect(whyWaits(row("queued", { queue: "q", not_before: 190 }), undefined, 100)).toBe("starts in 2 min");
  expect(whyWaits(row("queued", { queue: "q", not_before: 110, attempt: 2 }), undefined, 100)).toMatch(
    "again",
  );
});

// The timeline.

function row(node: string, ...spans: [state: string, start: number, end: number | null][]): TimelineNode {
  return {
    node,
    name: null,
    state: "done",
    why: null,
    attempts: 1,
    inside: false,
    spans: spans.map(([state, start, end]) => ({
      state,
      start,
      end,
      waits_for: null,
      until: null,
      attempt: 1,
    })),
  } as TimelineNode;
}

test("rows inside a node are shown where it is open, and no deeper", () => {
  const nodes = ["a", "map", "map[0]/x", "map[0]/sub", "map[0]/sub/y", "z"].map((node) => row(node));
  const shown = (...open: string[]) => shownRows(nodes, new Set(open)).map(({ node }) => node.node);
  expect(shown()).toEqual(["a", "map", "z"]);
  expect(shown("map")).toEqual(["a", "map", "map[0]/x", "map[0]/sub", "z"]);
  expect(shown("map", "map[0]/sub")).toHaveLength(6);
  expect(shown("map[0]/sub")).toEqual(["a", "map", "z"]);
});

test("spans stand where they were in the time of the run; what goes on reaches its end", () => {
  const node = row("a", ["queued", 10, 12], ["waiting", 12, 15], ["running", 15, null]);
  const found = { created_at: 10, started_at: 10, ended_at: null, nodes: [node] } as unknown as RunTimeline;
  const range = rangeOf(found, 20);
  expect(range).toEqual({ from: 10, to: 20 });
  expect(node.spans.map((span) => placeOf(span, range))).toEqual([
    { left: 0, width: 20 },
    { left: 20, width: 30 },
    { left: 50, width: 50 },
  ]);
  expect(sums(node.spans, 20)).toEqual({ queued: 2, waiting: 3, running: 5 });
});

// How far a run is.

test("how far a run is comes from what this tab saw, else from the server, and not once it ended (V8)", () => {
  const events = history(4).slice(0, 6);
  const state = reduceEvents(START, [
    ...events,
    event(7, "node.progress", "n1", { value: 0.5, message: "half" }),
  ]);
  const told = { ended: 3, total: 9, node: null, value: null, message: null };
  const row = { status: "running" as const, state, view: null };
  const seen = progressOf(row);
  expect(seen).toMatchObject({ ended: 1, total: 4, node: "n1", value: 0.5 });
  expect(shareOf(seen as never)).toBeCloseTo(1.5 / 4);
  expect(progressWords(seen as never, (id) => id.toUpperCase())).toBe("1 of 4 nodes, N1: 50 %, half");
  expect(progressWords({ ended: 0, total: 1 }, String)).toBe("0 of 1 node");
  expect(progressOf({ ...row, view: view("r", 1, { progress: told }) })).toBe(told);
  expect(progressOf({ ...row, state: null, view: view("r", 1, { progress: told }) })).toBe(told);
  expect(progressOf({ ...row, status: "completed" })).toBeNull();
});

test("a queue shows administrators the runs of everybody, others their own (V1)", async () => {
  for (const everybody of [true, false]) {
    const { asked, connection } = session(() => ({ items: [view("a", 1)], next: everybody ? "1:a" : null }));
    const desk = new QueueDesk(connection, everybody);
    desk.look("q");
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.at(-1)?.all).toBe(everybody || undefined);
    expect([desk.waiting.get().length, desk.more.get()]).toEqual([1, everybody]);
  }
});

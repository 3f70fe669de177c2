/** What nodes show follows the runs: live, late, after a cut line, and after an edit. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CanvasDocument } from "../document";
import type { RunEvent, RunView } from "../protocol";
import { FakeServer, type FakeSocket, settle } from "../testing/fake_server";
import { RunStore } from "./run_store";

let server: FakeServer;
let document: CanvasDocument;
let runs: RunStore;
let socket: FakeSocket;

const STREAM = "canvas:c";

beforeEach(async () => {
  server = new FakeServer();
  await open();
  document.together(() => {
    document.addNode({ type: "core.value", position: [0, 0], inputs: { value: 1 } }, "a");
    document.addNode({ type: "code.python", position: [0, 0], code: "x" }, "b");
    document.addNode({ type: "core.value", position: [0, 0] }, "apart");
    document.connect({ source: "a", output: "value", target: "b", input: "x" });
  });
  await settle();
});
afterEach(() => {
  runs.close();
  document.close();
});

async function open(): Promise<void> {
  const made = server.session();
  socket = made.socket;
  document = new CanvasDocument(made.session, "c", { id: "u", name: "Anna" });
  runs = new RunStore(made.session, document, "u");
  made.session.connect();
  await settle();
}

function view(id: string, fields: Partial<RunView> = {}): RunView {
  const base = {
    status: "running" as const,
    mode: "once" as const,
    audience: "shared" as const,
    created_at: 1,
  };
  return { id, ...base, stream: STREAM, user: "u", ...fields };
}

function events(run: string, ...kinds: [RunEvent["kind"], Partial<RunEvent>?][]): Omit<RunEvent, "seq">[] {
  return kinds.map(([kind, fields]) => ({ run, kind, at: 10, ...fields }));
}

function wholeRun(run: string, outputs: Record<string, object> = { a: { value: 1 }, b: { result: 1 } }) {
  return [
    ...events(run, ["run.started", { data: { nodes: Object.keys(outputs) } }]),
    ...Object.entries(outputs).flatMap(([node, values]) =>
      events(
        run,
        ["node.started", { node, why: "new" }],
        ["node.done", { node, outputs: values as never, duration: 0.1 }],
      ),
    ),
    ...events(run, ["run.completed", { data: { order: Object.keys(outputs), status: "completed" } }]),
  ];
}

test("nodes show their state and outputs as events come, and a completed run is told once", () => {
  const completed: string[] = [];
  runs.onCompleted((run) => completed.push(run));
  const [started, ...rest] = wholeRun("r1");
  server.write(STREAM, [started as RunEvent]);
  expect(runs.current.get()).toMatchObject({ id: "r1", status: "running" });
  server.write(STREAM, rest);
  expect(runs.board.get()).toMatchObject({
    a: { state: "done", last: { outputs: { value: 1 } } },
    b: { state: "done", last: { outputs: { result: 1 } } },
  });
  expect(runs.board.get().apart).toBeUndefined();
  expect(completed).toEqual(["r1"]);
});

test("nodes that events do not touch keep their status objects", () => {
  server.write(STREAM, wholeRun("r1"));
  const before = runs.board.get();
  server.write(STREAM, events("r2", ["run.started"], ["node.started", { node: "b" }]));
  expect(runs.board.get().a).toBe(before.a);
  expect(runs.board.get().b?.state).toBe("running");
});

test("an edit makes the node and all after it stale, until it runs again or is taken back", () => {
  server.write(STREAM, wholeRun("r1"));
  document.move({ a: [50, 50] });
  document.setName("a", "Named");
  expect(runs.board.get().a?.state).toBe("done");
  document.setInput("a", "value", 2);
  expect([runs.board.get().a?.state, runs.board.get().b?.state]).toEqual(["stale", "stale"]);
  document.undo();
  expect([runs.board.get().a?.state, runs.board.get().b?.state]).toEqual(["done", "done"]);
  document.setCode("b", "x + 1");
  expect([runs.board.get().a?.state, runs.board.get().b?.state]).toEqual(["done", "stale"]);
  server.write(STREAM, wholeRun("r2"));
  expect(runs.board.get().b?.state).toBe("done");
});

test("a value that is gone from its worker makes its node stale at once, and after a cut line (E13)", async () => {
  const lamp = (handle: string) => ({
    $handle: handle.repeat(16),
    ...{ kind: "Lamp", size: 1, preview: null, encodings: [] },
  });
  server.write(STREAM, wholeRun("r1", { a: { value: lamp("ab") }, b: { result: lamp("cd") } }));
  const place = { run: "r1", node: "a", port: "value", handle: "ab".repeat(16) };
  socket.emit("values.gone", { stream: STREAM, why: "worker restarted", values: [place] });
  expect(runs.board.get().a).toMatchObject({ state: "stale", gone: "worker restarted" });
  expect(runs.board.get().b?.state).toBe("done");
  server.answers.set("cache.gone", () => ({
    gone: { ["cd".repeat(16)]: "value dropped" },
  }));
  socket.cut();
  await vi.waitFor(() => expect(runs.board.get().b?.gone).toBe("value dropped"), 30_000);
  server.write(STREAM, wholeRun("r2", { a: { value: lamp("ef") } }));
  expect(runs.board.get().a?.state).toBe("done");
});

test("live mode that ended with the server is told once, when the connection is back (G21)", async () => {
  runs.live.set(true);
  socket.cut();
  await vi.waitFor(() => expect(runs.live.get()).toBe(false), 30_000);
  expect(runs.liveLost.get()).toBe(1);
  socket.cut();
  await vi.waitFor(() => expect(socket.connected).toBe(true), 30_000);
  await settle();
  expect(runs.liveLost.get()).toBe(1);
});

test("a run of this tab is made from what was there when it was asked for", async () => {
  server.answers.set("runs.create", () => view("r1"));
  const started = runs.start();
  document.setInput("a", "value", 2);
  await started;
  server.write(STREAM, wholeRun("r1"));
  expect(runs.board.get().a?.state).toBe("stale");
});

test("a node that was still queued when its run was cancelled shows what it showed before", () => {
  server.write(STREAM, wholeRun("r1"));
  server.write(STREAM, events("r2", ["run.started"], ["node.queued", { node: "b" }]));
  expect(runs.board.get().b?.state).toBe("queued");
  server.write(STREAM, events("r2", ["run.cancelled"]));
  expect(runs.board.get().b).toMatchObject({ state: "done", last: { run: "r1" } });
});

test("nodes that did not run in a run that was interrupted say so, and it is told once (G9)", async () => {
  server.write(STREAM, wholeRun("r1"));
  const nodes = ["a", "b", "apart"];
  server.write(STREAM, events("r2", ["run.started", { data: { nodes } }], ["node.started", { node: "a" }]));
  const told: string[][] = [];
  runs.interrupted.subscribe(() => told.push(runs.interrupted.get().map(({ id }) => id)));
  server.runs = [view("r2", { status: "interrupted", created_at: 11 })];
  socket.cut();
  server.write(STREAM, events("r2", ["run.cancelled", { data: { status: "interrupted" } }]));
  await vi.waitFor(() => expect(runs.past.get()[0]?.status).toBe("interrupted"), 30_000);
  await settle();
  expect(runs.board.get()).toMatchObject({
    a: { state: "interrupted", last: { run: "r2" } },
    b: { state: "interrupted", last: { run: "r2", outputs: null, startedAt: null } },
    apart: { state: "interrupted" },
  });
  expect(told).toEqual([["r2"]]);
});

test("a tab that comes after an interruption learns from the events what did not run (G9)", async () => {
  server.write(STREAM, wholeRun("r1"));
  const nodes = ["a", "b"];
  const log = events(
    "r2",
    ["run.started", { data: { nodes } }],
    ["node.done", { node: "a", outputs: { value: 2 } }],
    ["run.cancelled", { data: { status: "interrupted" } }],
  );
  runs.close();
  document.close();
  server.runs = [
    view("r2", { status: "interrupted", created_at: 2 }),
    view("r1", { status: "completed", created_at: 1 }),
  ];
  server.answers.set("runs.get", ({ id }) =>
    id === "r2"
      ? view("r2", { status: "interrupted", created_at: 2, outputs: { a: { value: 2 } } })
      : view("r1", { status: "completed", order: nodes, outputs: { a: { value: 1 }, b: { result: 1 } } }),
  );
  const numbered = log.map((event, index) => ({ ...event, seq: 100 + index }));
  server.answers.set("runs.events", () => ({ events: numbered, seq: 102, more: false }));
  await open();
  await vi.waitFor(() => expect(runs.board.get().b?.state).toBe("interrupted"), 30_000);
  expect(runs.board.get()).toMatchObject({
    a: { state: "done", last: { run: "r2" } },
    b: { last: { run: "r2", outputs: null } },
  });
  await runs.load("r2");
  expect(runs.get("r2")?.nodes.b?.state).toBe("interrupted");
});

test("events missed during a lost connection are fetched, each once", async () => {
  const seen: number[] = [];
  runs.onEvents((batch) => seen.push(...batch.map(({ seq }) => seq)));
  const all = wholeRun("r1");
  server.write(STREAM, all.slice(0, 2));
  socket.cut();
  server.write(STREAM, all.slice(2, 4));
  await new Promise<void>((resolve) => {
    const end = document.saving.subscribe(() => {
      if (document.saving.get().state !== "saved") return;
      end();
      resolve();
    });
  });
  server.write(STREAM, all.slice(4));
  await settle();
  expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  expect(runs.past.get()[0]?.status).toBe("completed");
});

test("a run that was under way before this tab came is shown from its beginning", async () => {
  const all = wholeRun("r1");
  server.write(STREAM, all.slice(0, 3));
  runs.close();
  document.close();
  server.runs = [view("r1")];
  server.answers.set("runs.events", ({ after_seq }) => {
    const log = server.streams.get(STREAM) ?? [];
    const page = log.filter(({ seq }) => seq > (after_seq as number)).slice(0, 2);
    return { events: page, seq: page.at(-1)?.seq ?? after_seq, more: page.at(-1)?.seq !== log.at(-1)?.seq };
  });
  await open();
  server.write(STREAM, all.slice(3));
  await settle();
  expect(runs.current.get()).toMatchObject({ id: "r1", status: "completed" });
  expect(runs.board.get()).toMatchObject({ a: { state: "done" }, b: { state: "done" } });
});

test("after a reload nodes show what they last did, stale where they were edited since", async () => {
  const spell = document.toJson();
  runs.close();
  document.setInput("a", "value", 2);
  await document.saved();
  document.close();
  server.runs = [view("r2", { status: "completed", created_at: 2 }), view("r1", { status: "completed" })];
  server.answers.set("runs.get", ({ id }) =>
    id === "r2"
      ? view("r2", {
          status: "completed",
          created_at: 2,
          order: ["apart"],
          outputs: { apart: { value: 9 } },
          spell,
        })
      : view("r1", {
          status: "completed",
          order: ["a", "b", "apart"],
          outputs: { a: {}, b: {}, apart: { value: 8 } },
          spell,
        }),
  );
  await open();
  expect(runs.board.get()).toMatchObject({
    apart: { state: "done", last: { run: "r2", outputs: { value: 9 } } },
    a: { state: "stale", last: { run: "r1" } },
    b: { state: "stale" },
  });
});

test("a run that is removed leaves no trace", () => {
  server.write(STREAM, wholeRun("r1"));
  server.write(STREAM, events("r1", ["run.removed"]));
  expect(runs.past.get()).toEqual([]);
  expect(runs.board.get()).toEqual({});
});

test("paused and going on are told apart from the run's events", () => {
  server.write(STREAM, events("r1", ["run.started"]));
  socket.emit("run.status", { run: "r1", stream: STREAM, status: "paused" });
  expect(runs.current.get()?.status).toBe("paused");
});

test("runs that begin to wait elsewhere are learnt of at once together, and the one that goes on is the one to stop", async () => {
  const asked: unknown[] = [];
  server.answers.set("runs.find", (payload) => {
    asked.push(payload);
    const waiting = { status: "queued" as const, queue: "q" };
    return {
      items: [view("w2", { ...waiting, created_at: 12 }), view("w1", { ...waiting, created_at: 11 })],
    };
  });
  for (const run of ["w1", "w2"]) socket.emit("run.status", { run, stream: STREAM, status: "queued" });
  socket.emit("run.status", { run: "other", stream: "user:u", status: "queued" });
  await vi.waitFor(() =>
    expect(runs.current.get()).toMatchObject({ id: "w2", status: "queued", queue: "q" }),
  );
  expect(asked).toHaveLength(1);
  server.write(STREAM, events("w1", ["run.started"]));
  expect(runs.current.get()).toMatchObject({ id: "w1", status: "running" });
  let stopped: unknown;
  server.answers.set("runs.cancel", (payload) => {
    stopped = payload;
    return view("w1", { status: "cancelled" });
  });
  await runs.cancel();
  expect(stopped).toEqual({ id: "w1" });
  socket.emit("run.status", { run: "w1", stream: STREAM, status: "waiting" });
  expect(runs.current.get()?.id).toBe("w2");
});

test("a tab that comes while a run waits for people has it as waiting, though its events end before that", async () => {
  runs.close();
  document.close();
  const told = events("w", ["run.started", { data: { nodes: ["a"] } }], ["node.started", { node: "a" }]);
  server.runs = [view("w", { status: "waiting" })];
  server.answers.set("runs.events", () => ({
    events: told.map((event, index) => ({ seq: index + 1, ...event })),
    seq: told.length,
    more: false,
  }));
  await open();
  await vi.waitFor(() => expect(runs.current.get()?.nodes.a?.state).toBe("running"));
  expect(runs.current.get()).toMatchObject({ id: "w", status: "waiting" });
});

test("older runs are fetched by page", async () => {
  server.runs = [view("r1", { status: "completed" })];
  let asked: unknown;
  server.answers.set("runs.find", (payload) => {
    asked = payload;
    return { items: [view("r0", { status: "failed", created_at: 0.5 })] };
  });
  server.write(STREAM, wholeRun("r1"));
  await settle();
  await runs.loadOlder();
  expect(asked).toMatchObject({ canvas: "c", before: expect.any(Number) });
  expect(runs.past.get().map(({ id }) => id)).toEqual(["r1", "r0"]);
  expect(runs.more.get()).toBe(false);
});

test("a server that cannot store events is told of until it can again", () => {
  socket.emit("events.stalled", { stream: STREAM, message: "the disk is full", retry_in: 1 });
  expect(runs.stalled.get()).toBe("the disk is full");
  socket.emit("events.flowing", { stream: STREAM });
  expect(runs.stalled.get()).toBeNull();
});

test("a node that ran alone on stale values stays stale, and its run alone does not make the rest anew", async () => {
  server.write(STREAM, wholeRun("r1"));
  document.setInput("a", "value", 2);
  document.setCode("b", "x + 1");
  server.answers.set("runs.create", () => view("r2", { scope: ["b"], created_at: 20 }));
  await runs.start({ scope: ["b"], reach: "only" });
  const alone = wholeRun("r2", { b: { result: 2 } });
  server.write(STREAM, alone);
  // `b` was made from the old `a`.
  expect([runs.board.get().a?.state, runs.board.get().b?.state]).toEqual(["stale", "stale"]);
  document.setInput("a", "value", 1);
  expect([runs.board.get().a?.state, runs.board.get().b?.state]).toEqual(["done", "done"]);
});

test("so it is in a tab that hears of that run by its events", () => {
  server.write(STREAM, wholeRun("r1"));
  document.setInput("a", "value", 2);
  const data = { nodes: ["b"], scope: ["b"], reach: "only" };
  const [, ...rest] = wholeRun("r2", { b: { result: 2 } });
  server.write(STREAM, [...events("r2", ["run.started", { data }]), ...rest]);
  expect(runs.board.get().b?.state).toBe("stale");
  document.setInput("a", "value", 1);
  expect(runs.board.get().b?.state).toBe("done");
});

test("a stream is taken by frames, and before all else that comes of it", () => {
  const frames: (() => void)[] = [];
  vi.stubGlobal("requestAnimationFrame", (work: () => void) => frames.push(work));
  vi.stubGlobal("cancelAnimationFrame", () => {});
  const said = vi.fn();
  runs.onEvents(said);
  const chunk = (value: string) => events("r1", ["node.chunk", { node: "b", port: "text", value }]);
  server.write(STREAM, events("r1", ["run.started"], ["node.started", { node: "b" }]));
  const drawn = vi.fn();
  runs.board.subscribe(drawn);
  for (const letter of "flood") server.write(STREAM, chunk(letter));
  expect(drawn).not.toHaveBeenCalled();
  expect(frames).toHaveLength(1);
  frames.pop()?.();
  expect(drawn).toHaveBeenCalledOnce();
  expect(runs.board.get().b?.last.streamed.text).toMatchObject({ head: "flood", chunks: 5 });
  server.write(STREAM, chunk("!"));
  server.write(STREAM, events("r1", ["node.done", { node: "b", outputs: { text: "flood!" } }]));
  expect(runs.board.get().b?.last).toMatchObject({ state: "done", streamed: { text: { head: "flood!" } } });
  expect(said.mock.calls.flatMap(([batch]) => batch.map(({ kind }: RunEvent) => kind))).toEqual([
    "run.started",
    "node.started",
    ...Array(6).fill("node.chunk"),
    "node.done",
  ]);
  vi.unstubAllGlobals();
});

test("why live mode waits or cannot run is told, until it runs or ends", () => {
  const say = (more: object) => socket.emit("canvas.live", { canvas: "c", user: "u", live: true, ...more });
  say({ waiting: "The change is not finished." });
  expect(runs.liveNotice.get()).toEqual({
    kind: "waiting",
    message: "The change is not finished.",
    node: null,
  });
  say({ error: { code: "cycle", message: "a circle", details: { node: "b" } } });
  expect(runs.liveNotice.get()).toEqual({ kind: "error", message: "a circle", node: "b" });
  say({ waiting: null, error: null });
  expect(runs.liveNotice.get()).toBeNull();
  expect(runs.live.get()).toBe(true);
});

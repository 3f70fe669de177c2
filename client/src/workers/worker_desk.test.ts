/** The desk keeps the worker of a canvas as the server tells it, and says why something was refused. */
import { beforeEach, expect, it } from "vitest";
import type { WorkerView } from "../protocol/generated";
import { FakeServer, type FakeSocket, settle } from "../testing/fake_server";
import { faultsOf } from "./faults";
import { layersOf, workerOf } from "./views";
import { isolationWords, layerWords } from "./words";
import { WorkerDesk } from "./worker_desk";

function view(id: string, more: Partial<WorkerView> = {}): WorkerView {
  return {
    id,
    name: id,
    kind: id === "c" ? "canvas" : "shared",
    canvas: id === "c" ? "c" : null,
    owner: null,
    given_by: null,
    processes: 1,
    limits: null,
    own_limits: {},
    state: "ready",
    reason: null,
    environment: null,
    packs: [],
    confinement: null,
    metrics: { cpu_percent: null, memory_bytes: null, queue: 0, running: 0, calls: 0, failures: 0 },
    restarts: 0,
    open: false,
    faults: {},
    ...more,
  };
}

let server: FakeServer;
let socket: FakeSocket;
let desk: WorkerDesk;
let current: string;

beforeEach(async () => {
  server = new FakeServer();
  current = "c";
  server.answers.set("workers.find", () => ({ items: [view("c"), view("big")], current }));
  server.answers.set("workers.logs", () => ({ lines: [{ at: 1, level: "info", text: "old" }] }));
  const made = server.session();
  socket = made.socket;
  desk = new WorkerDesk(made.session, "c");
  desk.open();
  made.session.connect();
  await settle();
});

it("knows the worker of the canvas, and those it may be put on", () => {
  expect(desk.worker.get()?.id).toBe("c");
  expect(desk.choices.get().map(({ id }) => id)).toEqual(["c", "big"]);
});

it("follows what the server tells, with the metrics of the last minute", async () => {
  const metrics = { ...view("c").metrics, cpu_percent: 50, memory_bytes: 100 };
  socket.emit("worker.changed", view("c", { state: "busy", metrics }));
  socket.emit("worker.lines", { id: "c", lines: [{ at: 2, level: "info", text: "Installing" }] });
  socket.emit("worker.lines", { id: "other", lines: [{ at: 2, level: "info", text: "not mine" }] });
  expect(desk.worker.get()?.state).toBe("busy");
  expect(desk.choices.get()[0]?.state).toBe("busy");
  expect(desk.samples.get()).toMatchObject([{ cpu: 50, memory: 100 }]);
  expect(desk.lines.get().map(({ text }) => text)).toEqual(["Installing"]);
});

it("puts the server's tail before what came since, once for each worker", async () => {
  socket.emit("worker.lines", { id: "c", lines: [{ at: 2, level: "info", text: "new" }] });
  await Promise.all([desk.readLog(), desk.readLog()]);
  await settle();
  expect(desk.lines.get().map(({ text }) => text)).toEqual(["old", "new"]);
});

it("goes along when somebody puts the canvas on another worker", async () => {
  socket.emit("worker.lines", { id: "c", lines: [{ at: 2, level: "info", text: "of c" }] });
  current = "big";
  socket.emit("worker.changed", view("big"));
  await settle();
  expect(desk.worker.get()?.id).toBe("big");
  expect(desk.lines.get()).toEqual([]);
});

it("has a deed done, and says why one was refused", async () => {
  server.answers.set("workers.stop", () => view("c", { state: "stopped" }));
  expect(await desk.act("stop")).toBe(true);
  expect(desk.worker.get()?.state).toBe("stopped");
  const error = { code: "environment_failed", message: "no such package" };
  server.answers.set("workers.start", () => ({ ok: false, error }));
  expect(await desk.act("start")).toBe(false);
  expect(desk.failure.get()).toBe("Could not start the worker: no such package");
  expect(desk.worker.get()?.state).toBe("stopped");
  expect(desk.doing.get()).toBeNull();
});

it("reads anew after a lost connection", async () => {
  server.answers.set("workers.find", () => ({ items: [view("c", { restarts: 3 })], current: "c" }));
  socket.cut();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await settle();
  expect(desk.worker.get()?.restarts).toBe(3);
});

it("puts what the resolver said at the package, by any spelling of its name", () => {
  const requirements = { Typing_Extensions: ">=9", rich: "", bad: "x" };
  const worker = { faults: { "typing-extensions": "no such version", gone: "clashes" } };
  const problem = {
    code: "invalid_requirement",
    message: "the requirement 'bad' is wrong: 'x' is no version",
    severity: "error" as const,
    details: { requirement: "bad" },
  };
  expect(faultsOf(requirements, [problem], worker)).toEqual({
    Typing_Extensions: "no such version",
    "": "clashes",
    bad: "'x' is no version",
  });
});

it("says in plain words what is closed to code, and why something is not", () => {
  expect(layersOf(null)).toEqual([]);
  const told = {
    files: true,
    network: true,
    signals: false,
    reason: "the kernel is old",
    layers: ["cgroup"],
  };
  const layers = layersOf(told);
  expect(layers.map(({ name, on }) => [name, on])).toEqual([
    ["files", true],
    ["network", true],
    ["processes", false],
    ["memory", true],
  ]);
  expect(isolationWords(layers)).toBe("Not closed off: processes");
  expect(layerWords(layers[2] as never).words).toContain("The kernel is old.");
  expect(isolationWords(workerOf(view("c")).layers)).toContain("Known once");
});

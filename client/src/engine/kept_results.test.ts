/** A reload goes on where the browser left off: every event once, and the last results are there offline. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CanvasDocument } from "../document";
import { MemoryStore } from "../offline";
import type { RunEvent } from "../protocol";
import { FakeBrowser } from "../testing/fake_browser";
import { FakeServer, settle } from "../testing/fake_server";
import { RunStore } from "./run_store";

const STREAM = "canvas:c";

let server: FakeServer;
let browser: FakeBrowser;
let document: CanvasDocument;
let runs: RunStore;
let taken: number[];

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer();
  browser = new FakeBrowser(new MemoryStore(null));
  taken = [];
  await open();
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  document.addNode({ type: "core.value", position: [0, 0] }, "b");
  await settle();
});
afterEach(() => {
  close();
  vi.useRealTimers();
});

async function open(): Promise<void> {
  const { session } = server.session();
  document = new CanvasDocument(session, "c", { id: "u", name: "Anna" }, browser);
  const kept = browser.store.then((store) => store.canvas("u", "c"));
  runs = new RunStore(session, document, "u", kept);
  runs.onEvents((events) => taken.push(...events.map(({ seq }) => seq)));
  session.connect();
  await settle();
}

function close(): void {
  runs.close();
  document.close();
}

async function reload(): Promise<void> {
  close();
  for (const socket of server.sockets) socket.cut();
  await settle();
  await open();
}

function happen(...events: [RunEvent["kind"], Partial<RunEvent>?][]): void {
  server.write(
    STREAM,
    events.map(([kind, fields]) => ({ run: "r", kind, at: 10, ...fields })),
  );
}

function beginRun(): void {
  happen(["run.started", { data: { nodes: ["a", "b"] } }], ["node.started", { node: "a", why: "new" }]);
}

function endRun(): void {
  happen(
    ["node.done", { node: "a", outputs: { value: 1 } as never, duration: 0.1 }],
    ["node.started", { node: "b", why: "new" }],
    ["node.done", { node: "b", outputs: { value: 2 } as never, duration: 0.1 }],
    ["run.completed", { data: { order: ["a", "b"], status: "completed" } }],
  );
}

test("events from before and after a reload come once, and make the same run", async () => {
  beginRun();
  await vi.advanceTimersByTimeAsync(1_000);
  close();
  for (const socket of server.sockets) socket.cut();
  endRun();
  await settle();
  await open();
  await settle();
  expect(taken).toEqual([1, 2, 3, 4, 5, 6]);
  expect(runs.board.get()).toMatchObject({
    a: { state: "done", last: { outputs: { value: 1 } } },
    b: { state: "done", last: { outputs: { value: 2 } } },
  });
  expect(runs.asOf.get()).toBeNull();
});

test("what a crash did not let the browser keep is asked for again, from the picture that it has", async () => {
  beginRun();
  await vi.advanceTimersByTimeAsync(1_000);
  endRun(); // Reduced here, but not written yet.
  const saved = vi.spyOn(browser.kept.canvas("u", "c"), "saveResults").mockResolvedValue();
  await reload();
  saved.mockRestore();
  expect(taken).toEqual([1, 2, 3, 4, 5, 6, 3, 4, 5, 6]);
  expect(runs.board.get().b).toMatchObject({ state: "done" });
});

test("offline the last results are shown, and since when they hold", async () => {
  beginRun();
  endRun();
  await vi.advanceTimersByTimeAsync(1_000);
  server.reachable = false;
  await reload();
  expect(runs.board.get().b).toMatchObject({ state: "done", last: { outputs: { value: 2 } } });
  expect(runs.asOf.get()).toBeLessThanOrEqual(Date.now());
  document.setInput("a", "value", 5);
  expect(runs.board.get().a?.state).toBe("stale");
  server.reachable = true;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(runs.asOf.get()).toBeNull();
  expect(taken).toEqual([1, 2, 3, 4, 5, 6]);
});

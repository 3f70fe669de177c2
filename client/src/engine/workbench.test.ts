// @vitest-environment jsdom
/** An open canvas: its parts are wired, the page finds them, and closing leaves nothing behind. */
import { expect, test, vi } from "vitest";
import { FakeServer, settle } from "../testing/fake_server";
import { SpellworkPage, spellwork } from "./page";
import type { ReplayStep } from "./types";
import { openWorkbench } from "./workbench";

async function opened() {
  const server = new FakeServer();
  const { session, socket } = server.session();
  const page = new SpellworkPage();
  const workbench = openWorkbench({ session, canvas: "c", user: { id: "u", name: "Anna" }, page });
  session.connect();
  await settle();
  workbench.document.addNode({ type: "core.value", position: [0, 0], inputs: { value: 1 } }, "a");
  await workbench.document.saved();
  return { server, session, socket, page, workbench };
}

test("the page's interface is at window.spellwork", () => {
  expect(window.spellwork).toBe(spellwork);
});

test("a run that completes is replayed by itself, and shows in console and previews", async () => {
  const { server, page, workbench } = await opened();
  const steps: ReplayStep[] = [];
  page.registerPlugin({ name: "mine", onNode: (step) => void steps.push(step) });
  server.answers.set("runs.get", () => ({
    id: "r1",
    status: "completed",
    mode: "once",
    audience: "shared",
    created_at: 1,
    stream: "canvas:c",
    order: ["a"],
    outputs: { a: { value: 1 } },
  }));
  server.write("canvas:c", [
    { run: "r1", kind: "run.started", at: 1, data: { nodes: ["a"] } },
    { run: "r1", kind: "node.log", at: 1, node: "a", message: "thinking" },
    { run: "r1", kind: "node.done", at: 1, node: "a", outputs: { value: 1 } },
    { run: "r1", kind: "run.completed", at: 2, data: { order: ["a"] } },
  ]);
  await settle();
  expect(steps).toMatchObject([{ node: "a", type: "core.value", inputs: { value: 1 }, run: { live: true } }]);
  expect(workbench.console.entries.get().map(({ text }) => text)).toEqual([
    "thinking",
    "Run completed.",
    "done: value = 1",
  ]);
  expect(workbench.previews.watch("a").get()).toMatchObject([{ value: 1 }]);
  await expect(page.replay()).resolves.toBe(true);
  expect(steps[1]?.run.live).toBe(false);
  workbench.close();
});

test("a run whose replay the connection cut off is replayed when it is back", async () => {
  const { server, socket, page, workbench } = await opened();
  const steps: ReplayStep[] = [];
  page.registerPlugin({ name: "mine", onNode: (step) => void steps.push(step) });
  let cut = false;
  server.answers.set("runs.get", () => {
    if (!cut) {
      cut = true;
      socket.cut();
    }
    const of = { mode: "once", audience: "shared", created_at: 1, stream: "canvas:c" } as const;
    return { id: "r1", status: "completed", ...of, order: ["a"], outputs: { a: { value: 1 } } };
  });
  server.write("canvas:c", [
    { run: "r1", kind: "run.started", at: 1, data: { nodes: ["a"] } },
    { run: "r1", kind: "node.done", at: 1, node: "a", outputs: { value: 1 } },
    { run: "r1", kind: "run.completed", at: 2, data: { order: ["a"] } },
  ]);
  await vi.waitFor(() => expect(steps).toMatchObject([{ node: "a", run: { live: true } }]), 30_000);
  workbench.close();
});

test("a plugin's error shows in the console", async () => {
  const { page, workbench } = await opened();
  page.plugins.report({ plugin: "p", phase: "onNode", run: null, node: "a", error: new Error("oops") });
  await settle();
  expect(workbench.console.entries.get()).toMatchObject([{ source: "plugin", level: "error", node: "a" }]);
  workbench.close();
});

test("leaving the page asks only while edits are unsaved", async () => {
  const { workbench, server, socket } = await opened();
  const leave = () => {
    const event = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(event);
    return event.defaultPrevented;
  };
  expect(leave()).toBe(false);
  server.reachable = false;
  socket.cut();
  workbench.document.setName("a", "Unsaved");
  expect(leave()).toBe(true);
  workbench.close();
  expect(leave()).toBe(false);
});

test("closing leaves the canvas on the server and takes the built-in plugins out; the page's own stay", async () => {
  const { page, workbench, socket } = await opened();
  const dispose = vi.fn();
  page.registerPlugin({ name: "mine", dispose });
  workbench.close();
  await settle();
  expect(socket.sent.at(-1)).toMatchObject({ event: "canvas.close", payload: { canvas: "c" } });
  expect(page.plugins.names.get()).toEqual(["mine"]);
  expect(dispose).not.toHaveBeenCalled();
  expect(page.document).toBeNull();
  await expect(page.replay("r1")).rejects.toThrow("no run to replay");
});

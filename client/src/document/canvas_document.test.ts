/** Whatever becomes of the connection, acknowledged edits are everybody's and others are not lost in silence. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as Y from "yjs";
import type { Role } from "../protocol";
import { FakeServer, type FakeSocket, settle } from "../testing/fake_server";
import { CanvasDocument } from "./canvas_document";

let server: FakeServer;
let tabs: Tab[];

interface Tab {
  document: CanvasDocument;
  socket: FakeSocket;
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  tabs = [];
});
afterEach(() => {
  for (const { document } of tabs) document.close();
  vi.useRealTimers();
});

async function tab(name = "anna", role: Role = "owner"): Promise<Tab> {
  const { session, socket } = server.session(role);
  const made = { document: new CanvasDocument(session, "c", { id: name, name }), socket };
  tabs.push(made);
  session.connect();
  await settle();
  return made;
}

async function pass(ms = 15_000): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settle();
}

function stored(): unknown {
  return server.canvas("c").doc.getMap("nodes").toJSON();
}

test("an edit reaches the server and the other tabs, and counts as saved only then", async () => {
  const [anna, ben] = [await tab("anna"), await tab("ben")];
  expect(anna.document.saving.get()).toEqual({ state: "saved" });
  anna.document.addNode({ type: "core.value", position: [1, 2] }, "a");
  expect(anna.document.saving.get()).toEqual({ state: "saving", pending: 1 });
  await anna.document.saved();
  expect(anna.document.saving.get()).toEqual({ state: "saved" });
  expect(ben.document.spell.get()).toEqual(anna.document.spell.get());
  expect(ben.document.history.get().undo).toBe(false);
});

test("edits made while one is under way go together", async () => {
  const { document, socket } = await tab();
  for (let x = 0; x < 50; x += 1) document.move({ a: [x, 0] });
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  await Promise.resolve();
  for (let x = 1; x < 50; x += 1) document.move({ a: [x, 0] });
  await settle();
  expect(socket.sent.filter(({ event }) => event === "canvas.update")).toHaveLength(2);
  expect(stored()).toMatchObject({ a: { position: [49, 0] } });
});

test("edits made offline are kept, counted, and sent on return", async () => {
  const { document, socket } = await tab();
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  await settle();
  server.reachable = false;
  socket.cut();
  document.setName("a", "Offline");
  document.remove(["a"]);
  document.addNode({ type: "core.value", position: [0, 0] }, "b");
  expect(document.saving.get()).toMatchObject({ state: "offline", pending: 3 });
  expect(document.editable.get()).toBe(true);
  server.reachable = true;
  await pass();
  expect(document.saving.get()).toEqual({ state: "saved" });
  expect(Object.keys(stored() as object)).toEqual(["b"]);
});

test("a deletion alone, made offline, is sent on return", async () => {
  const { document, socket } = await tab();
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  await settle();
  socket.cut();
  document.remove(["a"]);
  await pass();
  expect(stored()).toEqual({});
});

test("an update without an answer is sent again under its id until it is acknowledged", async () => {
  const { document, socket } = await tab();
  server.fates = ["lose request", "lose answer", "lose request"];
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  await pass(60_000);
  const ids = socket.sent
    .filter(({ event }) => event === "canvas.update")
    .map(({ payload }) => payload.msg_id);
  expect(ids).toHaveLength(4);
  expect(new Set(ids).size).toBe(1);
  expect(document.saving.get()).toEqual({ state: "saved" });
  expect(Object.keys(stored() as object)).toEqual(["a"]);
});

test("hours of work made offline go in parcels under the server's limit for one edit", async () => {
  const { document, socket } = await tab();
  server.reachable = false;
  socket.cut();
  for (let i = 0; i < 40; i += 1) {
    document.addNode({ type: "core.value", position: [i, 0], inputs: { text: "x".repeat(50_000) } }, `n${i}`);
  }
  server.reachable = true;
  await pass();
  const sizes = socket.sent
    .filter(({ event }) => event === "canvas.update")
    .map(({ payload }) => (payload.update as Uint8Array).byteLength);
  expect(Math.max(...sizes)).toBeLessThan(512 * 1024);
  expect(Object.keys(stored() as object)).toHaveLength(40);
});

test("an edit that the server took, but could not answer, is not doubled by the second coming", async () => {
  const { document, socket } = await tab();
  server.fates = ["lose answer"];
  document.addNode({ type: "code.python", position: [0, 0], code: "once" }, "a");
  await settle();
  socket.cut();
  await pass();
  expect(document.saving.get()).toEqual({ state: "saved" });
  expect(stored()).toMatchObject({ a: { code: "once" } });
});

test("a server that lost what it had acknowledged gets it again", async () => {
  const { document, socket } = await tab();
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  await settle();
  server.canvases.set("c", { doc: new Y.Doc(), epoch: "e1", seq: 0 });
  socket.cut();
  await pass();
  expect(Object.keys(stored() as object)).toEqual(["a"]);
});

test("a store that is down for now keeps the edits and says why", async () => {
  const { document } = await tab();
  server.fates = [{ code: "store_unavailable", message: "The disk is full." }];
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  await settle();
  expect(document.saving.get()).toMatchObject({
    state: "offline",
    pending: 1,
    reason: "The disk is full.",
  });
  await pass();
  expect(document.saving.get()).toEqual({ state: "saved" });
});

test("a refused edit is taken back here, kept for export, and later edits go on", async () => {
  const { document } = await tab();
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  await settle();
  const before = document.spell.get();
  const [generation, client] = [document.generation.get(), document.doc.clientID];
  server.fates = [{ code: "schema_violation", message: "The edit would break the spell." }];
  document.addNode({ type: "x".repeat(300), position: [0, 0] }, "bad");
  const outcome = document.saved();
  await expect(outcome).rejects.toMatchObject({ code: "schema_violation" });
  await settle();
  expect(document.saving.get()).toMatchObject({ state: "rejected", error: { code: "schema_violation" } });
  expect(document.spell.get()).toEqual(before);
  expect(document.spell.get().nodes.a).toBe(before.nodes.a);
  const [copy] = document.refused.get();
  expect(Object.keys(copy?.spell.nodes ?? {})).toEqual(["a", "bad"]);
  expect(copy).toMatchObject({ error: { code: "schema_violation" }, touched: ["bad"] });
  expect(document.generation.get()).toBe(generation + 1);
  expect(document.doc.clientID).not.toBe(client);
  await document.discard(copy?.id ?? "");
  document.setName("a", "Fine");
  await settle();
  expect(document.saving.get()).toEqual({ state: "saved" });
  expect(stored()).toMatchObject({ a: { name: "Fine" } });
});

test("a gap that the server sees is filled by one difference", async () => {
  const { document } = await tab();
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  await settle();
  server.fates = [{ code: "update_gap", message: "Edits are missing." }];
  document.setName("a", "Later");
  await pass();
  expect(document.refused.get()).toEqual([]);
  expect(stored()).toMatchObject({ a: { name: "Later" } });
});

test("another life of the canvas is never merged: this tab's unsaved work is set aside", async () => {
  const { document, socket } = await tab();
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  await settle();
  server.reachable = false;
  socket.cut();
  document.addNode({ type: "core.value", position: [0, 0] }, "mine");
  server.canvases.set("c", { doc: new Y.Doc(), epoch: "e2", seq: 0 });
  server.reachable = true;
  await pass();
  expect(document.spell.get().nodes).toEqual({});
  expect(stored()).toEqual({});
  const [copy] = document.refused.get();
  expect(copy).toMatchObject({ error: { code: "epoch_mismatch" } });
  expect(Object.keys(copy?.spell.nodes ?? {})).toEqual(["a", "mine"]);
});

test("a server that was restarted from its store doubles nothing", async () => {
  const [anna, ben] = [await tab("anna"), await tab("ben")];
  anna.document.addNode({ type: "core.value", position: [0, 0] }, "a");
  await settle();
  const kept = Y.encodeStateAsUpdate(server.canvas("c").doc);
  const restored = new Y.Doc();
  Y.applyUpdate(restored, kept);
  server.canvases.set("c", { doc: restored, epoch: "e1", seq: 0 });
  for (const { socket } of [anna, ben]) socket.cut();
  await pass(90_000);
  expect(Object.keys(anna.document.spell.get().nodes)).toEqual(["a"]);
  expect(ben.document.spell.get()).toEqual(anna.document.spell.get());
});

test("who may only look cannot edit, and is told why", async () => {
  const { document } = await tab("eve", "viewer");
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  expect(document.spell.get().nodes).toEqual({});
  expect(document.saving.get()).toMatchObject({
    state: "read-only",
    reason: expect.stringContaining("viewer"),
  });
});

test("a role taken away in mid-session ends editing at once and brings back the server's state", async () => {
  const { document, socket } = await tab();
  socket.role = "viewer";
  document.addNode({ type: "core.value", position: [0, 0] }, "a");
  await pass();
  expect(document.spell.get().nodes).toEqual({});
  expect(document.refused.get()).toMatchObject([{ error: { code: "forbidden" }, touched: ["a"] }]);
  expect(document.editable.get()).toBe(false);
  socket.emit("canvas.role", { canvas: "c", role: null });
  expect(document.saving.get()).toEqual({
    state: "read-only",
    reason: "This canvas was deleted, or you were taken off it.",
  });
});

test("a canvas that is not there fails with the server's reason", async () => {
  server.answers.set("canvas.open", () => ({
    ok: false,
    error: { code: "not_found", message: "There is no such canvas." },
  }));
  const { document } = await tab();
  expect(document.loading.get()).toMatchObject({ state: "failed", error: { code: "not_found" } });
});

test("problems and ports follow the server's word, for this canvas only", async () => {
  const { document, socket } = await tab();
  const problem = { code: "cycle", message: "A cycle.", severity: "error" as const };
  socket.emit("canvas.problems", { canvas: "other", problems: [problem], ports: {} });
  expect(document.problems.get()).toEqual([]);
  socket.emit("canvas.problems", {
    canvas: "c",
    problems: [problem],
    ports: { a: { inputs: [], outputs: [] } },
  });
  expect(document.problems.get()).toEqual([problem]);
  expect(document.ports.get()).toEqual({ a: { inputs: [], outputs: [] } });
});

describe("presence", () => {
  test("others see name, cursor and selection, at most 20 times a second, and the last state always", async () => {
    const [anna, ben] = [await tab("anna"), await tab("ben")];
    await pass(100);
    const before = anna.socket.sent.length;
    for (let x = 0; x < 100; x += 1) {
      anna.document.setPresence({ cursor: [x, 0], selection: ["a"] });
      await vi.advanceTimersByTimeAsync(10);
    }
    await pass(100);
    expect(anna.socket.sent.length - before).toBeLessThanOrEqual(22);
    expect(ben.document.people.get()).toMatchObject([
      { user: "anna", name: "anna", cursor: [99, 0], selection: ["a"] },
    ]);
  });

  test("nobody is shown while offline, and people are back at once after it", async () => {
    const [anna, ben] = [await tab("anna"), await tab("ben")];
    await pass(100);
    anna.document.setPresence({ cursor: [1, 1] });
    await pass(100);
    server.reachable = false;
    ben.socket.cut();
    expect(ben.document.people.get()).toEqual([]);
    server.reachable = true;
    await pass(16_000);
    expect(ben.document.people.get()).toMatchObject([{ user: "anna", cursor: [1, 1] }]);
  });
});

test("tabs that edit through cuts, losses and undo converge with the server", async () => {
  const action = fc.record({
    who: fc.nat({ max: 2 }),
    what: fc.constantFrom("add", "remove", "move", "input", "code", "wire", "undo", "cut", "lose", "wait"),
    a: fc.nat({ max: 5 }),
    b: fc.nat({ max: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      server = new FakeServer();
      for (const { document } of tabs.splice(0)) document.close();
      for (const name of ["anna", "ben", "cy"]) await tab(name);
      for (const { who, what, a, b } of actions) {
        const { document, socket } = tabs[who] as Tab;
        const id = `n${a}`;
        if (what === "add") document.addNode({ type: "core.value", position: [a, b], code: "" }, id);
        if (what === "remove") document.remove([id]);
        if (what === "move") document.move({ [id]: [b, a] });
        if (what === "input") document.setInput(id, `p${b}`, b);
        if (what === "code") document.setCode(id, `x = ${b}`);
        if (what === "wire")
          document.connect({ source: id, output: "value", target: `n${b}`, input: "value" });
        if (what === "undo") document.undo();
        if (what === "cut") socket.cut();
        if (what === "lose") server.fates.push(b % 2 ? "lose request" : "lose answer");
        if (what === "wait") await vi.advanceTimersByTimeAsync(b * 100);
      }
      server.fates = [];
      await pass(60_000);
      const truth = Object.keys(stored() as object).sort();
      for (const { document } of tabs) {
        expect(document.saving.get()).toEqual({ state: "saved" });
        expect(document.refused.get()).toEqual([]);
        expect(Object.keys(document.spell.get().nodes).sort()).toEqual(truth);
        expect(document.toJson()).toEqual(tabs[0]?.document.toJson());
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

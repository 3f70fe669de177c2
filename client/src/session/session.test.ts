/** A session stays up through lost connections, says where it stands, and never queues. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeServer, settle } from "../testing/fake_server";
import { backoff } from "./backoff";
import { Session } from "./session";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("backoff doubles, has a ceiling, and is spread over its upper half", () => {
  const range = { first: 100, longest: 1_000 };
  expect([1, 2, 3, 4, 9].map((attempt) => backoff(attempt, range, () => 1))).toEqual([
    100, 200, 400, 800, 1_000,
  ]);
  expect(backoff(3, range, () => 0)).toBe(200);
});

test("comes back after a lost connection, and tells those who wait for it", async () => {
  const server = new FakeServer();
  const { session, socket } = server.session();
  const online = vi.fn();
  session.onOnline(online);
  session.connect();
  await settle();
  expect(session.status.get()).toEqual({ state: "online" });
  socket.cut();
  expect(session.status.get().state).toBe("offline");
  await vi.advanceTimersByTimeAsync(5);
  expect(session.status.get()).toEqual({ state: "online" });
  expect(online).toHaveBeenCalledTimes(2);
});

test("keeps trying while the server is not there", async () => {
  const server = new FakeServer();
  server.reachable = false;
  const { session } = server.session();
  session.connect();
  await vi.advanceTimersByTimeAsync(20);
  expect(session.status.get()).toMatchObject({ state: expect.stringMatching(/offline|connecting/) });
  server.reachable = true;
  await vi.advanceTimersByTimeAsync(5);
  expect(session.status.get()).toEqual({ state: "online" });
});

test("a refused token is replaced once; refused again, the session stops with the reason", async () => {
  const server = new FakeServer();
  server.refuse = { code: "token_expired", message: "The token has expired." };
  const rejectToken = vi.fn();
  const session = new Session({
    transport: server.transport(),
    rejectToken,
    backoff: { first: 1, longest: 1 },
  });
  session.connect();
  await vi.advanceTimersByTimeAsync(50);
  expect(rejectToken).toHaveBeenCalledOnce();
  expect(session.status.get()).toEqual({ state: "refused", error: server.refuse });
  server.refuse = null;
  session.connect();
  await settle();
  expect(session.status.get()).toEqual({ state: "online" });
});

test.each([
  { code: "unavailable", message: "The server is stopping." },
  { code: "too_many_sockets", message: "You have 100 connections open." },
])("$code refuses for now, not for good", async (refusal) => {
  const server = new FakeServer();
  server.refuse = refusal;
  const { session } = server.session();
  session.connect();
  await settle();
  expect(session.status.get()).toMatchObject({ state: "offline", reason: refusal.message });
});

test("a revoked session does not come back by itself", async () => {
  const server = new FakeServer();
  const { session, socket } = server.session();
  session.connect();
  await settle();
  socket.emit("session.revoked", { code: "token_revoked", message: "Signed out elsewhere." });
  await vi.advanceTimersByTimeAsync(100);
  expect(session.status.get()).toEqual({
    state: "refused",
    error: { code: "token_revoked", message: "Signed out elsewhere." },
  });
  expect(server.sockets.size).toBe(0);
});

test("a connection that the server cuts for now comes back by itself, and says why it was cut", async () => {
  const server = new FakeServer();
  const { session, socket } = server.session();
  session.connect();
  await settle();
  socket.emit("session.resync", { code: "too_slow", message: "This tab could not keep up." });
  socket.cut("io server disconnect");
  expect(session.status.get()).toMatchObject({ state: "offline", reason: "This tab could not keep up." });
  await vi.advanceTimersByTimeAsync(5);
  expect(session.status.get()).toEqual({ state: "online" });
  socket.cut();
  expect(session.status.get()).toMatchObject({ reason: "The connection was lost." });
});

test("tabs of a server that stops come back spread over a longer while", async () => {
  const waits = await Promise.all(
    [false, true].map(async (stopping) => {
      const server = new FakeServer();
      const session = new Session({
        transport: server.transport(),
        backoff: { first: 1_000, longest: 1_000 },
      });
      session.connect();
      await settle();
      for (const socket of server.sockets) {
        if (stopping) socket.emit("server.stopping", {});
        socket.cut();
      }
      const status = session.status.get();
      session.close();
      return status.state === "offline" ? status.retryAt - Date.now() : 0;
    }),
  );
  expect(waits[0]).toBeLessThanOrEqual(1_000);
  expect(waits[1]).toBeGreaterThanOrEqual(2_000);
  expect(waits[1]).toBeLessThanOrEqual(4_000);
});

test("a session whose token ran out comes back with a fresh one", async () => {
  const server = new FakeServer();
  const rejectToken = vi.fn();
  const session = new Session({
    transport: server.transport("owner"),
    rejectToken,
    backoff: { first: 1, longest: 1 },
  });
  session.connect();
  await settle();
  for (const socket of server.sockets) {
    socket.emit("session.revoked", { code: "token_expired", message: "The token has expired." });
    socket.cut("io server disconnect");
  }
  await vi.advanceTimersByTimeAsync(5);
  expect(rejectToken).toHaveBeenCalledOnce();
  expect(session.status.get()).toEqual({ state: "online" });
});

test("requests end with the answer, the server's error, a timeout, or the loss of the connection", async () => {
  const server = new FakeServer();
  server.answers.set("good", () => ({ ok: true, value: 1 }));
  server.answers.set("bad", () => ({
    ok: false,
    error: { code: "conflict", message: "No.", details: { a: 1 } },
  }));
  server.answers.set("odd", () => ({ ok: "?" }));
  server.fates = ["lose request", "lose request"];
  const { session, socket } = server.session();
  const request = session.request.bind(session) as (...given: unknown[]) => Promise<unknown>;
  await expect(request("good")).rejects.toMatchObject({ code: "offline" });
  session.connect();
  await settle();
  await expect(request("good")).resolves.toEqual({ value: 1 });
  await expect(request("bad")).rejects.toMatchObject({ code: "conflict", details: { a: 1 } });
  await expect(request("odd")).rejects.toMatchObject({ code: "malformed_answer" });
  const late = expect(request("canvas.update", {}, { timeout: 100 })).rejects.toMatchObject({
    code: "timeout",
  });
  await vi.advanceTimersByTimeAsync(100);
  await late;
  const cut = expect(request("canvas.update")).rejects.toMatchObject({ code: "disconnected" });
  await settle();
  socket.cut();
  await cut;
});

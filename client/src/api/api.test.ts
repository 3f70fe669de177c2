/** REST calls carry the token, refresh it once, and fail with the server's own code. */
import { expect, test } from "vitest";
import { Api } from "./api";
import { Auth } from "./auth";
import { ApiError } from "./errors";

const ANNA = { id: "u1", email: "anna@example.org", name: "Anna", role: "member" };

interface Sent {
  method: string;
  url: string;
  authorization: string | null;
  body: unknown;
}

function server(answer: (sent: Sent) => { status?: number; body?: unknown } | "unreachable") {
  const calls: Sent[] = [];
  const fetch = async (url: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    const body = init.body ? JSON.parse(init.body as string) : null;
    const sent = { method: init.method ?? "GET", url, authorization: headers.get("authorization"), body };
    calls.push(sent);
    const given = answer(sent);
    if (given === "unreachable") throw new TypeError("fetch failed");
    return new Response(given.body === undefined ? "" : JSON.stringify(given.body), {
      status: given.status ?? 200,
    });
  };
  return { calls, fetch };
}

test("a refused answer becomes an ApiError with code, details and status", async () => {
  const error = { code: "not_found", message: "There is no such canvas.", details: { id: "c" } };
  const { fetch } = server(() => ({ status: 404, body: { error } }));
  const failure = await new Api({ fetch }).get("/v1/canvases/c").catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({ ...error, status: 404 });
});

test("a proxy's page instead of JSON is an error that names the status", async () => {
  const fetch = async () => new Response("<h1>Bad gateway</h1>", { status: 502 });
  await expect(new Api({ fetch }).get("/v1/nodes")).rejects.toMatchObject({ code: "http_502", status: 502 });
});

test("a server that is not there is status 0", async () => {
  const { fetch } = server(() => "unreachable");
  await expect(new Api({ fetch }).get("/v1/nodes")).rejects.toMatchObject({ code: "unreachable", status: 0 });
});

test("query parameters that are not set are left out", async () => {
  const { fetch, calls } = server(() => ({ body: {} }));
  await new Api({ fetch }).get("/v1/runs", { query: { canvas: "a b", limit: 5, before: undefined } });
  expect(calls[0]?.url).toBe("/v1/runs?canvas=a+b&limit=5");
});

test("a call refused with 401 is sent once more with a fresh token", async () => {
  let good = "old";
  const { fetch, calls } = server((sent) => {
    if (sent.url === "/v1/auth/login")
      return { body: { access_token: "stale", expires_in: 900, user: ANNA } };
    if (sent.url === "/v1/auth/refresh") {
      good = "fresh";
      return { body: { access_token: "fresh", expires_in: 900, user: ANNA } };
    }
    return sent.authorization === `Bearer ${good}` ? { body: { items: [] } } : { status: 401, body: {} };
  });
  const auth = new Auth({ fetch });
  await auth.login("anna@example.org", "secret");
  await expect(new Api({ fetch, tokens: auth }).get("/v1/canvases")).resolves.toEqual({ items: [] });
  expect(calls.filter(({ url }) => url === "/v1/canvases")).toHaveLength(2);
});

test("a refresh goes on when its page is left: its answer takes the place of a cookie that is used up", async () => {
  const kept: unknown[] = [];
  const fetch = async (url: string, init: RequestInit) => {
    kept.push([url, init.keepalive]);
    return Response.json({ access_token: "t", expires_in: 900, user: ANNA });
  };
  await new Auth({ fetch }).restore();
  expect(kept).toEqual([["/v1/auth/refresh", true]]);
});

test("who is called otherwise is so on the page at once", async () => {
  const { fetch, calls } = server((sent) =>
    sent.method === "PATCH"
      ? { body: { ...ANNA, ...(sent.body as object) } }
      : { body: { access_token: "t", expires_in: 900, user: ANNA } },
  );
  const auth = new Auth({ fetch });
  await auth.login("anna@example.org", "secret");
  await auth.rename("Anna B.");
  expect(auth.user.get()).toEqual({ ...ANNA, name: "Anna B." });
  expect(calls.at(-1)).toMatchObject({
    url: "/v1/auth/me",
    authorization: "Bearer t",
    body: { name: "Anna B." },
  });
});

test("many who need a token at once share one refresh", async () => {
  const { fetch, calls } = server(() => ({ body: { access_token: "t", expires_in: 900, user: ANNA } }));
  const auth = new Auth({ fetch });
  const tokens = await Promise.all([auth.token(), auth.token(), auth.token()]);
  expect(tokens).toEqual(["t", "t", "t"]);
  expect(calls).toHaveLength(1);
  expect(auth.user.get()).toEqual(ANNA);
});

test("a token that is about to end is refreshed before it is used", async () => {
  let count = 0;
  const { fetch } = server(() => {
    count += 1;
    return { body: { access_token: `t${count}`, expires_in: 20, user: ANNA } };
  });
  const auth = new Auth({ fetch });
  expect([await auth.token(), await auth.token()]).toEqual(["t1", "t2"]);
});

test("a refused cookie signs out; an unreachable server does not", async () => {
  let status: number | "unreachable" = "unreachable";
  const { fetch } = server(() => (status === "unreachable" ? status : { status, body: {} }));
  const auth = new Auth({ fetch });
  await expect(auth.restore()).rejects.toMatchObject({ code: "unreachable" });
  expect(auth.user.get()).toBeUndefined();
  status = 401;
  await expect(auth.restore()).resolves.toBeNull();
  expect(auth.user.get()).toBeNull();
});

test("signing out forgets the person even when the server cannot be told", async () => {
  const { fetch } = server((sent) =>
    sent.url.endsWith("login") ? { body: { access_token: "t", expires_in: 900, user: ANNA } } : "unreachable",
  );
  const auth = new Auth({ fetch });
  await auth.login("anna@example.org", "secret");
  await auth.logout().catch(() => {});
  expect(auth.user.get()).toBeNull();
  expect(await auth.token()).toBeNull();
});

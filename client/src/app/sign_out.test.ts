/** Signing out takes along what the browser kept, and is told to the server even if that takes until later. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { browserKeep } from "../comments/keep";
import type { User } from "../protocol";
import { finishSignOut, question, signOut } from "./sign_out";

const ANNA = { id: "a1", email: "anna@example.org", name: "Anna", role: "member" } as User;
const WAITING = { id: "c", thread: "c", text: "Hm", node: null, at: null, createdAt: 1, error: null };

let reachable = true;
let sent: string[] = [];
let asked: string[] = [];

beforeEach(() => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => {
      kept.set(key, value);
      Object.defineProperty(storage, key, { value, enumerable: true, configurable: true });
    },
    removeItem: (key: string) => {
      kept.delete(key);
      Reflect.deleteProperty(storage, key);
    },
  };
  [reachable, sent, asked] = [true, [], []];
  vi.stubGlobal("localStorage", storage);
  vi.stubGlobal("location", { pathname: "/", hash: "" });
  vi.stubGlobal("history", { replaceState: () => {}, pushState: () => {} });
  vi.stubGlobal("window", { confirm: (words: string) => asked.push(words) > 0 });
  vi.stubGlobal("fetch", async (url: string) => {
    if (!reachable) throw new TypeError("Failed to fetch");
    sent.push(String(url));
    return new Response("{}", { status: 200, headers: { "Content-Type": "application/json" } });
  });
});

afterEach(() => vi.unstubAllGlobals());

test("what was written and not sent is asked about, and goes with the person; another's stays", async () => {
  browserKeep(ANNA.id, "one").change((kept) => ({ ...kept, waiting: [WAITING] }));
  browserKeep(ANNA.id, "two").change((kept) => ({ ...kept, drafts: { new: { text: "Hm", people: [] } } }));
  browserKeep("b2", "one").change((kept) => ({ ...kept, waiting: [WAITING] }));
  await signOut(ANNA);
  expect(asked).toEqual([expect.stringContaining("1 comment not sent yet")]);
  expect(browserKeep(ANNA.id, "one").read().waiting).toEqual([]);
  expect(browserKeep(ANNA.id, "two").read().drafts).toEqual({});
  expect(browserKeep("b2", "one").read().waiting).toHaveLength(1);
});

test("whoever signs out while the server is away is signed out there before anything else", async () => {
  reachable = false;
  await signOut(ANNA);
  expect(sent).toEqual([]);
  await expect(finishSignOut()).rejects.toMatchObject({ code: "unreachable" });
  reachable = true;
  await finishSignOut();
  expect(sent).toEqual([expect.stringContaining("/v1/auth/logout")]);
  await finishSignOut();
  expect(sent).toHaveLength(1);
});

test("nothing is asked where everything was sent", () => {
  expect(question({ edits: 0, copies: 0, canvases: 0 }, 0)).toBeNull();
  expect(question({ edits: 2, copies: 0, canvases: 1 }, 1)).toContain(
    "1 comment not sent yet and 2 edits not sent yet of one canvas",
  );
});

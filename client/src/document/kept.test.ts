/** What a browser keeps of a canvas: through closed tabs, crashes, other tabs, refusals, and days offline. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { KeepError, type KeptChange, MemoryStore } from "../offline";
import type { ErrorBody, Role } from "../protocol";
import { FakeBrowser, FakeTab } from "../testing/fake_browser";
import { FakeServer, type FakeSocket, settle } from "../testing/fake_server";
import { CanvasDocument } from "./canvas_document";

let server: FakeServer;
let browser: FakeBrowser;
let open: Tab[];

interface Tab {
  document: CanvasDocument;
  socket: FakeSocket;
  home: FakeTab;
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  browser = new FakeBrowser();
  open = [];
});
afterEach(() => {
  for (const { document } of open) document.close();
  vi.useRealTimers();
});

/** Open a tab of a browser; `connect: false` leaves the server unheard of. */
async function tab(
  options: { name?: string; in?: FakeBrowser; role?: Role; connect?: boolean } = {},
): Promise<Tab> {
  const { name = "anna", role = "owner", connect = true } = options;
  const { session, socket } = server.session(role);
  const home = new FakeTab(options.in ?? browser);
  const made = { document: new CanvasDocument(session, "c", { id: name, name }, home), socket, home };
  open.push(made);
  if (connect) session.connect();
  await settle();
  return made;
}

/** End a tab as a crash does. */
function crash({ socket, home, document }: Tab): void {
  home.die();
  socket.connect = () => {};
  server.sockets.delete(socket);
  socket.connected = false;
  open = open.filter((other) => other.document !== document);
}

function goOffline(...tabs: Tab[]): void {
  server.reachable = false;
  for (const { socket } of tabs) socket.cut();
}

async function pass(ms = 20_000): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settle();
}

async function comeBack(): Promise<void> {
  server.reachable = true;
  await pass();
}

const add = ({ document }: Tab, id: string) =>
  document.addNode({ type: "core.value", position: [0, 0], code: "" }, id);
const nodes = ({ document }: Tab) => Object.keys(document.spell.get().nodes).sort();
const stored = () => Object.keys(server.canvas("c").doc.getMap("nodes").toJSON()).sort();
const kept = () => browser.kept.canvas("anna", "c").load();
const violation: ErrorBody = { code: "schema_violation", message: "The edit would break the spell." };

describe("a tab that comes again", () => {
  test("shows the canvas before the server answers, edits it, and sends what was made", async () => {
    const first = await tab();
    add(first, "a");
    await settle();
    first.document.close();
    await settle();
    server.reachable = false;
    const second = await tab();
    expect(second.document.loading.get()).toEqual({ state: "open" });
    expect(nodes(second)).toEqual(["a"]);
    expect(second.document.editable.get()).toBe(true);
    add(second, "b");
    await settle();
    expect(second.document.saving.get()).toMatchObject({ state: "offline", pending: 1, unkept: 0 });
    await comeBack();
    expect(stored()).toEqual(["a", "b"]);
    expect(second.document.saving.get()).toEqual({ state: "saved" });
  });

  test("has every edit of a tab that crashed offline, and sends each once", async () => {
    const first = await tab();
    add(first, "a");
    await pass();
    goOffline(first);
    add(first, "b");
    first.document.setName("b", "Mine");
    await settle();
    crash(first);
    const second = await tab();
    expect(nodes(second)).toEqual(["a", "b"]);
    expect(second.document.saving.get()).toMatchObject({ state: "offline", pending: 2, unkept: 0 });
    await comeBack();
    expect(second.document.saving.get()).toEqual({ state: "saved" });
    expect(second.document.spell.get().nodes.b?.name).toBe("Mine");
    expect(stored()).toEqual(["a", "b"]);
    expect((await kept()).edits).toEqual([]);
  });

  test("takes up edits of a tab that was left while the server was silent", async () => {
    const first = await tab();
    await pass();
    server.fates = ["lose request", "lose request"];
    add(first, "a");
    first.document.close();
    await settle();
    const second = await tab();
    await pass(60_000);
    expect(stored()).toEqual(["a"]);
    expect(second.document.saving.get()).toEqual({ state: "saved" });
  });

  test("sends what is on its way when a tab is closed in the middle of work", async () => {
    const first = await tab();
    for (const id of ["a", "b", "c"]) add(first, id);
    first.document.close();
    await settle();
    expect(stored()).toEqual(["a", "b", "c"]);
    expect((await kept()).edits).toEqual([]);
  });

  test("uses a Yjs client id of its own", async () => {
    const first = await tab();
    const client = first.document.doc.clientID;
    crash(first);
    const second = await tab();
    expect(second.document.doc.clientID).not.toBe(client);
  });

  test("another person on the same browser sees and sends nothing of it", async () => {
    const anna = await tab();
    goOffline(anna);
    add(anna, "secret");
    await settle();
    crash(anna);
    const ben = await tab({ name: "ben" });
    expect(ben.document.loading.get()).toEqual({ state: "loading" });
    expect(nodes(ben)).toEqual([]);
    await comeBack();
    expect(stored()).toEqual([]);
    expect((await kept()).edits).toHaveLength(1);
  });
});

describe("tabs of one browser", () => {
  test("see each other's edits while offline, and nothing is doubled on return", async () => {
    const [one, two] = [await tab(), await tab()];
    add(one, "a");
    await pass();
    goOffline(one, two);
    add(one, "b");
    await settle();
    expect(nodes(two)).toEqual(["a", "b"]);
    two.document.setName("b", "Two's");
    await settle();
    expect(one.document.spell.get().nodes.b?.name).toBe("Two's");
    await comeBack();
    for (const each of [one, two]) {
      expect(each.document.saving.get()).toEqual({ state: "saved" });
      expect(each.document.refused.get()).toEqual([]);
      expect(nodes(each)).toEqual(["a", "b"]);
    }
    expect(stored()).toEqual(["a", "b"]);
  });

  test("edits of a tab that died are adopted by the one that lives, once", async () => {
    const [one, two, three] = [await tab(), await tab(), await tab()];
    await pass();
    goOffline(one, two, three);
    add(one, "a");
    await settle();
    crash(one);
    await settle();
    const pending = [two, three].map(({ document }) => {
      const status = document.saving.get();
      return "pending" in status ? status.pending : -1;
    });
    expect(pending.sort()).toEqual([0, 1]);
    await comeBack();
    expect(stored()).toEqual(["a"]);
  });

  test("one sends what builds on the other's, which is frozen", async () => {
    server.strict = true;
    const [one, two] = [await tab(), await tab()];
    await pass();
    goOffline(one, two);
    add(one, "a");
    await settle();
    two.document.setName("a", "Two's");
    await settle();
    one.socket.connect = () => {}; // Frozen: it lives, and does not come back.
    await comeBack();
    expect(two.document.saving.get()).toEqual({ state: "saved" });
    expect(server.canvas("c").doc.getMap("nodes").toJSON()).toMatchObject({ a: { name: "Two's" } });
  });

  test("a refusal of one's edit takes it from the other, too, with all work of both kept", async () => {
    server.strict = true;
    const [one, two] = [await tab(), await tab()];
    await pass();
    goOffline(one, two);
    add(one, "bad");
    add(one, "good");
    await settle();
    add(two, "also");
    two.document.setName("bad", "builds on it");
    await settle();
    server.judge = (spell) => ("bad" in spell.nodes ? violation : null);
    await comeBack();
    await pass();
    for (const each of [one, two]) expect(nodes(each)).toEqual(["also", "good"]);
    expect(stored()).toEqual(["also", "good"]);
    const copies = one.document.refused.get();
    expect(copies.length).toBeGreaterThan(0);
    expect(two.document.refused.get()).toEqual(copies);
    expect(copies.some(({ spell }) => spell.nodes?.bad)).toBe(true);
    expect((await kept()).edits).toEqual([]);
  });
});

describe("refusals", () => {
  beforeEach(() => {
    server.strict = true;
    server.judge = ({ nodes: all }) =>
      Object.keys(all).some((id) => id.startsWith("bad")) ? violation : null;
  });

  test("of many edits only the one that the server does not take is set aside", async () => {
    const one = await tab();
    add(one, "a");
    await settle();
    goOffline(one);
    add(one, "b");
    one.document.setCode("a", "x = 1");
    add(one, "bad1");
    one.document.setName("b", "kept");
    one.document.setCode("a", "x = 12");
    one.document.connect({ source: "a", output: "v", target: "b", input: "v" });
    one.document.connect({ source: "bad1", output: "v", target: "b", input: "w" });
    one.document.addNote({ text: "note", position: [0, 0] }, "n");
    await comeBack();
    expect(one.document.saving.get()).toMatchObject({ state: "rejected" });
    expect(nodes(one)).toEqual(["a", "b"]);
    expect(stored()).toEqual(["a", "b"]);
    const { spell } = one.document;
    expect(spell.get().nodes).toMatchObject({ a: { code: "x = 12" }, b: { name: "kept" } });
    expect(Object.values(spell.get().edges)).toMatchObject([{ source: "a", target: "b" }]);
    expect(spell.get().notes.n?.text).toBe("note");
    const [copy, ...others] = one.document.refused.get();
    expect(others).toEqual([]);
    expect(copy).toMatchObject({ error: violation, canvas: "c" });
    expect(copy?.touched).toContain("bad1");
    expect(copy?.touched).not.toContain("n");
    expect(Object.keys(copy?.spell.nodes ?? {}).sort()).toEqual(["a", "b", "bad1"]);
  });

  test("several copies are kept, over reloads, until each is discarded", async () => {
    const one = await tab();
    for (const id of ["bad1", "bad2"]) {
      add(one, id);
      await pass();
    }
    expect(one.document.refused.get()).toHaveLength(2);
    crash(one);
    const two = await tab();
    const [first, second] = two.document.refused.get();
    expect([first, second].map((copy) => copy?.touched)).toEqual([["bad1"], ["bad2"]]);
    await two.document.discard(first?.id ?? "");
    two.document.close();
    const three = await tab();
    expect(three.document.refused.get()).toEqual([second]);
    await three.document.discard(second?.id ?? "");
    expect(three.document.saving.get()).toEqual({ state: "saved" });
  });

  test("edits made while the refusal is being dealt with are kept", async () => {
    const one = await tab();
    add(one, "bad1");
    for (let i = 0; i < 20; i += 1) {
      await Promise.resolve();
      add(one, `n${i}`);
    }
    await pass();
    expect(stored()).toHaveLength(20);
    expect(nodes(one)).toEqual(stored());
  });

  test("a client id that is somebody else's is changed, and the work done again under another", async () => {
    const one = await tab();
    add(one, "a");
    await pass();
    goOffline(one);
    add(one, "b");
    server.takenClients.add(one.document.doc.clientID);
    const { generation } = one.document;
    const before = generation.get();
    await comeBack();
    expect(generation.get()).toBe(before + 1);
    expect(one.document.refused.get()).toEqual([]);
    expect(stored()).toEqual(["a", "b"]);
  });

  test("work that builds on what both the server and the browser have lost is in a copy", async () => {
    const store = new MemoryStore(null);
    const canvas = store.canvas.bind(store);
    store.canvas = (...place) => {
      const made = canvas(...place);
      const load = made.load.bind(made);
      return Object.assign(made, { load: async () => ({ ...(await load()), acked: [] }) });
    };
    server.strict = true;
    const one = await tab({ in: new FakeBrowser(store) });
    add(one, "a");
    await pass();
    goOffline(one);
    add(one, "b");
    await settle();
    server.canvases.set("c", { doc: new Y.Doc(), epoch: server.canvas("c").epoch, seq: 0 });
    await comeBack();
    await pass();
    expect(stored()).toEqual(nodes(one));
    const [copy] = one.document.refused.get();
    expect(Object.keys(copy?.spell.nodes ?? {}).sort()).toEqual(["a", "b"]);
  });

  test("what is done again is sent once the browser has it in the place of what was done first", async () => {
    const store = new MemoryStore(null);
    const canvas = store.canvas.bind(store);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    store.canvas = (...place) => {
      const made = canvas(...place);
      const write = made.write.bind(made);
      return Object.assign(made, {
        write: async (change: KeptChange) => {
          if (change.replace?.length) await held;
          return write(change);
        },
      });
    };
    const one = await tab({ in: new FakeBrowser(store) });
    add(one, "a");
    await pass();
    goOffline(one);
    add(one, "b");
    server.takenClients.add(one.document.doc.clientID);
    server.reachable = true;
    await pass(1_000);
    expect(stored()).toEqual(["a"]);
    expect(one.document.saving.get()).toEqual({ state: "saving", pending: 1 });
    release();
    await settle();
    expect(stored()).toEqual(["a", "b"]);
    expect(one.document.saving.get()).toEqual({ state: "saved" });
  });

  test("another life of the canvas sets aside what a tab that is gone had not sent", async () => {
    const one = await tab();
    add(one, "a");
    await pass();
    goOffline(one);
    add(one, "mine");
    await settle();
    crash(one);
    server.canvases.set("c", { doc: new Y.Doc(), epoch: "e2", seq: 0 });
    server.reachable = true;
    const two = await tab();
    await pass();
    expect(nodes(two)).toEqual([]);
    expect(stored()).toEqual([]);
    expect(two.document.refused.get()).toMatchObject([{ error: { code: "epoch_mismatch" } }]);
    expect(Object.keys(two.document.refused.get()[0]?.spell.nodes ?? {}).sort()).toEqual(["a", "mine"]);
    add(two, "new");
    await pass();
    expect(await kept()).toMatchObject({ head: { epoch: "e2" }, edits: [] });
    expect(stored()).toEqual(["new"]);
  });

  test("who was taken off a canvas keeps unsent work as a copy, and nothing else stays", async () => {
    const one = await tab();
    add(one, "a");
    await pass();
    goOffline(one);
    add(one, "mine");
    await settle();
    server.answers.set("canvas.open", () => ({
      ok: false,
      error: { code: "not_found", message: "There is no such canvas." },
    }));
    await comeBack();
    const reason = "This canvas was deleted, or you were taken off it.";
    expect(one.document.saving.get()).toEqual({ state: "read-only", reason });
    expect(nodes(one)).toEqual(["a", "mine"]);
    expect(await kept()).toMatchObject({ head: null, acked: [], edits: [] });
    expect(await browser.kept.refused("anna")).toMatchObject([{ error: { code: "not_found" } }]);
  });
});

describe("a browser that does not keep", () => {
  test("says so, and work goes on in memory", async () => {
    browser = new FakeBrowser(new MemoryStore("A private window."));
    const one = await tab();
    add(one, "a");
    await pass();
    expect(one.document.saving.get()).toEqual({ state: "saved" });
    expect(one.document.unkept).toBe(0);
    goOffline(one);
    add(one, "b");
    await settle();
    expect(one.document.keepTrouble.get()).toBe("A private window.");
    expect(one.document.saving.get()).toMatchObject({ state: "offline", pending: 1, unkept: 1 });
    expect(one.document.unkept).toBe(1);
    await comeBack();
    expect(stored()).toEqual(["a", "b"]);
  });

  test("asks before it loses a copy of refused work, too", async () => {
    const store = new MemoryStore(null);
    const one = await tab({ in: new FakeBrowser(store) });
    add(one, "a");
    await pass();
    goOffline(one);
    add(one, "mine");
    await settle();
    const place = store.canvas("anna", "c");
    const forget = vi.spyOn(Object.getPrototypeOf(place), "forget");
    forget.mockRejectedValue(new KeepError("failed", "This browser's storage failed."));
    server.answers.set("canvas.open", () => ({
      ok: false,
      error: { code: "forbidden", message: "You were taken off this canvas." },
    }));
    vi.spyOn(console, "warn").mockImplementation(() => {});
    await comeBack();
    expect(one.document.refused.get()).toHaveLength(1);
    expect(one.document.unkept).toBe(1);
    await one.document.discard(one.document.refused.get()[0]?.id ?? "");
    expect(one.document.unkept).toBe(0);
    vi.restoreAllMocks();
  });

  test("that is full counts what is only in this tab, and tries again with the next edit", async () => {
    const one = await tab();
    await pass();
    goOffline(one);
    const canvas = browser.kept.canvas("anna", "c");
    const write = vi
      .spyOn(canvas, "write")
      .mockRejectedValue(new KeepError("full", "This browser keeps no more."));
    add(one, "a");
    add(one, "b");
    await settle();
    expect(one.document.saving.get()).toMatchObject({ state: "offline", pending: 2, unkept: 2 });
    expect(one.document.keepTrouble.get()).toBe("This browser keeps no more.");
    write.mockRestore();
    add(one, "c");
    await settle();
    expect(one.document.saving.get()).toMatchObject({ state: "offline", pending: 3, unkept: 0 });
    expect(one.document.keepTrouble.get()).toBeNull();
    await comeBack();
    expect(stored()).toEqual(["a", "b", "c"]);
  });

  test("that never answers does not keep the canvas shut", async () => {
    const { session } = server.session();
    const never = { store: new Promise<never>(() => {}), line: () => new FakeTab(browser).line() };
    const document = new CanvasDocument(session, "c", { id: "anna", name: "anna" }, never);
    session.connect();
    await pass();
    expect(document.loading.get()).toEqual({ state: "open" });
    expect(document.keepTrouble.get()).toBe("This browser's storage does not answer.");
    document.close();
  });
});

test("three people in two browsers with tabs that reload, crash, go offline and are refused: nothing is lost or doubled", async () => {
  const action = fc.record({
    who: fc.nat({ max: 3 }),
    what: fc.constantFrom(
      ...["add", "add", "remove", "move", "input", "code", "wire", "undo", "bad", "cut", "lose"],
      ...["reload", "crash", "offline", "online", "wait"],
    ),
    a: fc.nat({ max: 5 }),
    b: fc.nat({ max: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      for (const { document } of open.splice(0)) document.close();
      await settle();
      server = new FakeServer();
      server.strict = true;
      server.judge = ({ nodes: all }) => ("bad" in all ? violation : null);
      const browsers = [new FakeBrowser(), new FakeBrowser()];
      const homes = [browsers[0], browsers[0], browsers[0], browsers[1]] as FakeBrowser[];
      const tabs = await Promise.all(homes.map((home) => tab({ in: home })));
      let made = 0;
      const additions = new Set<string>();
      const removed = new Set<string>();
      for (const { who, what, a, b } of actions) {
        const here = tabs[who] as Tab;
        const { document, socket } = here;
        const ids = nodes(here);
        const id = ids[a % Math.max(1, ids.length)] ?? "none";
        if (what === "add") {
          const fresh = `n${++made}`;
          if (document.editable.get()) additions.add(fresh);
          add(here, fresh);
        }
        if (what === "bad") add(here, "bad");
        if (what === "remove") {
          if (ids.includes(id)) removed.add(id);
          document.remove([id]);
        }
        if (what === "undo") {
          // Undo may take back an addition, or a removal.
          const before = nodes(here);
          document.undo();
          for (const one of before) if (!nodes(here).includes(one)) removed.add(one);
        }
        if (what === "move") document.move({ [id]: [b, a] });
        if (what === "input") document.setInput(id, `p${b}`, b);
        if (what === "code") document.setCode(id, `x = ${b}`);
        if (what === "wire") document.connect({ source: id, output: "v", target: ids[b] ?? id, input: "v" });
        if (what === "cut") socket.cut();
        if (what === "lose") server.fates.push(b % 2 ? "lose request" : "lose answer");
        if (what === "wait") await vi.advanceTimersByTimeAsync(b * 100);
        if (what === "offline") goOffline(...tabs);
        if (what === "online") server.reachable = true;
        if (what === "reload" || what === "crash") {
          await settle(); // An edit is durable a moment after it was made; the indicator says so.
          if (what === "crash") crash(here);
          else {
            document.close();
            socket.cut();
          }
          tabs[who] = await tab({ in: homes[who] as FakeBrowser });
        }
      }
      server.fates = [];
      server.reachable = true;
      await pass(120_000);
      const truth = stored();
      for (const each of tabs) {
        expect(each.document.saving.get().state).toMatch(/saved|rejected/);
        expect(nodes(each)).toEqual(truth);
        expect(each.document.toJson()).toEqual(tabs[0]?.document.toJson());
      }
      const copies = tabs.flatMap(({ document }) => document.refused.get());
      const inCopies = new Set(copies.flatMap(({ spell }) => Object.keys(spell.nodes ?? {})));
      for (const id of additions) {
        if (removed.has(id)) continue;
        expect(truth.includes(id) || inCopies.has(id), `${id} is neither on the canvas nor in a copy`).toBe(
          true,
        );
      }
      expect(truth).not.toContain("bad");
      for (const home of browsers) expect((await home.kept.canvas("anna", "c").load()).edits).toEqual([]);
    }),
    { numRuns: 40 },
  );
}, 60_000);

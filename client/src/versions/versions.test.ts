/** The timeline keeps itself up, and what is looked at never touches what is worked on. */
import { beforeEach, expect, test, vi } from "vitest";
import { ProtocolError } from "../api/errors";
import type { Spell } from "../protocol";
import type { Connection } from "../session";
import { Store } from "../store";
import { byDay, dayTitle } from "./days";
import { byWhat, withAdded } from "./marks";
import { describeChanges } from "./summary";
import { type Present, Timeline } from "./timeline";
import type { Change, Summary, Version } from "./types";

const NONE = { added: 0, removed: 0, changed: 0, moved: 0 };
const QUIET: Summary = {
  renamed: false,
  nodes: NONE,
  edges: NONE,
  groups: NONE,
  notes: NONE,
  requirements: NONE,
  tests: NONE,
  things: [],
};
const EMPTY: Spell = {
  schema: 1,
  name: "Now",
  nodes: {},
  edges: {},
  groups: {},
  notes: {},
  requirements: {},
  tests: {},
};

function version(number: number, more: Partial<Version> = {}): Version {
  return {
    id: `v${number}`,
    canvas: "c",
    number,
    seq: number,
    created_at: 1_000 * number,
    name: null,
    reason: "edited",
    source: null,
    by: null,
    authors: [],
    changes: QUIET,
    ...more,
  };
}

function change(id: string, what: Change["what"], more: Partial<Change> = {}): Change {
  return { kind: "nodes", id, what, name: null, type: "core.value", fields: [], ...more };
}

function touched(what: Change["what"], name: string | null, fields: string[] = []) {
  return { kind: "nodes" as const, id: `${name}`, what, name, type: "core.value", fields };
}

/** A server that answers what `answers` says. */
class Server {
  readonly asked: [string, Record<string, unknown>][] = [];
  readonly answers: Record<string, (asked: Record<string, unknown>) => unknown> = {};
  readonly listeners = new Map<string, (data: unknown) => void>();
  online = () => {};

  get connection(): Connection {
    return {
      request: async (event: string, asked: Record<string, unknown>) => {
        this.asked.push([event, asked]);
        const answer = this.answers[event];
        if (!answer) throw new ProtocolError({ code: "offline", message: "There is no connection." });
        return answer(asked);
      },
      on: (event: string, listener: (data: unknown) => void) => {
        this.listeners.set(event, listener);
        return () => this.listeners.delete(event);
      },
      onOnline: (listener: () => void) => {
        this.online = listener;
        return () => {};
      },
    } as never;
  }

  tell(told: Version, canvas = "c"): void {
    this.listeners.get("canvas.versions")?.({ canvas, version: told });
  }
}

let server: Server;
let spell: Store<Spell>;
let timeline: Timeline;

beforeEach(() => {
  server = new Server();
  spell = new Store(EMPTY);
  const present: Present = { canvas: "c", spell, ports: new Store({}), saved: async () => {} };
  timeline = new Timeline(server.connection, present);
  const end = timeline.open();
  return () => end();
});

const numbers = () => timeline.versions.get().map((each) => each.number);

function pages(...all: Version[]): void {
  server.answers["versions.find"] = ({ before, limit }) => {
    const left = all.filter((each) => before === undefined || each.number < (before as number));
    return { items: left.slice(0, limit as number), more: left.length > (limit as number) };
  };
}

function open(changes: Change[], nodes: Record<string, object> = { a: { type: "core.value" } }): void {
  server.answers["versions.get"] = () => ({ ...version(1), spell: { name: "Then", nodes, edges: {} } });
  server.answers["versions.compare"] = () => ({
    canvas: "c",
    before: "v1",
    after: null,
    seq: 9,
    name: null,
    changes,
  });
}

test("lists newest first, a page at a time, and takes up what is told", async () => {
  pages(...Array.from({ length: 120 }, (_, index) => version(120 - index)));
  await timeline.load();
  expect(numbers().slice(0, 2)).toEqual([120, 119]);
  expect(timeline.more.get()).toBe(true);
  await timeline.loadOlder();
  await timeline.loadOlder();
  expect(numbers()).toHaveLength(120);
  expect(timeline.more.get()).toBe(false);
  server.tell(version(121));
  server.tell(version(5, { name: "Good" }));
  server.tell(version(122), "another canvas");
  expect(numbers()[0]).toBe(121);
  expect(timeline.versions.get().find((each) => each.number === 5)?.name).toBe("Good");
  expect(numbers()).toHaveLength(121);
});

test("is read anew after a lost connection, without what was thinned out meanwhile", async () => {
  pages(version(3), version(2), version(1));
  await timeline.load();
  pages(version(4), version(3), version(1));
  server.online();
  await vi.waitFor(() => expect(numbers()).toEqual([4, 3, 1]), 30_000);
});

test("asks nothing of the server before it is looked at", () => {
  server.online();
  server.tell(version(1));
  expect(server.asked).toEqual([]);
  expect(numbers()).toEqual([]);
});

test("says why the list or a version could not be loaded, and tries again when asked", async () => {
  await timeline.load();
  expect(timeline.listing.get()).toMatchObject({ state: "failed", error: { code: "offline" } });
  await timeline.show(version(1));
  expect(timeline.shown.get()).toMatchObject({ state: "failed", error: { code: "offline" } });
  open([]);
  await timeline.show(version(1));
  expect(timeline.shown.get()?.state).toBe("open");
});

test("shows a version with what differs, and what came since beside it", async () => {
  const fresh = { type: "core.value", inputs: { value: 7 }, settings: {}, position: [5, 5] as const };
  spell.set({ ...EMPTY, nodes: { b: fresh } });
  open([change("a", "removed"), change("b", "added")]);
  await timeline.show(version(1));
  const shown = timeline.shown.get();
  if (shown?.state !== "open") throw new Error("not open");
  expect([...shown.marks]).toEqual([
    ["a", "removed"],
    ["b", "added"],
  ]);
  expect(Object.keys(shown.document.spell.get().nodes)).toEqual(["b", "a"]);
  expect(spell.get().nodes).toEqual({ b: fresh });
});

test("asks for the ports of nodes whose code was another", async () => {
  open([change("a", "changed"), change("b", "changed")], {
    a: { type: "code.python", code: "x * 2" },
    b: { type: "core.value" },
  });
  const ports = { inputs: [{ name: "x", schema: {} }], outputs: [], extra_inputs: false };
  server.answers["nodes.ports"] = () => ports;
  await timeline.show(version(1));
  const shown = timeline.shown.get();
  if (shown?.state !== "open") throw new Error("not open");
  expect(shown.document.ports.get()).toEqual({ a: ports });
});

test("the last version chosen is the one that is shown", async () => {
  open([]);
  await Promise.all([timeline.show(version(1)), timeline.show(version(2))]);
  expect(timeline.shown.get()).toMatchObject({ state: "open", version: { number: 2 } });
  timeline.back();
  expect(timeline.shown.get()).toBeNull();
});

test("compares anew when the present was edited and came to rest", async () => {
  vi.useFakeTimers();
  try {
    open([]);
    await timeline.show(version(1));
    open([change("a", "removed")]);
    spell.set({ ...EMPTY, name: "Edited" });
    spell.set({ ...EMPTY, name: "Edited again" });
    await vi.advanceTimersByTimeAsync(600);
    const shown = timeline.shown.get();
    expect(shown?.state === "open" && [...shown.marks]).toEqual([["a", "removed"]]);
    expect(server.asked.filter(([event]) => event === "versions.compare")).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});

test("a restore leads back to now and lists what was before", async () => {
  open([]);
  await timeline.show(version(1));
  server.answers["versions.restore"] = () => ({ before: version(2), after: version(3) });
  const restored = await timeline.restore("v1");
  expect(restored.before.id).toBe("v2");
  expect(timeline.shown.get()).toBeNull();
  expect(numbers()).toEqual([3, 2]);
});

test("a restore by anybody is news once, even to a list that was never read", () => {
  const news: string[] = [];
  timeline.restored.subscribe(() => news.push(timeline.restored.get()?.id ?? ""));
  timeline.open();
  server.tell(version(1));
  server.tell(version(2, { reason: "restored" }), "another");
  server.tell(version(3, { reason: "restored" }));
  server.tell(version(3, { reason: "restored" }));
  server.tell(version(3, { reason: "restored", name: "Named" }));
  expect(news).toEqual(["v3"]);
});

test("what came since is drawn below what was there", () => {
  const drawn = withAdded(
    { nodes: { a: { type: "core.value" } } },
    { ...EMPTY, notes: { n: { text: "New", position: [0, 0], size: [1, 1] } } },
    [change("n", "added", { kind: "notes", type: null })],
  );
  expect(drawn).toMatchObject({ nodes: { a: {} }, notes: { n: { text: "New" } } });
});

test("differences are told by what became of things", () => {
  const groups = byWhat([change("a", "moved"), change("b", "changed"), change("c", "added")]);
  expect(groups.map(({ what }) => what)).toEqual(["changed", "added", "moved"]);
});

test.each<[string, Partial<Summary>, string]>([
  ["nothing", {}, "Nothing changed"],
  [
    "code comes first",
    {
      nodes: { ...NONE, added: 3, changed: 1 },
      things: [touched("changed", "Summarise", ["code"]), touched("added", "A"), touched("added", "B")],
    },
    "Code of Summarise changed, 3 nodes added",
  ],
  [
    "one thing by its name, or its type's title",
    {
      nodes: { ...NONE, added: 1, removed: 1 },
      things: [touched("added", null), touched("removed", "Draft")],
    },
    "Number added, Draft removed",
  ],
  [
    "a few words, not all",
    {
      renamed: true,
      nodes: { added: 2, removed: 2, changed: 2, moved: 2 },
      edges: { ...NONE, added: 1 },
    },
    "2 nodes added, 2 nodes removed, 2 nodes changed and more",
  ],
  ["moves", { nodes: { ...NONE, moved: 1 } }, "1 node moved"],
  ["packages", { requirements: { ...NONE, added: 2, changed: 1 } }, "2 packages added, 1 package changed"],
  ["a name", { renamed: true }, "Canvas renamed"],
])("a summary says %s", (_what, summary, words) => {
  const titles: Record<string, string> = { "core.value": "Number" };
  expect(describeChanges({ ...QUIET, ...summary }, (type) => titles[type])).toBe(words);
});

test("versions are grouped by day", () => {
  const now = new Date(2026, 4, 10, 12, 0);
  const at = (day: number, hour: number) => new Date(2026, 4, day, hour).getTime() / 1000;
  const days = byDay(
    [
      version(4, { created_at: at(10, 11) }),
      version(3, { created_at: at(10, 9) }),
      version(2, { created_at: at(9, 23) }),
      version(1, { created_at: at(2, 8) }),
    ],
    now,
  );
  expect(days.map((day) => day.versions.length)).toEqual([2, 1, 1]);
  expect(days.map((day) => day.title).slice(0, 2)).toEqual(["Today", "Yesterday"]);
  expect(dayTitle(new Date(2024, 0, 1).getTime() / 1000, now)).toContain("2024");
});

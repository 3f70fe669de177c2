/** What a node ran inside itself, from its events. */
import { describe, expect, it, vi } from "vitest";
import { shownIteration, toldFailures } from "../editor/store/insides";
import type { RunEvent } from "../protocol";
import { blamedNode, iterationOf, placeIn, roundsIn } from "./inside_paths";
import { InsideRun } from "./inside_run";
import { idleNode, reduceEvents, unknownRun } from "./reduce";

let seq = 0;
const event = (kind: RunEvent["kind"], node: string, more: Partial<RunEvent> = {}): RunEvent => ({
  seq: ++seq,
  run: "r",
  kind,
  at: 1,
  node,
  ...more,
});

const OFFLINE: RunEvent[][] = [];

function followed(given: RunEvent[][]) {
  let pages = given;
  let tell: (events: readonly RunEvent[]) => void = () => {};
  const asked: number[] = [];
  let opened = () => {};
  const inside = new InsideRun("r", "map", {
    page: async (after) => {
      asked.push(after);
      if (pages === OFFLINE) throw new Error("offline");
      const events = pages.shift() ?? [];
      return { events, seq: events.at(-1)?.seq ?? after, more: pages.length > 0 };
    },
    onEvents: (listener) => {
      tell = listener;
      return () => {
        tell = () => {};
      };
    },
    onOpened: (listener) => {
      opened = listener;
      return () => {};
    },
  });
  return {
    inside,
    asked,
    tell: (events: readonly RunEvent[]) => tell(events),
    online: (now: RunEvent[][]) => {
      pages = now;
      opened();
    },
  };
}

const told = (inside: InsideRun) =>
  inside.state.get().iterations.map(({ index, state, nodes }) => [index, state, Object.keys(nodes)]);

describe("the node that is to blame", () => {
  const details = { path: "sub/map[3]/sub/x", node: "x", label: "Divide" };
  it("is led to from each owner (13.8)", () => {
    expect(blamedNode("map", details)).toEqual({ way: ["sub", "x"], label: "Divide" });
    expect(blamedNode("sub", details)?.way).toEqual(["map", "sub", "x"]);
    expect(blamedNode("sub", details, true)?.way).toEqual(["x"]);
  });
  it("is none where nothing inside failed, or may not be told (N3)", () => {
    expect(blamedNode("x", details)).toBeNull();
    expect(blamedNode("sub", undefined)).toBeNull();
    expect(blamedNode("sub", { hidden: "sub" })).toBeNull();
  });
});

describe("keys of what runs inside", () => {
  it("tell the iteration, and the node in it", () => {
    expect(placeIn("map", "map[3]/inner")).toEqual({ index: 3, rest: "inner" });
    expect(placeIn("sub", "sub/map[0]/x")).toEqual({ index: null, rest: "map[0]/x" });
    expect(placeIn("map", "map2/inner")).toBeNull();
    expect(placeIn("map", "map")).toBeNull();
    expect(iterationOf("map", "map[12]/sub/x")).toBe(12);
    expect(iterationOf("map", undefined)).toBeNull();
  });

  it("are not nodes of the run itself", () => {
    const run = reduceEvents(unknownRun("r", "canvas:c", 0), [
      event("node.started", "map"),
      event("node.done", "map[0]/inner", { outputs: { result: 1 } }),
      event("node.progress", "map", { value: 0.5, message: "5 of 10, 1 failed" }),
    ]);
    expect(Object.keys(run.nodes)).toEqual(["map"]);
    expect(run.nodes.map?.rounds).toEqual({ done: 5, total: 10, failed: 1 });
  });

  it("come with how far their owner came", () => {
    expect(roundsIn("3 of 10")).toEqual({ done: 3, total: 10, failed: 0 });
    expect(roundsIn("round 4")).toEqual({ done: 3, total: null, failed: 0 });
    expect(roundsIn("1 round")).toEqual({ done: 1, total: null, failed: 0 });
    expect(roundsIn("12 rounds")).toEqual({ done: 12, total: null, failed: 0 });
    expect(roundsIn("read 3 of 10 files")).toBeNull();
  });
});

describe("InsideRun", () => {
  it("reads all pages, then what is fresh, each event once", async () => {
    const first = [event("node.started", "map"), event("node.started", "map[0]/a")];
    const second = [event("node.done", "map[0]/a", { outputs: { x: 1 } }), event("node.failed", "map[1]/a")];
    const { inside, asked, tell } = followed([first, second]);
    const fresh = event("node.started", "map[2]/a");
    tell([second[1] as RunEvent, fresh, event("node.started", "other[2]/a")]);
    await vi.waitFor(() => expect(inside.state.get().loading).toBe(false), 30_000);
    await vi.waitFor(
      () =>
        expect(told(inside)).toEqual([
          [0, "done", ["a"]],
          [1, "failed", ["a"]],
          [2, "running", ["a"]],
        ]),
      30_000,
    );
    expect(asked).toEqual([0, first[1]?.seq]);
    inside.close();
  });

  it("begins anew when its node is called again", async () => {
    const { inside, tell } = followed([[event("node.started", "map"), event("node.done", "map[7]/a")]]);
    await vi.waitFor(() => expect(inside.state.get().loading).toBe(false), 30_000);
    tell([event("node.started", "map"), event("node.done", "map[0]/b")]);
    await vi.waitFor(() => expect(told(inside)).toEqual([[0, "done", ["b"]]]), 30_000);
    inside.close();
  });

  it("asks again with the next connection where it was offline", async () => {
    const { inside, asked, online } = followed(OFFLINE);
    await vi.waitFor(() => expect(asked).toEqual([0]), 30_000);
    await Promise.resolve();
    expect(inside.state.get().loading).toBe(true);
    online([[event("node.done", "map[0]/a")]]);
    await vi.waitFor(() => expect(told(inside)).toEqual([[0, "done", ["a"]]]), 30_000);
    inside.close();
  });

  it("makes only the iterations with fresh events anew", async () => {
    const { inside, tell } = followed([[event("node.done", "map[0]/a"), event("node.done", "map[1]/a")]]);
    await vi.waitFor(() => expect(inside.state.get().loading).toBe(false), 30_000);
    const [before] = inside.state.get().iterations;
    tell([event("node.done", "map[1]/b")]);
    await vi.waitFor(() => expect(inside.state.get().iterations[1]?.nodes.b).toBeDefined(), 30_000);
    expect(inside.state.get().iterations[0]).toBe(before);
    inside.close();
  });
});

describe("the iteration that is shown", () => {
  const at = (index: number, state: "done" | "failed" | "running") => ({ index, state, nodes: {} });
  const inside = {
    loading: false,
    rounds: null,
    iterations: [at(0, "done"), at(1, "failed"), at(4, "failed")],
  };

  it("is the one that failed the node, else the first that failed, else the last", () => {
    const blamed = { ...idleNode("r"), error: { code: "x", message: "", details: { path: "map[4]/a" } } };
    expect(shownIteration("map", inside, undefined, blamed)?.index).toBe(4);
    expect(shownIteration("map", inside, undefined, undefined)?.index).toBe(1);
    const well = { ...inside, iterations: [at(0, "done"), at(2, "done")] };
    expect(shownIteration("map", well, undefined, undefined)?.index).toBe(2);
  });

  it("is also known where the iterations have no nodes, as in a map by code", () => {
    const empty = { loading: false, rounds: null, iterations: [] };
    const failed = { ...idleNode("r"), error: { code: "x", message: "item 3: odd", details: { index: 3 } } };
    expect(shownIteration("map", empty, undefined, failed)).toEqual({ index: 3, state: "failed", nodes: {} });
    expect(toldFailures(failed)).toEqual([{ index: 3, message: "item 3: odd" }]);
    expect(shownIteration("map", empty, undefined, undefined)).toBeUndefined();
  });

  it("is the chosen one, also where it was not told", () => {
    expect(shownIteration("map", inside, 9_000, undefined)).toEqual({
      index: 9_000,
      state: "done",
      nodes: {},
    });
  });

  it("has the failure that the node's errors tell", () => {
    const errors = [{ index: 900, code: "x", message: "too odd" }, "no failure"];
    expect(toldFailures({ ...idleNode("r"), outputs: { errors } })).toEqual([
      { index: 900, message: "too odd" },
    ]);
  });
});

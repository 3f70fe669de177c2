/** A replay shows every plugin the whole graph in order, and no plugin can spoil it for another. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { EMPTY_SPELL } from "../document";
import type { Json, PortValue, RunView, SpellEdge } from "../protocol";
import { isRef } from "../protocol";
import { Store } from "../store";
import { settle } from "../testing/fake_server";
import { PluginRegistry } from "./plugin_registry";
import { ReplayEngine } from "./replay_engine";
import type { Plugin, ReplayRun, ReplayStep } from "./types";

function viewOf(fields: Partial<RunView> = {}): RunView {
  return {
    id: "r1",
    status: "completed",
    mode: "once",
    audience: "shared",
    created_at: 1,
    started_at: 1,
    ended_at: 2,
    stream: "canvas:c",
    order: ["a", "b", "c"],
    outputs: { a: { value: 2 }, b: { result: 42 } },
    errors: { c: { code: "boom", message: "No" } },
    why: { a: "cached", b: "new" },
    durations: { a: 0, b: 0.5 },
    spell: {
      nodes: {
        a: { type: "core.value", inputs: { value: 2 } },
        b: { type: "code.python", code: "x * 21", name: "Times" },
        c: { type: "core.fail", inputs: { message: "No" } },
      },
      edges: {
        e: { source: "a", output: "value", target: "b", input: "x" },
        f: { source: "b", output: "result", target: "c", input: "value" },
      },
    },
    ...fields,
  };
}

function engine(views: Record<string, RunView> = { r1: viewOf() }, values: Record<string, Json> = {}) {
  const plugins = new PluginRegistry();
  const load = vi.fn(async (value: PortValue): Promise<Json> => {
    if (!isRef(value)) return value;
    const whole = values[value.$ref];
    if (whole === undefined) throw new Error(`no value ${value.$ref}`);
    return whole;
  });
  const view = async (id: string) => {
    const found = views[id];
    if (!found) throw new Error("no such run");
    return found;
  };
  return { plugins, load, replays: new ReplayEngine(plugins, { view, spell: new Store(EMPTY_SPELL), load }) };
}

function recorder(name = "recorder"): Plugin & { calls: string[]; steps: ReplayStep[] } {
  const calls: string[] = [];
  const steps: ReplayStep[] = [];
  return {
    name,
    calls,
    steps,
    onRunStart: (run: ReplayRun) => void calls.push(`start ${run.id}`),
    onNode: (step: ReplayStep) => {
      calls.push(step.node);
      steps.push(step);
    },
    onRunEnd: (run: ReplayRun) => void calls.push(`end ${run.id}`),
  };
}

test("a plugin sees start, every node in graph order with inputs and outputs, and end", async () => {
  const { plugins, replays } = engine();
  const seen = recorder();
  plugins.register(seen);
  await expect(replays.replay("r1")).resolves.toBe(true);
  expect(seen.calls).toEqual(["start r1", "a", "b", "c", "end r1"]);
  expect(seen.steps).toMatchObject([
    { type: "core.value", inputs: { value: 2 }, outputs: { value: 2 }, state: "cached", index: 0, total: 3 },
    { name: "Times", inputs: { x: 2 }, outputs: { result: 42 }, state: "done", why: "new", duration: 0.5 },
    { inputs: { message: "No", value: 42 }, outputs: {}, state: "failed", error: { code: "boom" }, index: 2 },
  ]);
  expect(replays.replaying.get()).toBeNull();
});

test("an async plugin is awaited node by node, and holds up no other", async () => {
  const { plugins, replays } = engine();
  const open: (() => void)[] = [];
  const slow: string[] = [];
  plugins.register({
    name: "slow",
    onNode: async ({ node }) => {
      slow.push(node);
      await new Promise<void>((resolve) => open.push(resolve));
    },
  });
  const quick = recorder();
  plugins.register(quick);
  const done = replays.replay("r1");
  await settle();
  expect(quick.calls.at(-1)).toBe("end r1");
  expect(slow).toEqual(["a"]);
  for (let i = 0; i < 3; i += 1) {
    open.shift()?.();
    await settle();
  }
  await expect(done).resolves.toBe(true);
  expect(slow).toEqual(["a", "b", "c"]);
});

test("errors are reported by plugin, phase and node; the plugin sees the rest and others see all", async () => {
  const { plugins, replays } = engine();
  const boom = () => {
    throw new Error("mine");
  };
  const good = recorder();
  plugins.register({ name: "throws", onRunStart: boom, onNode: boom, onRunEnd: boom });
  plugins.register({ name: "rejects", onNode: async ({ node }) => (node === "b" ? boom() : undefined) });
  plugins.register(good);
  await replays.replay("r1");
  expect(good.calls).toHaveLength(5);
  const where = plugins.errors.get().map(({ plugin, phase, node }) => `${plugin} ${phase} ${node}`);
  expect(where.sort()).toEqual([
    "rejects onNode b",
    "throws onNode a",
    "throws onNode b",
    "throws onNode c",
    "throws onRunEnd null",
    "throws onRunStart null",
  ]);
});

test("a newer replay aborts the older, even one that hangs, and the old plugin calls end", async () => {
  const { plugins, replays } = engine({ r1: viewOf(), r2: viewOf({ id: "r2" }) });
  const calls: string[] = [];
  const signals: AbortSignal[] = [];
  plugins.register({
    name: "hangs",
    onNode: ({ run, node, signal }) => {
      calls.push(`${run.id} ${node}`);
      signals.push(signal);
      return run.id === "r1" ? new Promise<void>(() => {}) : undefined;
    },
    onRunEnd: (run) => void calls.push(`end ${run.id}`),
  });
  const first = replays.replay("r1");
  await settle();
  const second = replays.replay("r2");
  await expect(first).resolves.toBe(false);
  await expect(second).resolves.toBe(true);
  expect(signals[0]?.aborted).toBe(true);
  expect(calls).toEqual(["r1 a", "r2 a", "r2 b", "r2 c", "end r2"]);
});

test("a plugin registered late is shown the last run; one taken out sees no more", async () => {
  const { plugins, replays } = engine();
  await replays.replay("r1");
  const late = recorder();
  const remove = plugins.register(late);
  await settle();
  expect(late.calls).toHaveLength(5);
  remove();
  await replays.replay("r1");
  expect(late.calls).toHaveLength(5);
});

test("a plugin of the same name takes the place of the one before, which is disposed of", () => {
  const { plugins } = engine();
  const dispose = vi.fn();
  const removeFirst = plugins.register({ name: "mine", dispose });
  plugins.register({ name: "mine" });
  removeFirst();
  expect(dispose).toHaveBeenCalledOnce();
  expect(plugins.names.get()).toEqual(["mine"]);
});

test("large values are fetched only for plugins that want them whole", async () => {
  const ref = { $ref: "h", size: 100_000, preview: "he…" };
  const { plugins, replays, load } = engine(
    { r1: viewOf({ outputs: { a: { value: ref }, b: { result: 1 } } }) },
    { h: "hello" },
  );
  const heads = recorder("heads");
  plugins.register(heads);
  await replays.replay("r1");
  expect(load).not.toHaveBeenCalled();
  expect(heads.steps[0]?.outputs).toEqual({ value: ref });
  await expect(heads.steps[0]?.load("value")).resolves.toBe("hello");
  const whole = { ...recorder("whole"), values: "full" as const };
  plugins.register(whole);
  await settle();
  expect(whole.steps[0]?.outputs).toEqual({ value: "hello" });
  expect(whole.steps[1]?.inputs).toEqual({ x: "hello" });
});

test("a value that is gone is reported, and its step comes with what is left", async () => {
  const ref = { $ref: "gone", size: 1, preview: null };
  const { plugins, replays } = engine({ r1: viewOf({ outputs: { a: { value: ref } } }) });
  const whole = { ...recorder(), values: "full" as const };
  plugins.register(whole);
  await replays.replay("r1");
  expect(whole.calls).toEqual(["start r1", "a", "c", "end r1"]);
  expect(whole.steps[0]?.outputs).toEqual({ value: ref });
  expect(plugins.errors.get()[0]).toMatchObject({ phase: "onNode", node: "a" });
});

test("several wires into one input come as a list", async () => {
  const view = viewOf({
    order: ["a", "b", "m"],
    outputs: { a: { o: 1 }, b: { o: 2 }, m: { o: 3 } },
    errors: {},
    spell: {
      nodes: { a: { type: "t" }, b: { type: "t" }, m: { type: "core.merge" } },
      edges: {
        e1: { source: "a", output: "o", target: "m", input: "values" },
        e2: { source: "b", output: "o", target: "m", input: "values" },
      },
    },
  });
  const { plugins, replays } = engine({ r1: view });
  const seen = recorder();
  plugins.register(seen);
  await replays.replay("r1");
  expect(seen.steps[2]?.inputs).toEqual({ values: [1, 2] });
});

test("for any graph, every plugin sees each node after all that feed it", async () => {
  const graph = fc.integer({ min: 1, max: 20 }).chain((size) =>
    fc.record({
      size: fc.constant(size),
      wires: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 40 }),
      slow: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(graph, async ({ size, wires, slow }) => {
      const ids = Array.from({ length: size }, (_, i) => `n${i}`);
      const edges: Record<string, SpellEdge> = {};
      for (const [i, [a, b]] of wires.entries()) {
        if (a < b) edges[`e${i}`] = { source: `n${a}`, output: "o", target: `n${b}`, input: `i${i}` };
      }
      const view = viewOf({
        order: [],
        outputs: Object.fromEntries(ids.map((id, i) => [id, { o: i }])),
        errors: {},
        spell: { nodes: Object.fromEntries(ids.map((id) => [id, { type: "t" }])), edges },
      });
      const { plugins, replays } = engine({ r1: view });
      const seen: string[] = [];
      plugins.register({
        name: "lags",
        onNode: async ({ node, index }) => {
          if (slow[index]) await Promise.resolve();
          seen.push(node);
        },
      });
      await replays.replay("r1");
      expect([...seen].sort()).toEqual([...ids].sort());
      for (const { source, target } of Object.values(edges)) {
        expect(seen.indexOf(source)).toBeLessThan(seen.indexOf(target));
      }
    }),
  );
});

test("who steps through a run shows plugins what is new, and going back the run anew (V6)", async () => {
  const { plugins, replays } = engine();
  const plugin = recorder();
  plugins.register(plugin);
  await replays.stepTo("r1", []);
  await replays.stepTo("r1", ["a"]);
  await replays.stepTo("r1", ["a", "b"]);
  expect(plugin.calls).toEqual(["start r1", "a", "b"]);
  expect(plugin.steps.at(-1)?.run.stepping).toBe(true);
  await replays.stepTo("r1", ["a"]);
  expect(plugin.calls.slice(3)).toEqual(["start r1", "a"]);
  await replays.stepTo("r1", ["a", "b", "c"]);
  expect(plugin.calls.slice(5)).toEqual(["b", "c", "end r1"]);
  replays.stop();
  await replays.replay("r1");
  expect(plugin.calls.slice(8)).toEqual(["start r1", "a", "b", "c", "end r1"]);
});

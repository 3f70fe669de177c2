/** A recipe changes with all that decides what leaves a node, and with nothing else. */
import { expect, test } from "vitest";
import type { NodeSettings, Spell, SpellEdge, SpellNode } from "../protocol";
import { recipesOf, sameRecipes } from "./stale";

function node(fields: Partial<SpellNode> = {}): SpellNode {
  return { type: "t", inputs: {}, settings: {}, position: [0, 0], ...fields };
}

function wire(source: string, target: string, fields: Partial<SpellEdge> = {}): SpellEdge {
  return { source, output: "out", target, input: "in", ...fields };
}

/** `a -> b -> c`, and `apart`. */
function spell(nodes: Record<string, SpellNode> = {}, edges: Record<string, SpellEdge> = {}): Spell {
  const base = { a: node(), b: node(), c: node(), apart: node() };
  return {
    schema: 1,
    name: "s",
    nodes: { ...base, ...nodes },
    edges: { ab: wire("a", "b"), bc: wire("b", "c"), ...edges },
    groups: {},
    notes: {},
    requirements: {},
    tests: {},
  };
}

/** The nodes whose recipes differ. */
function changed(before: Spell, after: Spell): string {
  const [one, other] = [recipesOf(before), recipesOf(after)];
  const ids = [...other.keys()].filter((id) => one.get(id) !== other.get(id));
  // What is said to be the same must be so.
  if (sameRecipes(before, after)) expect(ids).toEqual([]);
  return ids.sort().join(" ");
}

test.each<[string, NodeSettings, string]>([
  ["mute", { mode: "mute" }, "b c"],
  ["bypass", { mode: "bypass" }, "b c"],
  ["pins", { pins: { out: 1 } }, "b c"],
  ["a body", { body: { type: "core.value" } }, "b c"],
  ["a limit", { limits: { rate: 1 } }, ""],
  ["a time limit", { timeout: 3 }, ""],
  ["debounce", { debounce: 1 }, ""],
  ["quiet inputs", { quiet: ["in"] }, ""],
  ["no pins at all", { pins: {} }, ""],
])("%s of a node changes it and what comes after, if it decides what leaves it", (_name, settings, ids) => {
  expect(changed(spell(), spell({ b: node({ settings }) }))).toBe(ids);
});

test("a change before a pinned or muted node ends there", () => {
  const edit = { a: node({ inputs: { value: 2 } }) };
  for (const settings of [{ pins: { out: 1 } }, { mode: "mute" }] as NodeSettings[]) {
    const b = node({ settings });
    expect(changed(spell({ b }), spell({ b, ...edit }))).toBe("a");
  }
  const partly = node({ settings: { pins: { other: 1 } } });
  expect(changed(spell({ b: partly }), spell({ b: partly, ...edit }))).toBe("a b c");
});

test("a transform of a wire counts, and so does its order", () => {
  const pick = { op: "pick", path: "x" } as const;
  const index = { op: "index", index: 0 } as const;
  const with_ = (transform: SpellEdge["transform"]) =>
    spell({}, { ab: wire("a", "b", { transform: transform ?? [] }) });
  expect(changed(spell(), with_([pick]))).toBe("b c");
  expect(changed(with_([pick, index]), with_([index, pick]))).toBe("b c");
  expect(changed(spell(), with_([]))).toBe("");
});

test("code depends on the node that it names, until a wire or a value has that name (rule 3.7)", () => {
  const reader = (code: string, inputs = {}) => node({ code, inputs });
  const data = (value: number) => node({ name: "data", inputs: { value } });
  const pair = (code: string, value: number, inputs = {}) =>
    spell({ apart: data(value), c: reader(code, inputs) });
  expect(changed(pair("len(data)", 1), pair("len(data)", 2))).toBe("apart c");
  expect(changed(pair("f'{data}'", 1), pair("f'{data}'", 2))).toBe("apart c");
  expect(changed(pair("self.data", 1), pair("self.data", 2))).toBe("apart");
  expect(changed(pair("metadata", 1), pair("metadata", 2))).toBe("apart");
  expect(changed(pair("len(data)", 1, { data: 3 }), pair("len(data)", 2, { data: 3 }))).toBe("apart");
  const renamed = spell({ apart: node({ name: "rows", inputs: { value: 1 } }), c: reader("len(data)") });
  expect(changed(pair("len(data)", 1), renamed)).toBe("c");
  const twice = (value: number) =>
    spell({ apart: data(value), a: node({ name: "data" }), c: reader("data") });
  expect(changed(twice(1), twice(2))).toBe("apart");
});

test("a node whose body is a group changes with the nodes of the group", () => {
  const looped = (value: number) =>
    spell({
      b: node({ settings: { body: { group: "g" } } }),
      apart: node({ group: "g", inputs: { value } }),
    });
  expect(changed(looped(1), looped(2))).toBe("apart b c");
});

test("places, sizes and names are no change", () => {
  const moved = spell({ b: node({ position: [5, 5], name: "B", size: [300, 100] }) });
  expect(changed(spell(), moved)).toBe("");
});

/** Splitting a part of a spell off: what crosses its border becomes inputs and outputs of the child. */
import { describe, expect, it } from "vitest";
import type { Spell, SpellNode } from "../../protocol";
import { NoSubspell, splitOff } from "./subspells";

const node = (x: number, more: Partial<SpellNode> = {}): SpellNode => ({
  type: "t",
  inputs: {},
  settings: {},
  position: [x, 0],
  ...more,
});

const spell: Spell = {
  schema: 1,
  name: "Parent",
  nodes: {
    a: node(0),
    b: node(300, { name: "total", group: "g" }),
    c: node(600, { group: "g" }),
    d: node(900),
    e: node(900),
  },
  edges: {
    ab: { source: "a", output: "out", target: "b", input: "x", transform: [{ op: "index", index: 0 }] },
    ac: { source: "a", output: "out", target: "c", input: "y" },
    bc: { source: "b", output: "result", target: "c", input: "x" },
    bd: { source: "b", output: "result", target: "d", input: "x", transform: [{ op: "index", index: 1 }] },
    ce: { source: "c", output: "rows", target: "e", input: "x" },
    cd: { source: "c", output: "rows", target: "d", input: "z" },
  },
  groups: { g: { name: "G", position: [250, -50], size: [700, 300] } },
  notes: { n: { text: "why", position: [300, 200], size: [100, 50], group: "g" } },
  requirements: { pandas: ">=2" },
  tests: {},
};

const port = () => ({ name: "x", schema: { type: "integer" } });

describe("splitOff", () => {
  const made = splitOff(spell, new Set(["b", "c"]), "Child", port);

  it("takes the nodes and the wires between them, out of groups that stay", () => {
    expect(made.child.nodes?.b).toEqual(node(300, { name: "total" }));
    expect(made.child.edges?.bc).toEqual(spell.edges.bc);
    expect([...made.moved].sort()).toEqual(["b", "c"]);
  });

  it("makes one input of an output that is read twice, with the transforms on the child's wires", () => {
    expect(made.inputs).toEqual([{ node: "a", port: "out", name: "x" }]);
    expect(made.child.nodes?.input_1).toMatchObject({ type: "core.input", inputs: { name: "x" } });
    const from = Object.values(made.child.edges ?? {}).filter(({ source }) => source === "input_1");
    expect(from).toEqual([
      { source: "input_1", output: "value", target: "b", input: "x", transform: [{ op: "index", index: 0 }] },
      { source: "input_1", output: "value", target: "c", input: "y" },
    ]);
  });

  it("makes one output of what is read outside, named by the node where the port's name says nothing", () => {
    expect(made.outputs).toEqual([
      { node: "d", port: "x", name: "total", transform: [{ op: "index", index: 1 }] },
      { node: "e", port: "x", name: "rows" },
      { node: "d", port: "z", name: "rows" },
    ]);
    const types = Object.values(made.child.nodes ?? {}).map(({ type }) => type);
    expect(types.filter((type) => type === "core.output")).toHaveLength(2);
  });

  it("gives an input the schema of the one port that it feeds as it comes", () => {
    const { child } = splitOff(spell, new Set(["c"]), "Child", port);
    expect(child.nodes?.input_1?.inputs).toEqual({ name: "y", schema: { type: "integer" } });
    expect(child.nodes?.input_2?.inputs).toEqual({ name: "x", schema: { type: "integer" } });
  });

  it("draws what code read by name across the border, and what it reads within stays a name (3.7, 17.8)", () => {
    const named = [
      { source: "a", output: "out", target: "c", input: "limit" },
      { source: "a", output: "rate", target: "b", input: "rate" },
      { source: "b", output: "total", target: "c", input: "total" },
      { source: "b", output: "count", target: "e", input: "count" },
      { source: "a", output: "out", target: "b", input: "x" },
      { source: "gone", output: "out", target: "b", input: "more" },
    ];
    const { child, inputs, outputs } = splitOff(spell, new Set(["b", "c"]), "Child", port, named);
    expect(inputs).toEqual([
      { node: "a", port: "out", name: "x" },
      { node: "a", port: "rate", name: "rate" },
    ]);
    expect(outputs.at(-1)).toEqual({ node: "e", port: "count", name: "count" });
    const into = Object.values(child.edges ?? {}).map(({ target, input }) => `${target}.${input}`);
    expect(into).toContain("c.limit");
    expect(into).toContain("b.rate");
    expect(into).not.toContain("c.total");
    expect(into.filter((end) => end === "b.x")).toHaveLength(1);
  });

  it("takes whole groups with all that is in them", () => {
    const { child, moved } = splitOff(spell, new Set(["g"]), "Child", port);
    expect([...moved].sort()).toEqual(["b", "c", "g", "n"]);
    expect(child.nodes?.b?.group).toBe("g");
    expect(Object.keys(child.notes ?? {})).toEqual(["n"]);
  });

  it("takes the group that a chosen node runs, and refuses to tear a body from its owner", () => {
    const owner = { ...spell, nodes: { ...spell.nodes, a: node(0, { settings: { body: { group: "g" } } }) } };
    expect([...splitOff(owner, new Set(["a"]), "Child", port).moved]).toContain("c");
    expect(() => splitOff(owner, new Set(["c"]), "Child", port)).toThrow(NoSubspell);
    expect(() => splitOff(owner, new Set(["ab"]), "Child", port)).toThrow(NoSubspell);
  });
});

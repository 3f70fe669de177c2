/** The order of a walk is topological for every graph without a cycle, complete for every graph, and stable. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SpellEdge, SpellJson } from "../protocol";
import { graphOrder, onward } from "./graph_order";

const graph = fc.integer({ min: 0, max: 25 }).chain((size) =>
  fc.record({
    names: fc.shuffledSubarray(
      Array.from({ length: size }, (_, i) => `n${i}`),
      { minLength: size, maxLength: size },
    ),
    wires: fc.array(fc.tuple(fc.nat(Math.max(0, size - 1)), fc.nat(Math.max(0, size - 1))), {
      maxLength: 60,
    }),
  }),
);

function spellOf(names: string[], wires: [number, number][]): SpellJson {
  const edges: Record<string, SpellEdge> = {};
  wires.forEach(([from, to], i) => {
    const [source, target] = [names[from], names[to]];
    if (source && target) edges[`e${i}`] = { source, output: "o", target, input: `i${i}` };
  });
  return { nodes: Object.fromEntries(names.map((name) => [name, { type: "t" }])), edges };
}

test("each node comes after all that feed it", () => {
  fc.assert(
    fc.property(graph, ({ names, wires }) => {
      const spell = spellOf(names, wires.filter(([from, to]) => from < to) as [number, number][]);
      const order = graphOrder(spell);
      const place = new Map(order.map((id, index) => [id, index]));
      expect([...order].sort()).toEqual([...names].sort());
      for (const { source, target } of Object.values(spell.edges ?? {})) {
        expect(place.get(source)).toBeLessThan(place.get(target) ?? -1);
      }
    }),
  );
});

test("every node comes once, also in graphs with cycles and wires to nowhere", () => {
  fc.assert(
    fc.property(graph, ({ names, wires }) => {
      const spell = spellOf(names, wires as [number, number][]);
      const dangling = { source: "gone", output: "o", target: names[0] ?? "gone", input: "i" };
      const order = graphOrder({ ...spell, edges: { ...spell.edges, dangling } });
      expect([...order].sort()).toEqual([...names].sort());
    }),
  );
});

test("the order does not depend on the order of the maps", () => {
  fc.assert(
    fc.property(graph, ({ names, wires }) => {
      const spell = spellOf(names, wires.filter(([from, to]) => from < to) as [number, number][]);
      const turned = {
        nodes: Object.fromEntries(Object.entries(spell.nodes ?? {}).reverse()),
        edges: Object.fromEntries(Object.entries(spell.edges ?? {}).reverse()),
      };
      expect(graphOrder(turned)).toEqual(graphOrder(spell));
    }),
  );
});

test("onward from a node is all that it leads to, each once, also around a circle", () => {
  const wire = (source: string, target: string) => ({ source, output: "o", target, input: "i" });
  const edges = { 1: wire("a", "b"), 2: wire("b", "c"), 3: wire("c", "b"), 4: wire("x", "c") };
  expect([...onward({ edges }, ["b"])].sort()).toEqual(["b", "c"]);
  expect([...onward({ edges }, ["a", "x"])].sort()).toEqual(["a", "b", "c", "x"]);
});

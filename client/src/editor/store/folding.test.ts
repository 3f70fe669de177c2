/** Folded frames: what they hide, where wires end, and what moves and lies in them. */
import { describe, expect, it } from "vitest";
import type { Spell, SpellGroup, SpellNode } from "../../protocol";
import { FlowBuilder, type FlowSource } from "./flow";
import { foldingOf, insideOf } from "./folding";
import { carried, frameAt } from "./frames";
import { foldedPlaces } from "./geometry";

const node = (x: number, group?: string): SpellNode => ({
  type: "t",
  inputs: {},
  settings: {},
  position: [x, 50],
  ...(group ? { group } : {}),
});
const frame = (more: Partial<SpellGroup> = {}): SpellGroup => ({
  name: "G",
  position: [200, 0],
  size: [800, 400],
  ...more,
});

/** a -> [ b -> [ c ] ] -> d, and a second wire from b's output to d. */
function nested(outer: boolean, inner = false): Spell {
  const wire = (source: string, target: string) => ({ source, output: "out", target, input: "x" });
  return {
    schema: 1,
    name: "S",
    nodes: { a: node(0), b: node(300, "outer"), c: node(600, "inner"), d: node(1200) },
    edges: { ab: wire("a", "b"), bc: wire("b", "c"), cd: wire("c", "d"), bd: wire("b", "d") },
    groups: {
      outer: frame(outer ? { collapsed: true } : {}),
      inner: frame({
        position: [550, 20],
        size: [300, 200],
        group: "outer",
        ...(inner ? { collapsed: true } : {}),
      }),
    },
    notes: { n: { text: "", position: [300, 300], size: [200, 80], group: "outer" } },
    requirements: {},
    tests: {},
  };
}

function drawn(spell: Spell, opened?: ReadonlySet<string>) {
  const source: FlowSource = {
    spell,
    selection: new Set(),
    local: {},
    remote: {},
    ports: {},
    types: {},
    ...(opened ? { opened } : {}),
  };
  const builder = new FlowBuilder();
  return { source, builder, nodes: builder.nodes(source), edges: builder.edges(source) };
}

const endsOf = (edges: ReturnType<typeof drawn>["edges"]) =>
  Object.fromEntries(
    edges.map((edge) => [edge.id, `${edge.source}:${edge.sourceHandle} ${edge.target}:${edge.targetHandle}`]),
  );

describe("a folded frame", () => {
  it("hides what is in it at every depth, and wires within it", () => {
    const { nodes, edges } = drawn(nested(true));
    expect(nodes.map(({ id, type }) => [id, type])).toEqual([
      ["outer", "folded"],
      ["a", "spell"],
      ["d", "spell"],
    ]);
    expect(endsOf(edges)).toEqual({
      ab: "a:out outer:b/x",
      cd: "outer:c/out d:x",
      bd: "outer:b/out d:x",
    });
  });

  it("stands for its own part only, where the frame around it is open", () => {
    const { nodes, edges } = drawn(nested(false, true));
    expect(nodes.map(({ id }) => id)).toEqual(["outer", "inner", "n", "a", "b", "d"]);
    expect(endsOf(edges).bc).toBe("b:out inner:c/x");
  });

  it("has handles for its wires, each at a place of its own", () => {
    const fold = foldingOf(nested(true)).folds.get("outer");
    if (!fold) throw new Error("it is folded");
    const places = foldedPlaces(fold).map(({ id, type, y }) => `${type} ${id} ${y}`);
    expect(new Set(places).size).toBe(3);
    expect(fold.nodes).toEqual(["b", "c"]);
  });

  it("is not folded in a tab that looks into it", () => {
    const { nodes } = drawn(nested(true, true), new Set(["outer"]));
    expect(nodes.find(({ id }) => id === "outer")?.type).toBe("group");
    expect(nodes.find(({ id }) => id === "inner")?.type).toBe("folded");
  });

  it("is made anew only when it looks different", () => {
    const spell = nested(true);
    const { builder, source, nodes } = drawn(spell);
    const moved = { ...spell, nodes: { ...spell.nodes, d: node(1300) } };
    const after = builder.nodes({ ...source, spell: moved });
    expect(after[0]).toBe(nodes[0]);
    const less = { ...spell, edges: { ab: spell.edges.ab } } as Spell;
    expect(builder.nodes({ ...source, spell: less })[0]).not.toBe(nodes[0]);
  });
});

describe("frames", () => {
  it("take everything in them along", () => {
    expect(carried(nested(true), { outer: [210, 5] })).toEqual({
      outer: [210, 5],
      b: [310, 55],
      c: [610, 55],
      inner: [560, 25],
      n: [310, 305],
    });
  });

  it("that lie in themselves end there", () => {
    const spell = nested(false);
    const circle = {
      ...spell,
      groups: { outer: frame({ group: "inner" }), inner: frame({ group: "outer" }) },
    };
    expect([...insideOf(circle, new Set(["outer"]))].sort()).toEqual(["b", "c", "inner", "n"]);
  });

  it("take in what is dropped on them, the innermost first, and never themselves or a smaller one's frame", () => {
    const spell = nested(false);
    expect(frameAt(spell, "a", [600, 60])).toBe("inner");
    expect(frameAt(spell, "a", [250, 200])).toBe("outer");
    expect(frameAt(spell, "a", [2000, 0])).toBeUndefined();
    expect(frameAt(spell, "inner", [560, 30])).toBe("outer");
    expect(frameAt(spell, "outer", [560, 30])).toBeUndefined();
    expect(frameAt(nested(false, true), "a", [600, 60])).toBe("outer");
  });
});

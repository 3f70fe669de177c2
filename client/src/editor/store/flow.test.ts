/** The drawing keeps the identity of what has not changed, so that React Flow redraws only what has. */
import { describe, expect, it } from "vitest";
import type { Spell } from "../../protocol";
import { FlowBuilder, type FlowSource } from "./flow";

const spell: Spell = {
  schema: 1,
  name: "S",
  nodes: {
    a: { type: "t", inputs: {}, settings: {}, position: [0, 0] },
    b: { type: "t", inputs: {}, settings: {}, position: [300, 0] },
  },
  edges: {
    e: { source: "a", output: "out", target: "b", input: "x" },
    dangling: { source: "a", output: "out", target: "gone", input: "x" },
  },
  groups: {},
  notes: {},
  requirements: {},
  tests: {},
};

function source(change: Partial<FlowSource> = {}): FlowSource {
  return { spell, selection: new Set(), local: {}, remote: {}, ports: {}, types: {}, ...change };
}

describe("FlowBuilder", () => {
  it("gives the very same lists while nothing changes", () => {
    const builder = new FlowBuilder();
    const given = source();
    expect(builder.nodes(given)).toBe(builder.nodes(given));
    expect(builder.edges(given)).toBe(builder.edges(given));
  });

  it("makes only the moved node anew", () => {
    const builder = new FlowBuilder();
    const before = builder.nodes(source());
    const a = spell.nodes.a;
    if (!a) throw new Error("there is a node a");
    const after = builder.nodes(
      source({ spell: { ...spell, nodes: { ...spell.nodes, a: { ...a, position: [5, 5] } } } }),
    );
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).toBe(before[1]);
  });

  it("shows a drag of one's own before another's, and that before the document", () => {
    const builder = new FlowBuilder();
    const [mine, theirs] = builder.nodes(
      source({ local: { a: { position: [9, 9] } }, remote: { a: [1, 1], b: [2, 2] } }),
    );
    expect(mine?.position).toEqual({ x: 9, y: 9 });
    expect(theirs?.position).toEqual({ x: 2, y: 2 });
  });

  it("knows where handles are before a node was drawn", () => {
    const [a] = new FlowBuilder().nodes(source());
    expect(a?.handles?.map((handle) => [handle.id, handle.type, handle.position])).toEqual([
      ["out", "source", "right"],
      ["error", "source", "bottom"],
      ["all", "source", "bottom"],
    ]);
    expect(a?.initialHeight).toBeGreaterThan(38);
  });

  it("leaves out wires whose node is gone", () => {
    expect(new FlowBuilder().edges(source()).map((edge) => edge.id)).toEqual(["e"]);
  });
});

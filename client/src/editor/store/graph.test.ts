/** What is asked of a drawn graph: broken ports, circles, and what depends on what. */
import { describe, expect, it } from "vitest";
import type { NodeType, Spell, SpellNode } from "../../protocol";
import {
  incomingEdges,
  pathBetween,
  problemTone,
  shortMessage,
  shownPorts,
  whyNoWire,
  wiredPorts,
} from "./graph";

function node(type: string, inputs = {}): SpellNode {
  return { type, inputs, settings: {}, position: [0, 0] };
}

const edges = {
  e1: { source: "a", output: "out", target: "b", input: "x" },
  e2: { source: "b", output: "out", target: "c", input: "x" },
};
const spell: Spell = {
  schema: 1,
  name: "S",
  nodes: { a: node("t"), b: node("t"), c: node("t") },
  edges,
  groups: {},
  notes: {},
  requirements: {},
  tests: {},
};
const type: NodeType = {
  type: "t",
  version: 1,
  title: "T",
  category: "Test",
  description: "",
  inputs: [{ name: "x", schema: { type: "number" } }],
  outputs: [{ name: "out", schema: { type: "number" } }],
};
const [input] = type.inputs;
const [output] = type.outputs;

describe("wires", () => {
  it("refuses a circle and names it", () => {
    if (!input || !output) throw new Error("the type has ports");
    const why = (source: string, target: string) =>
      whyNoWire(spell, { source, target, input, output }, (id) => id.toUpperCase());
    expect(why("c", "a")).toEqual({ code: "cycle", reason: "This would make a circle: A → B → C → A" });
    expect(why("a", "a")).toEqual({ code: "cycle", reason: "A node cannot feed itself" });
    expect(why("a", "c")).toBeNull();
  });

  it("offers the message of a failure to a text", () => {
    const error = shownPorts(node("t"), type, undefined, { inputs: [], outputs: [] }).reserved[0];
    const text = { name: "text", schema: { type: "string" } };
    if (!error) throw new Error("every node has an error port");
    const why = whyNoWire(spell, { source: "a", target: "c", input: text, output: error }, (id) => id);
    expect(why?.suggest).toEqual([{ op: "pick", path: "message" }]);
  });

  it("finds the way between two nodes, or none", () => {
    expect(pathBetween(edges, "a", "c")).toEqual(["a", "b", "c"]);
    expect(pathBetween(edges, "c", "a")).toBeNull();
  });

  it("knows the wires into a node", () => {
    expect(incomingEdges(edges, "b").map(([, edge]) => edge.source)).toEqual(["a"]);
    expect(incomingEdges(edges, "a")).toEqual([]);
  });
});

describe("shown ports", () => {
  const wired = { inputs: ["x", "gone"], outputs: [] };

  it("keeps a wired port that the type does not have, as broken", () => {
    const ports = shownPorts(node("t"), type, undefined, wired);
    expect(ports.inputs.map((port) => port.name)).toEqual(["x", "gone"]);
    expect(ports.broken.has("in:gone")).toBe(true);
  });

  it("keeps every port that wires and values name where the type is unknown", () => {
    const ports = shownPorts(node("lost", { k: 1 }), undefined, undefined, wired);
    expect(ports.inputs.map((port) => port.name)).toEqual(["x", "gone", "k"]);
  });

  it("does not call ports broken while dynamic ones are still to come", () => {
    const ports = shownPorts(node("t"), { ...type, dynamic: true, inputs: [] }, undefined, wired);
    expect(ports.broken.size).toBe(0);
  });

  it("indexes wires once for a snapshot", () => {
    expect(wiredPorts(edges, "b")).toEqual({ inputs: ["x"], outputs: ["out"] });
    expect(wiredPorts(edges, "b")).toBe(wiredPorts(edges, "b"));
  });
});

describe("problems", () => {
  it("are told without the name of the node they are shown at", () => {
    expect(shortMessage("node 'Bills' (plot): the input 'kind' is missing")).toBe(
      "The input 'kind' is missing",
    );
  });

  it("leave the name of an exception as it is", () => {
    expect(shortMessage("urllib.error.URLError: no route")).toBe("urllib.error.URLError: no route");
    expect(shortMessage("the worker died. Run again")).toBe("The worker died. Run again");
  });

  it("tell a value that is not there yet quietly", () => {
    expect(problemTone({ code: "missing_input", message: "", severity: "error" })).toBe("warning");
    expect(problemTone({ code: "cycle", message: "", severity: "error" })).toBe("error");
  });
});

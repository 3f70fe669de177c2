/** What plugins are shown of a node's inputs is what it got: transforms are applied, also to values fetched later. */
import { describe, expect, it } from "vitest";
import type { Json, PortValue, RunView, Spell, SpellEdge, Transform } from "../protocol";
import { stepsOf, wholeSpell, withFullValues } from "./steps";
import type { ReplayRun, ReplayStep } from "./types";

const CAST: Transform = { op: "cast", to: "number" };

function spellOf(...wires: Partial<SpellEdge>[]): Spell {
  const edges = wires.map((wire, index) => [
    `e${index}`,
    { source: "a", output: "value", target: "b", input: "x", ...wire },
  ]);
  return wholeSpell({
    nodes: { a: { type: "t.a" }, c: { type: "t.a" }, b: { type: "t.b" } },
    edges: Object.fromEntries(edges),
  });
}

function lastStep(spell: Spell, outputs: Record<string, PortValue>, whole: Json = null): ReplayStep {
  const given = Object.entries(outputs).map(([node, value]) => [node, { value }]);
  const view = { outputs: { ...Object.fromEntries(given), b: {} } } as unknown as RunView;
  const run = { spell, order: ["b"], signal: new AbortController().signal } as unknown as ReplayRun;
  const [step] = stepsOf(run, view, async (value) =>
    typeof value === "object" && value && "$ref" in value ? whole : (value as Json),
  );
  if (!step) throw new Error("there is no step");
  return step;
}

describe("inputs of a step (15.1)", () => {
  it("are what the wires made of the outputs", () => {
    expect(lastStep(spellOf({ transform: [CAST] }), { a: "2" }).inputs).toEqual({ x: 2 });
  });

  it("are a list where several wires end, each with its own transforms", () => {
    const spell = spellOf({ transform: [CAST] }, { source: "c", transform: [{ op: "index", index: 1 }] });
    expect(lastStep(spell, { a: "2", c: [8, 9] }).inputs).toEqual({ x: [2, 9] });
  });

  it("are a default where nothing came, and nothing where a value could not be taken", () => {
    const spell = spellOf({ transform: [{ op: "default", value: 5 }] });
    expect(lastStep(spell, {}).inputs).toEqual({ x: 5 });
    expect(lastStep(spellOf({ transform: [CAST] }), { a: "two" }).inputs).toEqual({});
  });

  it("are made of the whole of a large value once that is there", async () => {
    const large: PortValue = { $ref: "h", size: 9, preview: [1, 2] };
    const whole: Json = [1, 2, 3];
    const step = lastStep(spellOf({ transform: [{ op: "index", index: -1 }] }), { a: large }, whole);
    expect(step.inputs).toEqual({ x: 2 });
    const load = async (value: PortValue) => (value === large ? whole : (value as Json));
    expect((await withFullValues(step, load, () => {})).inputs).toEqual({ x: 3 });
  });
});

/** The table by which the engine proposes wires holds here, too. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Port } from "../../protocol";
import { type Earlier, suggestBack, suggestWires } from "./suggestion";

interface Case {
  readonly name: string;
  readonly sources: readonly Earlier[];
  readonly inputs: readonly Port[];
  readonly taken?: readonly string[];
  readonly wires?: readonly (readonly string[])[];
  readonly back: readonly (readonly string[])[];
}

const file = new URL("../../../../tests/cases/suggestions.json", import.meta.url);
const CASES = JSON.parse(readFileSync(file, "utf8")) as readonly Case[];

describe("proposed wires (3.8, 15.7, 15.8)", () => {
  it.each(CASES)("$name", ({ sources, inputs, taken = [], wires, back }) => {
    const fed = new Set(taken);
    const [first] = sources;
    if (wires && first) {
      const pairs = suggestWires(first.outputs, inputs, fed);
      expect(pairs.map(([output, input]) => [first.id, output, input])).toEqual(wires);
    }
    expect(suggestBack(sources, inputs, fed)).toEqual(back);
  });
});

/** The table that the engine's transforms are tested with holds here, too. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Json, Transform } from "../protocol";
import { reshape, reshapeNothing, TransformError, whyInvalid } from "./transform";

interface Case {
  readonly name: string;
  readonly value: Json;
  readonly transform: readonly Transform[];
  readonly gives?: Json;
  readonly error?: string;
  readonly invalid?: string;
}

const file = new URL("../../../tests/cases/transforms.json", import.meta.url);
const CASES = JSON.parse(readFileSync(file, "utf8")) as readonly Case[];

function reasonOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof TransformError) return error.reason;
    throw error;
  }
}

describe("transforms of a wire (15.1)", () => {
  it.each(CASES)("$name", ({ value, transform, gives, error, invalid }) => {
    const why = transform.map(whyInvalid).find((each) => each !== null) ?? null;
    expect(why).toBe(invalid ?? null);
    if (invalid !== undefined) return;
    if (error === undefined) expect(reshape(value, transform)).toEqual(gives);
    else expect(reasonOf(() => reshape(value, transform))).toBe(error);
  });

  it("give nothing of nothing, unless there is a default", () => {
    expect(reshapeNothing([{ op: "cast", to: "number" }])).toBeUndefined();
    const defaulted = [
      { op: "pick", path: "a" },
      { op: "default", value: "3" },
      { op: "cast", to: "number" },
    ] as const;
    expect(reshapeNothing(defaulted)).toBe(3);
  });
});

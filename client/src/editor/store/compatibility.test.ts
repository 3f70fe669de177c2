/** The table by which the engine lets wires through, refuses them and suggests transforms holds here, too. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Transform } from "../../protocol";
import { type JsonSchema, wantedOf, whyIncompatible } from "./schema";
import { suggestTransform, whyIncompatibleAfter } from "./transform_schemas";

interface Case {
  readonly name: string;
  readonly source: JsonSchema;
  readonly target: JsonSchema;
  readonly transform?: readonly Transform[];
  readonly port?: string;
  readonly many?: boolean;
  readonly trigger?: boolean;
  readonly fits: boolean;
  readonly suggest?: readonly Transform[] | null;
}

const file = new URL("../../../../tests/cases/compatibility.json", import.meta.url);
const CASES = JSON.parse(readFileSync(file, "utf8")) as readonly Case[];

describe("what fits what (2.5, 15.4)", () => {
  it.each(CASES)("$name", ({ source, target, transform = [], port, many, trigger, fits, suggest }) => {
    const wanted = wantedOf(target, many, trigger);
    if (transform.length === 0) expect(whyIncompatible(source, target, many, trigger) === null).toBe(fits);
    expect(whyIncompatibleAfter(source, transform, wanted) === null).toBe(fits);
    if (suggest !== undefined) expect(suggestTransform(source, wanted, port, transform)).toEqual(suggest);
  });
});

/** What a wire carried is told step by step, as far as it got. */
import { expect, test } from "vitest";
import { wireValues } from "./wire_values";

const CAST = { op: "cast", to: "number" } as const;

test.each([
  ["nothing has run", undefined, [CAST], ["nothing", "nothing"]],
  [
    "a default stands in",
    undefined,
    [{ op: "default", value: "1" }, CAST] as const,
    ["nothing", "value", "value"],
  ],
  ["a step cannot take it", "x", [CAST, CAST], ["value", "failed", "unreached"]],
])("where %s", (_name, given, transforms, states) => {
  expect(wireValues(given, transforms).map(({ state }) => state)).toEqual(states);
});

test("of a large value, its beginning is told", () => {
  const given = { $ref: "h", size: 9, preview: [7, 8] };
  expect(wireValues(given, [{ op: "index", index: 0 }])).toEqual([
    { state: "value", value: [7, 8] },
    { state: "value", value: 7 },
  ]);
});

/** Rows are filtered and ordered without being copied. */
import { expect, test } from "vitest";
import { nextSorting, rowsShown } from "./table_view";

const ROWS = [
  { name: "Ada", age: 36 },
  { name: "grace", age: null },
  { name: "Alan", age: 41 },
  { name: "Ada", age: 9 },
];

test.each<[string, Parameters<typeof nextSorting>[0], string, number[]]>([
  ["as they came", null, "", [0, 1, 2, 3]],
  ["numbers upwards, nothing last", { column: "age", down: false }, "", [3, 0, 2, 1]],
  ["numbers downwards, nothing last", { column: "age", down: true }, "", [2, 0, 3, 1]],
  ["equal rows stay as they came", { column: "name", down: false }, "", [0, 3, 2, 1]],
  ["filtered by any cell", null, " ADA ", [0, 3]],
  ["filtered and ordered", { column: "age", down: false }, "a", [3, 0, 2, 1]],
])("%s", (_name, sorting, filter, shown) => {
  expect(rowsShown(ROWS, sorting, filter)).toEqual(shown);
});

test("a column is sorted upwards, downwards, and then as it came", () => {
  const up = nextSorting(null, "a");
  const down = nextSorting(up, "a");
  expect([up, down, nextSorting(down, "a")]).toEqual([
    { column: "a", down: false },
    { column: "a", down: true },
    null,
  ]);
  expect(nextSorting(down, "b")).toEqual({ column: "b", down: false });
});

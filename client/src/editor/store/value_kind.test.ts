/** Values are shown by what they are; durations and sizes are written for people. */
import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration, valueKind } from "./value_kind";

describe("valueKind", () => {
  it.each([
    ["empty", undefined, undefined],
    ["scalar", null, undefined],
    ["scalar", 3, undefined],
    ["text", "hello", undefined],
    ["markdown", "# hello", { type: "string", format: "markdown" }],
    ["image", "data:image/png;base64,AAAA", undefined],
    ["bytes", "data:application/pdf;base64,AAAA", undefined],
    ["table", [{ a: 1 }, { a: 2 }], undefined],
    ["json", [{ a: { b: 1 } }], undefined],
    ["json", [], undefined],
    ["plot", { $schema: "https://vega.github.io/schema/vega-lite/v6.json" }, undefined],
    ["large", { $ref: "abc", size: 70_000, preview: [] }, undefined],
  ] as const)("shows as %s", (kind, value, schema) => {
    expect(valueKind(value, schema)).toBe(kind);
  });
});

describe("for people", () => {
  it("writes durations as short as is honest", () => {
    expect([0.0002, 0.012, 1.44, 42, 120, 125, 3_600, 86_340].map(formatDuration)).toEqual([
      "<1 ms",
      "12 ms",
      "1.4 s",
      "42 s",
      "2 min",
      "2 min 5 s",
      "1 h",
      "23 h 59 min",
    ]);
  });

  it("writes sizes with their unit", () => {
    expect([512, 71_300, 2_500_000].map(formatBytes)).toEqual(["512 B", "71.3 kB", "2.5 MB"]);
  });
});

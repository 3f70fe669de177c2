/** Ports tell what they take in words, and refuse only wires that can never hold. */
import { describe, expect, it } from "vitest";
import { portKind, schemaWords, whyIncompatible, withoutNull } from "./schema";

const number = { type: "number" };
const text = { type: "string" };
const table = { type: "array", items: { type: "object" }, format: "table" };

describe("whyIncompatible", () => {
  it.each([
    ["anything into anything", {}, {}],
    ["anything into a number", {}, number],
    ["a number into anything", number, {}],
    ["a whole number into a number", { type: "integer" }, number],
    ["one of several forms", { anyOf: [text, number] }, number],
    ["into one of several forms", number, { anyOf: [text, { type: "number" }] }],
    ["a table into a list", table, { type: "array" }],
    ["through a local reference", { $ref: "#/$defs/N", $defs: { N: number } }, number],
  ])("lets %s through", (_name, source, target) => {
    expect(whyIncompatible(source, target)).toBeNull();
  });

  it.each([
    ["text into a number", text, number, "gives text, but number is needed"],
    ["a number into a list", number, { type: "array" }, "gives number, but list is needed"],
    [
      "a list of text into a list of numbers",
      { type: "array", items: text },
      { type: "array", items: number },
      "list of text",
    ],
  ])("refuses %s with the reason", (_name, source, target, reason) => {
    expect(whyIncompatible(source, target)).toContain(reason);
  });

  it("wants one item from each wire into an input that takes many", () => {
    const list = { type: "array", items: number };
    expect(whyIncompatible(number, list, true)).toBeNull();
    expect(whyIncompatible(text, list, true)).toContain("number is needed");
  });
});

describe("words and kinds", () => {
  it("names schemas as people would", () => {
    expect(schemaWords({ anyOf: [text, { type: "null" }] })).toBe("text");
    expect(schemaWords({ type: "array", items: number })).toBe("list of number");
    expect(schemaWords(table)).toBe("table");
    expect(schemaWords({})).toBe("any");
  });

  it("sees through an optional value", () => {
    expect(portKind({ anyOf: [{ type: "boolean" }, { type: "null" }] })).toBe("boolean");
    expect(withoutNull({ title: "T", anyOf: [{ type: "integer" }, { type: "null" }] })).toMatchObject({
      type: "integer",
      title: "T",
    });
  });
});

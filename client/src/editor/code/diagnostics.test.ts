import { EditorState } from "@codemirror/state";
import { expect, test } from "vitest";
import type { Problem } from "../../protocol";
import { diagnosticsOf } from "./diagnostics";
import { placeAt } from "./places";

const problem = (code: string, details: object, node = "a") =>
  ({ code, message: `node 'a': told`, node, severity: "error", details }) as unknown as Problem;

function marked(text: string, problems: Problem[], failure = null as Parameters<typeof diagnosticsOf>[3]) {
  const state = EditorState.create({ doc: text });
  return diagnosticsOf(state, "a", problems, failure).map(({ from, to, severity }) => [
    text.slice(from, to),
    severity,
  ]);
}

test("a problem is marked at its name, counted in characters (17.9)", () => {
  const place = { line: 2, column: 5, end_column: 8 };
  expect(marked("\n😀 = öäü + 1", [problem("ambiguous_name", place)])).toEqual([["öäü", "error"]]);
  expect(marked("\nx = öäü + 1", [problem("missing_input", place)])).toEqual([["öäü", "warning"]]);
  expect(marked("x", [problem("ambiguous_name", place), problem("missing_input", {})])).toEqual([]);
});

test("a circle is marked at every name of the node that closes it (17.9)", () => {
  const names = [
    { node: "b", name: "y", line: 1, column: 1, end_column: 2 },
    { node: "a", name: "x", line: 1, column: 5, end_column: 6 },
  ];
  expect(marked("y = x", [problem("cycle", { names }, "b")])).toEqual([["x", "error"]]);
});

test("the line in which the last run failed is marked", () => {
  expect(marked("a = 1\nb = 1 / 0", [], { message: "division", details: { line: 2 } })).toEqual([
    ["b = 1 / 0", "error"],
  ]);
});

test("a place for the server counts characters (17.7)", () => {
  const doc = EditorState.create({ doc: "\n😀x" }).doc;
  expect(placeAt(doc, 3)).toEqual({ line: 2, column: 2 });
});

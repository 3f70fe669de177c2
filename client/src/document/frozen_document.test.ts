/** A past version looks like a shared document and takes no edits. */
import { expect, test } from "vitest";
import type { SpellJson } from "../protocol";
import { Store } from "../store";
import { FrozenDocument } from "./frozen_document";

const SPELL: SpellJson = {
  name: "Then",
  nodes: {
    a: { type: "core.value", inputs: { value: 2 } },
    b: { type: "code.python", code: "x * 2", position: [240, 0] },
  },
  edges: { e: { source: "a", output: "value", target: "b", input: "x" } },
  notes: { n: { text: "Why" } },
};

function frozen(spell: SpellJson = SPELL): FrozenDocument {
  return new FrozenDocument("c", spell, new Store({}));
}

test("shows what was drawn, its texts too", () => {
  const document = frozen();
  expect(document.toJson()).toMatchObject({
    name: "Then",
    nodes: { a: { inputs: { value: 2 } }, b: { code: "x * 2" } },
    edges: SPELL.edges,
  });
  expect(document.codeText("b")?.toString()).toBe("x * 2");
  expect(document.noteText("n")?.toString()).toBe("Why");
  document.close();
});

test("takes no edits and offers no undo", () => {
  const document = frozen();
  const before = document.spell.get();
  document.remove(["a"]);
  document.setInput("a", "value", 3);
  document.addNode({ type: "core.value", position: [0, 0] });
  document.undo();
  expect(document.spell.get()).toBe(before);
  expect(document.editable.get()).toBe(false);
  expect(document.history.get()).toEqual({ undo: false, redo: false });
  document.close();
});

test("what stays the same in another drawing is the same object", () => {
  const document = frozen();
  const before = document.spell.get();
  document.draw({ ...SPELL, nodes: { ...SPELL.nodes, c: { type: "core.value" } } });
  expect(document.spell.get().nodes.a).toBe(before.nodes.a);
  expect(Object.keys(document.spell.get().nodes)).toEqual(["a", "b", "c"]);
  document.close();
});

test("reads what another schema drew as far as it can", () => {
  const odd = { schema: 0, boxes: [1], nodes: { a: { type: "gone", colour: 3, position: "left" } } };
  const document = frozen(odd as never);
  expect(document.spell.get().nodes.a).toEqual({
    type: "gone",
    inputs: {},
    settings: {},
    position: [0, 0],
  });
  document.close();
});

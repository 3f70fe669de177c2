/** Several nodes are muted, bypassed and pinned as one step of undo, and what is too large to pin is refused. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CanvasDocument } from "../../document";
import { idleNode } from "../../engine/reduce";
import type { Json, Outputs } from "../../protocol";
import { Store } from "../../store";
import { FakeServer, settle } from "../../testing/fake_server";
import type { Editor } from "./editor";
import { MAX_PIN_BYTES, setPin, toggleMode, togglePins } from "./modes";

let document: CanvasDocument;
let left: Record<string, Outputs>;
let fetched: Json;
let show: ReturnType<typeof vi.fn>;

beforeEach(async () => {
  const { session } = new FakeServer().session();
  document = new CanvasDocument(session, "c", { id: "u", name: "Anna" });
  session.connect();
  await settle();
  for (const id of ["a", "b", "c"]) document.addNode({ type: "core.value", position: [0, 0] }, id);
  document.checkpoint();
  left = {};
  fetched = null;
  show = vi.fn();
});
afterEach(() => document.close());

function editor(): Editor {
  const board = Object.entries(left).map(([id, outputs]) => [id, { last: { ...idleNode("r"), outputs } }]);
  return {
    document,
    library: { get: () => undefined, of: () => undefined },
    viewing: new Store(null),
    toasts: { show, error: vi.fn() },
    workbench: {
      runs: { board: new Store(Object.fromEntries(board)) },
      value: async (value: Json) =>
        typeof value === "object" && value !== null && "$ref" in value ? fetched : value,
    },
  } as unknown as Editor;
}

const settings = (id: string) => document.spell.get().nodes[id]?.settings;

test("a mode is put on all, taken from all that have it, and undone in one step", () => {
  toggleMode(editor(), "mute", ["a", "b", "gone"]);
  expect([settings("a")?.mode, settings("b")?.mode, settings("c")?.mode]).toEqual([
    "mute",
    "mute",
    undefined,
  ]);
  toggleMode(editor(), "mute", ["a", "b", "c"]);
  expect(settings("c")?.mode).toBe("mute");
  toggleMode(editor(), "mute", ["a", "b", "c"]);
  expect(settings("a")?.mode).toBeUndefined();
  document.undo();
  expect(["a", "b", "c"].map((id) => settings(id)?.mode)).toEqual(["mute", "mute", "mute"]);
  toggleMode(editor(), "bypass", ["a"]);
  expect(settings("a")?.mode).toBe("bypass");
});

test("what nodes gave last is pinned whole, but for what every node has", async () => {
  left = { a: { value: 1, error: "no", all: {} }, b: { value: { $ref: "h", size: 70_000, preview: [] } } };
  fetched = [1, 2, 3];
  await togglePins(editor(), ["a", "b"]);
  expect(settings("a")?.pins).toEqual({ value: 1 });
  expect(settings("b")?.pins).toEqual({ value: [1, 2, 3] });
  await togglePins(editor(), ["a", "b"]);
  expect(settings("a")?.pins).toBeUndefined();
  document.undo();
  document.undo();
  expect([settings("a")?.pins, settings("b")?.pins]).toEqual([undefined, undefined]);
});

test("a value written by hand is not overwritten when others are pinned beside it", async () => {
  setPin(editor(), "a", "value", "mine");
  left = { a: { value: 1 }, b: { value: 2 } };
  await togglePins(editor(), ["a", "b"]);
  expect([settings("a")?.pins, settings("b")?.pins]).toEqual([{ value: "mine" }, { value: 2 }]);
});

test("a node without a value is told of, and the others are pinned", async () => {
  left = { b: { value: 2 } };
  await togglePins(editor(), ["a", "b"]);
  expect(settings("b")?.pins).toEqual({ value: 2 });
  expect(show).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ title: expect.stringContaining("no value to pin yet") }),
  );
});

test("too large a value is refused with its size, before it is fetched where that is known", async () => {
  left = { a: { value: { $ref: "h", size: 5_000_000, preview: [] } } };
  await togglePins(editor(), ["a"]);
  expect(show).toHaveBeenLastCalledWith(
    expect.objectContaining({ title: expect.stringContaining("5.0 MB is too large to pin") }),
  );
  setPin(editor(), "a", "value", "x".repeat(MAX_PIN_BYTES));
  expect(show).toHaveBeenCalledTimes(2);
  expect(settings("a")?.pins).toBeUndefined();
});

test("pins of single outputs come and go", () => {
  setPin(editor(), "a", "x", 1);
  setPin(editor(), "a", "y", null);
  expect(settings("a")?.pins).toEqual({ x: 1, y: null });
  setPin(editor(), "a", "x", undefined);
  setPin(editor(), "a", "y", undefined);
  expect(settings("a")?.pins).toBeUndefined();
});

/** A thread is drawn where its node is now, and only near what is seen. */
import { expect, test } from "vitest";
import type { Pair } from "../protocol";
import { drawnView, pinsOf, within } from "./pins";
import type { Thread } from "./types";

function thread(id: string, node: string | null, at: Pair): Thread {
  const author = { id: "ada", name: "Ada" };
  return {
    id,
    canvas: "c",
    author,
    node,
    at,
    excerpt: "",
    created_at: 1,
    last_at: 1,
    count: 1,
    resolved_at: null,
    resolved_by: null,
    waiting: false,
  };
}

const box = { x: 100, y: 50, width: 200, height: 0 };

test("threads are at the corner of their node, in a row, or at their place", () => {
  const threads = [thread("1", "n", [0, 0]), thread("2", "n", [0, 0]), thread("3", null, [7, 8])];
  const pins = pinsOf(threads, (node) => (node === "n" ? box : undefined), new Map());
  expect(pins.map(({ x, y, row, orphaned }) => [x, y, row, orphaned])).toEqual([
    [300, 50, 0, false],
    [300, 50, 1, false],
    [7, 8, 0, false],
  ]);
});

test("a thread whose node is gone stays where the node was, and comes back with it", () => {
  const seen = new Map<string, Pair>();
  const threads = [thread("1", "n", [1, 2])];
  const gone = () => undefined;
  expect(pinsOf(threads, gone, seen)[0]).toMatchObject({ x: 1, y: 2, orphaned: true });
  pinsOf(threads, () => box, seen);
  expect(pinsOf(threads, gone, seen)[0]).toMatchObject({ x: 100, y: 50, orphaned: true });
  expect(pinsOf(threads, () => box, seen)[0]).toMatchObject({ x: 300, y: 50, orphaned: false });
});

test("what is drawn covers the view and stays the same while it moves a little", () => {
  const width = 1000;
  for (const zoom of [0.05, 1, 2.4]) {
    for (const x of [-5000, -1, 0, 777]) {
      const drawn = drawnView([x, x, zoom], width, 800);
      expect(drawn.x).toBeLessThanOrEqual(-x / zoom - width / zoom / 2);
      expect(drawn.x + drawn.width).toBeGreaterThanOrEqual((-x + width) / zoom + width / zoom / 2);
    }
  }
  expect(drawnView([-10, -10, 1], width, 800)).toEqual(drawnView([-300, -200, 1], width, 800));
});

test("of a thousand threads only those near the view are drawn", () => {
  const threads = Array.from({ length: 1000 }, (_, index) => thread(String(index), null, [index * 100, 0]));
  const pins = pinsOf(threads, () => undefined, new Map());
  const drawn = within(pins, drawnView([0, 0, 1], 1000, 800));
  expect(drawn.length).toBeLessThan(30);
  expect(drawn[0]?.thread.id).toBe("0");
});

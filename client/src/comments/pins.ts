/** Where threads are on the canvas, and which of them are worth drawing. */
import type { Pair } from "../protocol";
import type { Thread } from "./types";

/** A box on the canvas. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A thread at its place, in canvas units; `row` counts the threads at one node from its corner on. */
export interface Pin {
  readonly thread: Thread;
  readonly x: number;
  readonly y: number;
  readonly row: number;
  /** Its node is gone. */
  readonly orphaned: boolean;
}

/**
 * Places threads: at the right upper corner of their node, at their place, or where their node was last.
 *
 * `seen` keeps where nodes were, for this tab: it knows that more exactly than the server does.
 */
export function pinsOf(
  threads: Iterable<Thread>,
  boxOf: (node: string) => Box | undefined,
  seen: Map<string, Pair>,
): Pin[] {
  const rows = new Map<string, number>();
  const pins: Pin[] = [];
  for (const thread of threads) {
    if (thread.node === null) {
      pins.push({ thread, x: thread.at[0], y: thread.at[1], row: 0, orphaned: false });
      continue;
    }
    const row = rows.get(thread.node) ?? 0;
    rows.set(thread.node, row + 1);
    const box = boxOf(thread.node);
    if (box) seen.set(thread.node, [box.x, box.y]);
    const [x, y] = box ? [box.x + box.width, box.y] : (seen.get(thread.node) ?? thread.at);
    pins.push({ thread, x, y, row, orphaned: !box });
  }
  return pins;
}

/** The pins within `view`, given in canvas units. */
export function within(pins: readonly Pin[], view: Box): Pin[] {
  return pins.filter(
    ({ x, y }) => x >= view.x && x <= view.x + view.width && y >= view.y && y <= view.y + view.height,
  );
}

/**
 * The part of the canvas to draw pins in: what is seen and half as much around it, moving in steps of half a view,
 * so that a small move of the view changes nothing.
 */
export function drawnView(
  [x, y, zoom]: readonly [number, number, number],
  width: number,
  height: number,
): Box {
  const [stepX, stepY] = [Math.max(1, width / zoom / 2), Math.max(1, height / zoom / 2)];
  return {
    x: Math.floor(-x / zoom / stepX) * stepX - stepX,
    y: Math.floor(-y / zoom / stepY) * stepY - stepY,
    width: stepX * 5,
    height: stepY * 5,
  };
}

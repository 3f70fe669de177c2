/** Where nodes are, drawn or not. */
import type { Node, Rect, Viewport } from "@xyflow/react";

/** Pixels left free between a node and the edge of the canvas. */
const MARGIN = 24;

/** The rectangle around nodes, drawn or not; null around none. */
export function boundsOf(nodes: readonly Node[]): Rect | null {
  if (nodes.length === 0) return null;
  const right = (node: Node) => node.position.x + (node.measured?.width ?? node.width ?? 0);
  const bottom = (node: Node) =>
    node.position.y + (node.measured?.height ?? node.height ?? node.initialHeight ?? 0);
  const x = Math.min(...nodes.map((node) => node.position.x));
  const y = Math.min(...nodes.map((node) => node.position.y));
  return { x, y, width: Math.max(...nodes.map(right)) - x, height: Math.max(...nodes.map(bottom)) - y };
}

/**
 * How many pixels to move the view, whose width was `before` and is `width`, so that a thing at the right is
 * seen whole, as far as its left side allows. What was out of sight before stays there.
 */
export function shiftIntoView(bounds: Rect, view: Viewport, before: number, width: number): number {
  const left = bounds.x * view.zoom + view.x;
  const right = left + bounds.width * view.zoom;
  const over = right - (width - MARGIN);
  return left >= before ? 0 : Math.max(0, Math.min(over, left - MARGIN));
}

const STEP = 40;
const REACH = 30;
const GAP = 16;

/** `wanted`, moved as little as needed so that it covers none of `taken`; as it is when all around is taken. */
export function freeRect(wanted: Rect, taken: readonly Rect[]): Rect {
  const near = taken.filter((rect) => overlaps(rect, wanted, (REACH + 1) * STEP));
  const moved = AROUND.map(([dx, dy]) => ({ ...wanted, x: wanted.x + dx, y: wanted.y + dy }));
  return moved.find((place) => !near.some((rect) => overlaps(rect, place, GAP))) ?? wanted;
}

function overlaps(a: Rect, b: Rect, gap: number): boolean {
  return (
    a.x < b.x + b.width + gap &&
    b.x < a.x + a.width + gap &&
    a.y < b.y + b.height + gap &&
    b.y < a.y + a.height + gap
  );
}

/** Nearest first; of two as near, the one further right, which is where a spell goes on. */
const rank = ([x, y]: readonly [number, number]) => Math.hypot(x, y) - x / 100;

/** Steps in every direction, in the order in which they are tried. */
const AROUND: readonly (readonly [number, number])[] = Array.from({ length: 2 * REACH + 1 }, (_, row) =>
  Array.from({ length: 2 * REACH + 1 }, (_, column) => {
    return [(column - REACH) * STEP, (row - REACH) * STEP] as const;
  }),
)
  .flat()
  .sort((a, b) => rank(a) - rank(b));

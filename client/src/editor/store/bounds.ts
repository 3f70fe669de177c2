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

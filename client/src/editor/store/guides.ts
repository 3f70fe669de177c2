/** Alignment guides: lines along which a dragged node lines up with others, and the small pull towards them. */
import type { Node } from "@xyflow/react";

/** A line to draw, in canvas units. */
export interface Guide {
  readonly axis: "x" | "y";
  readonly at: number;
}

const REACH = 6;

function edgesOf(start: number, length: number): number[] {
  return [start, start + length / 2, start + length];
}

interface Snap {
  readonly by: number;
  readonly at: number;
}

function nearest(mine: readonly number[], others: readonly number[], reach: number): Snap | null {
  let best: Snap | null = null;
  for (const at of others) {
    for (const edge of mine) {
      const by = at - edge;
      if (Math.abs(by) <= reach && (!best || Math.abs(by) < Math.abs(best.by))) best = { by, at };
    }
  }
  return best;
}

/** Pull `position` of the dragged node to the lines of nodes near it; `zoom` keeps the reach the same on screen. */
export function snapToGuides(
  dragged: Node,
  position: { x: number; y: number },
  others: readonly Node[],
  zoom: number,
): { position: { x: number; y: number }; guides: Guide[] } {
  const width = dragged.measured?.width ?? dragged.width ?? 0;
  const height = dragged.measured?.height ?? dragged.height ?? 0;
  const near = others.filter(
    (other) =>
      other.id !== dragged.id &&
      other.type !== "group" &&
      Math.abs(other.position.x - position.x) < 1600 / zoom &&
      Math.abs(other.position.y - position.y) < 1000 / zoom,
  );
  const xs = near.flatMap((other) => edgesOf(other.position.x, other.measured?.width ?? other.width ?? 0));
  const ys = near.flatMap((other) => [
    other.position.y,
    other.position.y + (other.measured?.height ?? other.height ?? 0),
  ]);
  const reach = REACH / zoom;
  const x = nearest(edgesOf(position.x, width), xs, reach);
  const y = nearest([position.y, position.y + height], ys, reach);
  const guides: Guide[] = [];
  if (x) guides.push({ axis: "x", at: x.at });
  if (y) guides.push({ axis: "y", at: y.at });
  return { position: { x: position.x + (x?.by ?? 0), y: position.y + (y?.by ?? 0) }, guides };
}

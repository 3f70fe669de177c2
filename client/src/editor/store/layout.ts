/** Arranging nodes: by layers with ELK (fetched when first used), and in lines. */
import type { ElkNode } from "elkjs/lib/elk-api";
import type { Pair, Spell } from "../../protocol";

/** The measure of each thing as drawn. */
export type Sizes = (id: string) => { width: number; height: number };

/** Where the nodes go in layers from left to right; the corner of what is laid out stays where it was. */
export async function layeredPositions(
  spell: Spell,
  ids: readonly string[],
  sizes: Sizes,
): Promise<Record<string, Pair>> {
  const { default: Elk } = await import("elkjs/lib/elk.bundled.js");
  const chosen = new Set(ids);
  const graph: ElkNode = {
    id: "spell",
    layoutOptions: {
      "elk.algorithm": "layered",
      "elk.direction": "RIGHT",
      "elk.layered.spacing.nodeNodeBetweenLayers": "80",
      "elk.spacing.nodeNode": "36",
      "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
      "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
      "elk.separateConnectedComponents": "true",
      "elk.spacing.componentComponent": "72",
    },
    children: ids.map((id) => ({ id, ...sizes(id) })),
    edges: Object.entries(spell.edges)
      .filter(([, edge]) => chosen.has(edge.source) && chosen.has(edge.target))
      .map(([id, edge]) => ({ id, sources: [edge.source], targets: [edge.target] })),
  };
  const laid = await new Elk().layout(graph);
  const placed = laid.children ?? [];
  const corner = cornerOf(ids.map((id) => spell.nodes[id]?.position ?? [0, 0]));
  const start = cornerOf(placed.map((child) => [child.x ?? 0, child.y ?? 0]));
  const positions: Record<string, Pair> = {};
  for (const child of placed) {
    positions[child.id] = [
      Math.round((child.x ?? 0) - start[0] + corner[0]),
      Math.round((child.y ?? 0) - start[1] + corner[1]),
    ];
  }
  return positions;
}

function cornerOf(points: readonly Pair[]): Pair {
  return [Math.min(...points.map((point) => point[0])), Math.min(...points.map((point) => point[1]))];
}

export type Alignment = "left" | "center" | "right" | "top" | "middle" | "bottom" | "row" | "column";

interface Box {
  readonly id: string;
  readonly at: Pair;
  readonly width: number;
  readonly height: number;
}

/** Where boxes go to stand in one line, or spread evenly along it. */
export function alignedPositions(boxes: readonly Box[], alignment: Alignment): Record<string, Pair> {
  const left = Math.min(...boxes.map((box) => box.at[0]));
  const top = Math.min(...boxes.map((box) => box.at[1]));
  const right = Math.max(...boxes.map((box) => box.at[0] + box.width));
  const bottom = Math.max(...boxes.map((box) => box.at[1] + box.height));
  if (alignment === "row" || alignment === "column") return spread(boxes, alignment === "row" ? 0 : 1);
  const to: Record<Exclude<Alignment, "row" | "column">, (box: Box) => Pair> = {
    left: (box) => [left, box.at[1]],
    center: (box) => [(left + right - box.width) / 2, box.at[1]],
    right: (box) => [right - box.width, box.at[1]],
    top: (box) => [box.at[0], top],
    middle: (box) => [box.at[0], (top + bottom - box.height) / 2],
    bottom: (box) => [box.at[0], bottom - box.height],
  };
  return Object.fromEntries(boxes.map((box) => [box.id, to[alignment](box)]));
}

function spread(boxes: readonly Box[], axis: 0 | 1): Record<string, Pair> {
  const length = (box: Box) => (axis === 0 ? box.width : box.height);
  const sorted = [...boxes].sort((a, b) => a.at[axis] - b.at[axis]);
  const first = sorted[0];
  const last = sorted.at(-1);
  if (!first || !last) return {};
  const room =
    last.at[axis] + length(last) - first.at[axis] - sorted.reduce((sum, box) => sum + length(box), 0);
  const gap = Math.max(room / Math.max(sorted.length - 1, 1), 24);
  const positions: Record<string, Pair> = {};
  let at = first.at[axis];
  for (const box of sorted) {
    positions[box.id] = axis === 0 ? [at, box.at[1]] : [box.at[0], at];
    at += length(box) + gap;
  }
  return positions;
}

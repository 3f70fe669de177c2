/**
 * The measures of a node, known before the browser has drawn it.
 *
 * Wires can so be drawn to nodes outside the view, and a thousand nodes need
 * no measuring pass. The numbers are those of styles/canvas.css.
 */
import { type NodeHandle, Position } from "@xyflow/react";
import type { Port, SpellNode } from "../../protocol";
import type { Fold, FoldedPort } from "./folding";
import type { ShownPorts } from "./graph";

export const NODE_WIDTH = 260;
const BORDER = 1;
const HEAD = 38;
const PORTS_LINE = 1;
const PORTS_PAD = 5;
export const ROW = 26;
const HANDLE = 11;
/** Below this zoom nodes are drawn as plain boxes with their name and state. */
export const FAR_ZOOM = 0.34;

/** How high a node is without a body below its ports. */
export function bareHeight(ports: ShownPorts): number {
  const rows = Math.max(ports.inputs.length, ports.outputs.length);
  return 2 * BORDER + HEAD + (rows > 0 ? PORTS_LINE + 2 * PORTS_PAD + rows * ROW : 0);
}

/** Where the outputs that every node has are on its lower edge: their middles, from its left. */
export function reservedPlaces(ports: ShownPorts): (readonly [port: Port, left: number])[] {
  return ports.reserved.map((port, index) => [port, 24 + index * 58] as const);
}

/** Where the handles of a node are, relative to its corner. */
export function handlePlaces(node: SpellNode, ports: ShownPorts): NodeHandle[] {
  const width = node.size?.[0] ?? NODE_WIDTH;
  const y = (row: number) => BORDER + HEAD + PORTS_LINE + PORTS_PAD + row * ROW + (ROW - HANDLE) / 2;
  return [
    ...ports.inputs.map((port, row) => ({
      id: port.name,
      type: "target" as const,
      position: Position.Left,
      x: BORDER - HANDLE / 2,
      y: y(row),
      width: HANDLE,
      height: HANDLE,
    })),
    ...ports.outputs.map((port, row) => ({
      id: port.name,
      type: "source" as const,
      position: Position.Right,
      x: width - BORDER - HANDLE / 2,
      y: y(row),
      width: HANDLE,
      height: HANDLE,
    })),
    ...reservedPlaces(ports).map(([port, left]) => ({
      id: port.name,
      type: "source" as const,
      position: Position.Bottom,
      x: left - HANDLE / 2,
      y: bareHeight(ports),
      width: HANDLE,
      height: HANDLE,
    })),
  ];
}

/** Rows of a folded frame; further wires end at the last. */
export const FOLDED_ROWS = 8;
const FOLDED_FACTS = 26;
const FOLDED_ROW = 22;
const FOLDED_PAD = 6;

/** The row of each end on one side of a folded frame. */
export function foldedRows(ports: readonly FoldedPort[]): (readonly [port: FoldedPort, row: number])[] {
  return ports.map((port, index) => [port, Math.min(index, FOLDED_ROWS - 1)] as const);
}

/** How high a folded frame is: its head, what is in it, and a row for each wire's end. */
export function foldedHeight({ inputs, outputs }: Pick<Fold, "inputs" | "outputs">): number {
  const rows = Math.min(FOLDED_ROWS, Math.max(inputs.length, outputs.length));
  return 2 * BORDER + HEAD + FOLDED_FACTS + (rows > 0 ? 2 * FOLDED_PAD + rows * FOLDED_ROW : 0);
}

/** The top of a row of a folded frame, within its border. */
export function foldedTop(row: number): number {
  return HEAD + FOLDED_FACTS + FOLDED_PAD + row * FOLDED_ROW;
}

/** Where the wires' ends are on a folded frame, relative to its corner. */
export function foldedPlaces({ inputs, outputs }: Pick<Fold, "inputs" | "outputs">): NodeHandle[] {
  const y = (row: number) => BORDER + foldedTop(row) + (FOLDED_ROW - HANDLE) / 2;
  const side = (ports: readonly FoldedPort[], type: "source" | "target", x: number): NodeHandle[] =>
    foldedRows(ports).map(([{ handle }, row]) => ({
      id: handle,
      type,
      position: type === "target" ? Position.Left : Position.Right,
      x,
      y: y(row),
      width: HANDLE,
      height: HANDLE,
    }));
  return [
    ...side(inputs, "target", BORDER - HANDLE / 2),
    ...side(outputs, "source", NODE_WIDTH - BORDER - HANDLE / 2),
  ];
}

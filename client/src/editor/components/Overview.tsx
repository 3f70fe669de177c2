/**
 * A large spell seen from afar: drawn as one picture, since a thousand nodes of the page would each cost a frame.
 *
 * It shows what can be seen at that size: where nodes are, how each stands, and the wires. A click goes there.
 */
import { type Edge, type Node, type ReactFlowState, useStore as useFlowStore } from "@xyflow/react";
import { useContext, useEffect, useMemo, useRef } from "react";
import { useTheme } from "../../app/theme";
import type { Comparing, Mark } from "../../runs";
import { Store, useStore } from "../../store";
import type { What } from "../../versions";
import { useEditor } from "../hooks/useEditor";
import { RunDeskContext } from "../hooks/useRunDesk";
import { useMarks } from "../hooks/useVersions";
import { NODE_WIDTH } from "../store/geometry";
import { wiredPorts } from "../store/graph";
import { shownState } from "../store/why";

/** Below this zoom a spell of many nodes is drawn as a picture. */
export const OVERVIEW_ZOOM = 0.24;
export const OVERVIEW_NODES = 200;

const STATE_COLOURS: Readonly<Record<string, string>> = {
  running: "--running",
  done: "--done",
  cached: "--cached",
  failed: "--failed",
  stale: "--stale",
  waiting: "--waiting",
  pinned: "--pinned",
  bypassed: "--quiet",
  muted: "--quiet",
};

const readTransform = (state: ReactFlowState) => state.transform;
const readWidth = (state: ReactFlowState) => state.width;
const readHeight = (state: ReactFlowState) => state.height;

interface OverviewProps {
  readonly nodes: readonly Node[];
  /** As they are drawn: those into a folded frame end at its box. */
  readonly wires: readonly Edge[];
}

type Colours = (name: string) => string;

function coloursOfPage(): Colours {
  const style = getComputedStyle(document.documentElement);
  const known = new Map<string, string>();
  return (name) => {
    const found = known.get(name) ?? style.getPropertyValue(name).trim();
    known.set(name, found);
    return found;
  };
}

function heightOf(node: Node): number {
  return node.measured?.height ?? node.height ?? node.initialHeight ?? 100;
}

function widthOf(node: Node): number {
  return node.measured?.width ?? node.width ?? NODE_WIDTH;
}

export function Overview({ nodes, wires }: OverviewProps) {
  const editor = useEditor();
  const theme = useTheme();
  const [x, y, zoom] = useFlowStore(readTransform);
  const width = useFlowStore(readWidth);
  const height = useFlowStore(readHeight);
  const edges = useStore(editor.document.spell, (spell) => spell.edges);
  const drawn = useStore(editor.document.spell, (spell) => spell.nodes);
  const past = useStore(editor.viewing);
  const board = useStore(editor.workbench.runs.board);
  const marks = useMarks();
  const compared = useCompared();
  const picture = useRef<HTMLCanvasElement>(null);
  const places = useMemo(() => new Map(nodes.map((node) => [node.id, node])), [nodes]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours
  const colours = useMemo(coloursOfPage, [theme]);

  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const element = picture.current;
      const pen = element?.getContext("2d");
      if (!element || !pen) return;
      const dots = window.devicePixelRatio || 1;
      element.width = width * dots;
      element.height = height * dots;
      pen.setTransform(zoom * dots, 0, 0, zoom * dots, x * dots, y * dots);
      drawWires(pen, wires, places, colours, zoom);
      for (const node of nodes) {
        const state = past
          ? past.nodes[node.id]?.state
          : shownState(board[node.id], drawn[node.id]?.settings, wiredPorts(edges, node.id).outputs);
        drawNode(pen, node, state, colours, zoom);
        const mark = marks?.get(node.id) ?? COMPARED[compared[node.id] ?? "same"];
        if (mark) drawMark(pen, node, mark, colours, zoom);
      }
    });
    return () => cancelAnimationFrame(frame);
  }, [nodes, places, wires, edges, drawn, board, past, marks, compared, colours, x, y, zoom, width, height]);

  return (
    <canvas
      ref={picture}
      className="overview"
      role="img"
      aria-label={`${nodes.length} nodes seen from afar; the list of nodes names them`}
      data-testid="overview"
      style={{ width, height }}
    />
  );
}

/** How nodes came out in two compared runs, drawn as differences of versions are; what is the same has no mark. */
const COMPARED: Readonly<Record<Mark, What | null>> = {
  same: null,
  changed: "changed",
  before: "removed",
  after: "added",
};

const NOT_COMPARED: Readonly<Record<string, Mark>> = {};
const NOTHING = new Store<Comparing | null>(null);

function useCompared(): Readonly<Record<string, Mark>> {
  const desk = useContext(RunDeskContext);
  return useStore(desk?.comparison.now ?? NOTHING, (now) =>
    now?.state === "open" ? now.marks : NOT_COMPARED,
  );
}

function drawWires(
  pen: CanvasRenderingContext2D,
  edges: readonly Edge[],
  places: ReadonlyMap<string, Node>,
  colours: Colours,
  zoom: number,
): void {
  pen.strokeStyle = colours("--line-strong");
  pen.lineWidth = 0.8 / zoom;
  pen.beginPath();
  for (const edge of edges) {
    const from = places.get(edge.source);
    const to = places.get(edge.target);
    if (!from || !to) continue;
    pen.moveTo(from.position.x + widthOf(from), from.position.y + heightOf(from) / 2);
    pen.lineTo(to.position.x, to.position.y + heightOf(to) / 2);
  }
  pen.stroke();
}

function drawNode(
  pen: CanvasRenderingContext2D,
  node: Node,
  state: string | undefined,
  colours: Colours,
  zoom: number,
): void {
  const [width, height] = [widthOf(node), heightOf(node)];
  const { x, y } = node.position;
  if (node.type === "group") {
    pen.strokeStyle = colours("--accent-line");
    pen.lineWidth = 1 / zoom;
    pen.strokeRect(x, y, width, height);
    return;
  }
  const tone = state ? STATE_COLOURS[state] : undefined;
  if (state === "muted") pen.globalAlpha = 0.45;
  pen.setLineDash(state === "bypassed" ? [6 / zoom, 4 / zoom] : []);
  pen.fillStyle = node.type === "note" ? colours("--stale-soft") : colours("--surface");
  pen.strokeStyle = node.selected ? colours("--accent") : colours(tone ?? "--line-strong");
  pen.lineWidth = (node.selected || state === "failed" ? 2 : 1) / zoom;
  pen.beginPath();
  pen.roundRect(x, y, width, height, 10);
  pen.fill();
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
  if (!tone || state === "muted" || state === "bypassed") return;
  pen.fillStyle = colours(tone);
  pen.globalAlpha = state === "cached" ? 0.35 : 0.75;
  // Failed nodes are filled whole and running ones by half, so that the shape tells it without the colour.
  const share = state === "failed" ? 1 : state === "running" ? 0.5 : 0.24;
  pen.fillRect(x + 8, y + 8, width - 16, (height - 16) * share);
  pen.globalAlpha = 1;
}

const MARK_COLOURS: Readonly<Record<What, string>> = {
  added: "--done",
  removed: "--failed",
  changed: "--stale",
  moved: "--quiet",
};

/** How a thing of a version differs from the present: removed ones are filled whole, changed ones by half. */
function drawMark(
  pen: CanvasRenderingContext2D,
  node: Node,
  what: What,
  colours: Colours,
  zoom: number,
): void {
  const { x, y } = node.position;
  const [width, height] = [widthOf(node), heightOf(node)];
  pen.strokeStyle = pen.fillStyle = colours(MARK_COLOURS[what]);
  pen.lineWidth = 2 / zoom;
  pen.setLineDash(what === "added" ? [4 / zoom, 3 / zoom] : what === "moved" ? [1 / zoom, 2 / zoom] : []);
  pen.strokeRect(x, y, width, height);
  pen.setLineDash([]);
  const share = what === "removed" ? 1 : what === "changed" ? 0.5 : 0;
  pen.globalAlpha = 0.6;
  pen.fillRect(x, y + height * (1 - share), width, height * share);
  pen.globalAlpha = 1;
}

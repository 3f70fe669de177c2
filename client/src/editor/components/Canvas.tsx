/** The infinite canvas. */
import {
  Background,
  BackgroundVariant,
  type Edge,
  getViewportForBounds,
  MiniMap,
  type Node,
  type NodeChange,
  ReactFlow,
  type ReactFlowState,
  SelectionMode,
  useStore as useFlowStore,
  useReactFlow,
} from "@xyflow/react";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTheme } from "../../app/theme";
import { useStore } from "../../store";
import { useCommentMode } from "../hooks/useCommentMode";
import { useConnect } from "../hooks/useConnect";
import { useEditor } from "../hooks/useEditor";
import { useFirstFit } from "../hooks/useFirstFit";
import { useFlow } from "../hooks/useFlow";
import { useKeepInView } from "../hooks/useKeepInView";
import { useScrollAsPan } from "../hooks/useScrollAsPan";
import { isTyping } from "../hooks/useShortcuts";
import { useIsVersion } from "../hooks/useVersions";
import { addNode } from "../store/actions";
import { boundsOf } from "../store/bounds";
import { pasteText } from "../store/clipboard";
import type { Editor } from "../store/editor";
import { type Guide, snapToGuides } from "../store/guides";
import { importFiles } from "../store/spell_files";
import { CanvasEmpty } from "./CanvasEmpty";
import { ConnectionLine } from "./ConnectionLine";
import { CommentHint } from "./comments/CommentHint";
import { CommentPins } from "./comments/CommentPins";
import { FoldedView } from "./FoldedView";
import { FollowFrame } from "./FollowFrame";
import { GroupView } from "./GroupView";
import { Guides } from "./Guides";
import { DRAGGED_TYPE } from "./LibraryPanel";
import { NamedWire } from "./NamedWire";
import { NoteView } from "./NoteView";
import { OVERVIEW_NODES, OVERVIEW_ZOOM, Overview } from "./Overview";
import { RemoteCursors } from "./RemoteCursors";
import { SpellNodeView } from "./SpellNodeView";
import { Toolbelt } from "./Toolbelt";
import { Wire } from "./Wire";
import { WorkerChip } from "./workers/WorkerChip";

const NODE_TYPES = { spell: SpellNodeView, group: GroupView, folded: FoldedView, note: NoteView };
/** Whose menu a drawn thing has, where it is no node of the spell. */
const MENU_KINDS: Readonly<Record<string, "group" | "note">> = {
  group: "group",
  folded: "group",
  note: "note",
};
const EDGE_TYPES = { wire: Wire, named: NamedWire };
const PAN_BUTTONS = [0, 1];
const PADDING = { top: "28px", right: "28px", bottom: "76px", left: "28px" } as const;
const MIN_ZOOM = 0.05;
const NO_NODES: Node[] = [];
const NO_EDGES: Edge[] = [];
const isSmall = (state: ReactFlowState) => state.transform[2] < OVERVIEW_ZOOM;
const NO_GUIDES: Guide[] = [];

export function Canvas() {
  const editor = useEditor();
  const { document: shared } = editor;
  const flow = useFlow();
  const connect = useConnect();
  const view = useReactFlow();
  // Nodes change their size and ports when their types are known.
  const unknown = useStore(editor.library.state, (state) => state.status === "loading");
  const theme = useTheme();
  const editable = useStore(shared.editable);
  const commenting = useStore(editor.commenting.mode);
  const isVersion = useIsVersion();
  const showMap = useStore(shared.spell, (spell) => Object.keys(spell.nodes).length > 6);
  const [guides, setGuides] = useState(NO_GUIDES);
  const box = useRef<HTMLElement>(null);
  const small = useFlowStore(isSmall);
  const overview = small && flow.nodes.length > OVERVIEW_NODES;
  const drawn = useRef(flow.nodes);
  drawn.current = flow.nodes;

  /** React Flow's own fit knows only nodes that it has drawn; ours knows the measure of all. */
  const fitView = useCallback(
    (ids: readonly string[] | undefined, duration: number) => {
      const rect = box.current?.getBoundingClientRect();
      const bounds = boundsOf(drawn.current.filter((node) => !ids || ids.includes(node.id)));
      if (!rect || !bounds) return;
      const to = getViewportForBounds(bounds, rect.width, rect.height, MIN_ZOOM, 1, PADDING);
      void view.setViewport(to, { duration });
    },
    [view],
  );

  const [fitFirst, settling] = useFirstFit(
    flow.nodes,
    unknown,
    useCallback(() => fitView(undefined, 0), [fitView]),
  );

  useKeepInView(
    box,
    drawn,
    useCallback(() => editor.selectedNodes(), [editor]),
  );

  const panToScrolled = useScrollAsPan(editor);

  useEffect(() => {
    const middle = () => {
      const rect = box.current?.getBoundingClientRect();
      return rect ? { x: rect.left + rect.width / 2, y: rect.top + rect.height / 2 } : { x: 0, y: 0 };
    };
    const toCanvas = (x: number, y: number) => {
      const point = view.screenToFlowPosition({ x, y });
      return [point.x, point.y] as const;
    };
    editor.view = {
      toCanvas,
      center: () => toCanvas(middle().x, middle().y),
      fit: (ids) => fitView(ids, 240),
      fly: ([x, y]) => {
        const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
        const zoom = Math.min(1, Math.max(0.6, view.getZoom()));
        void view.setCenter(x, y, { zoom, duration: calm ? 0 : 240 });
      },
      zoom: (step) => void (step > 0 ? view.zoomIn({ duration: 120 }) : view.zoomOut({ duration: 120 })),
    };
    return () => {
      editor.view = null;
    };
  }, [editor, view, fitView]);

  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (isTyping(event.target) || !text.trim().startsWith("{") || !shared.editable.get()) return;
      if (box.current?.closest("[inert]")) return; // A version is looked at, over the canvas.
      event.preventDefault();
      pasteText(editor, text, false);
    };
    window.addEventListener("paste", paste);
    return () => window.removeEventListener("paste", paste);
  }, [editor, shared]);

  useEffect(() => {
    const tell = () => shared.setPresence({ selection: [...editor.selection.get()] });
    tell();
    return editor.selection.subscribe(tell);
  }, [editor, shared]);

  const { onNodesChange, nodes } = flow;
  const moveNodes = useCallback(
    (changes: NodeChange[]) => {
      const moves = changes.filter((change) => change.type === "position" && change.dragging);
      const [move] = moves;
      if (moves.length === 1 && move?.type === "position" && move.position) {
        const dragged = nodes.find((node) => node.id === move.id);
        if (dragged) {
          const snapped = snapToGuides(dragged, move.position, nodes, view.getZoom());
          move.position = snapped.position;
          setGuides(snapped.guides.length === 0 ? NO_GUIDES : snapped.guides);
        }
      }
      onNodesChange(changes);
    },
    [nodes, onNodesChange, view],
  );

  const commentMode = useCommentMode(
    useCallback((x, y) => (overview ? nodeAt(editor, drawn.current, x, y) : null), [editor, overview]),
  );

  const endDrag = useCallback(() => {
    setGuides(NO_GUIDES);
    flow.commitDrag();
  }, [flow.commitDrag]);

  const menuOn =
    (kind: "node" | "edge") =>
    (event: React.MouseEvent, thing: { id: string; type?: string | undefined }) => {
      event.preventDefault();
      if (!editor.selection.get().has(thing.id)) editor.select([thing.id]);
      const what = (kind === "node" && thing.type !== undefined && MENU_KINDS[thing.type]) || kind;
      editor.menu.set({ x: event.clientX, y: event.clientY, target: { kind: what, id: thing.id } });
    };

  return (
    <section
      className="canvas"
      data-testid="canvas"
      aria-label="Canvas"
      aria-busy={settling}
      ref={box}
      data-commenting={commenting}
      {...commentMode}
      onScrollCapture={panToScrolled}
      onPointerMove={(event) => {
        const point = view.screenToFlowPosition(
          { x: event.clientX, y: event.clientY },
          { snapToGrid: false },
        );
        shared.setPresence({ cursor: [Math.round(point.x), Math.round(point.y)] });
      }}
      onDragOver={(event) => {
        const { types } = event.dataTransfer;
        // A file is taken also where it cannot be added: else the browser would leave the page for it.
        if (types.includes(DRAGGED_TYPE) || types.includes("Files")) event.preventDefault();
      }}
      onDrop={(event) => {
        const files = [...event.dataTransfer.files];
        if (files.length > 0) {
          event.preventDefault();
          void importFiles(editor, files, editor.view?.toCanvas(event.clientX, event.clientY));
          return;
        }
        const type = editor.library.get(event.dataTransfer.getData(DRAGGED_TYPE));
        if (type && editable)
          addNode(editor, type, {
            mode: "add",
            at: editor.view?.toCanvas(event.clientX, event.clientY) ?? [0, 0],
          });
      }}
      onPointerLeave={() => shared.setPresence({ cursor: null })}
      onDoubleClick={(event) => {
        if (!(event.target as Element).classList.contains("react-flow__pane") || !editable) return;
        const point = view.screenToFlowPosition({ x: event.clientX, y: event.clientY });
        editor.palette.set({ mode: "add", at: [point.x, point.y] });
      }}
    >
      <ReactFlow
        nodes={overview ? NO_NODES : flow.nodes}
        edges={overview ? NO_EDGES : flow.edges}
        onNodesChange={moveNodes}
        onEdgesChange={flow.onEdgesChange}
        onNodeDragStart={(_event, node) => flow.holdDrag(node.id)}
        onNodeDragStop={endDrag}
        onSelectionDragStop={endDrag}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        colorMode={theme}
        isValidConnection={connect.isValidConnection}
        onConnect={connect.onConnect}
        onConnectStart={connect.onConnectStart}
        onConnectEnd={connect.onConnectEnd}
        connectionLineComponent={ConnectionLine}
        connectionRadius={26}
        onNodeContextMenu={menuOn("node")}
        onEdgeContextMenu={menuOn("edge")}
        onPaneClick={(event) => {
          if (overview) revealAt(editor, flow.nodes, event.clientX, event.clientY);
        }}
        onPaneContextMenu={(event) => {
          event.preventDefault();
          editor.menu.set({ x: event.clientX, y: event.clientY, target: { kind: "canvas" } });
        }}
        nodesDraggable={editable}
        nodesConnectable={editable}
        deleteKeyCode={null}
        selectionKeyCode="Shift"
        multiSelectionKeyCode={["Meta", "Control", "Shift"]}
        panActivationKeyCode="Space"
        panOnDrag={PAN_BUTTONS}
        panOnScroll
        zoomActivationKeyCode={["Meta", "Control"]}
        zoomOnDoubleClick={false}
        selectionMode={SelectionMode.Partial}
        minZoom={MIN_ZOOM}
        maxZoom={2.4}
        onInit={fitFirst}
        onMoveStart={(event) => event && editor.following.stop()}
        onlyRenderVisibleElements
        elevateNodesOnSelect
        disableKeyboardA11y
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={24} size={1.4} />
        {showMap && !overview && (
          <MiniMap
            pannable
            zoomable
            nodeColor={mapColour}
            nodeStrokeWidth={0}
            ariaLabel="Map of the canvas"
            style={{ width: 168, height: 112 }}
          />
        )}
        {overview && <Overview nodes={flow.nodes} wires={flow.edges} />}
        <Guides guides={guides} />
        <RemoteCursors />
        {!isVersion && <CommentPins nodes={flow.nodes} />}
        <FollowFrame />
      </ReactFlow>
      <CanvasEmpty />
      {!isVersion && <CommentHint />}
      {!isVersion && <WorkerChip />}
      <Toolbelt />
    </section>
  );
}

function mapColour(node: Node): string {
  if (node.type === "group") return "color-mix(in srgb, var(--accent) 14%, transparent)";
  if (node.type === "folded") return "var(--accent-line)";
  if (node.type === "note") return "var(--stale-soft)";
  return node.selected ? "var(--accent)" : "var(--line-strong)";
}

/** Go to the node at a point of the page, in the picture from afar. */
function revealAt(editor: Editor, nodes: readonly Node[], clientX: number, clientY: number): void {
  const hit = nodeAt(editor, nodes, clientX, clientY);
  if (hit !== null) editor.reveal(hit);
}

/** The node at a point of the page, drawn or painted. */
function nodeAt(editor: Editor, nodes: readonly Node[], clientX: number, clientY: number): string | null {
  const [x, y] = editor.view?.toCanvas(clientX, clientY) ?? [0, 0];
  const hit = nodes.find((node) => {
    const bounds = boundsOf([node]);
    return (
      node.type === "spell" &&
      bounds &&
      x >= bounds.x &&
      x <= bounds.x + bounds.width &&
      y >= bounds.y &&
      y <= bounds.y + bounds.height
    );
  });
  return hit?.id ?? null;
}

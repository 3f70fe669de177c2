/**
 * Comments on the canvas: a pin at each thread, the thread that is open, and what to do in comment mode.
 *
 * Pins live in the canvas's own layer, so that moving the view costs nothing; only those near the view are drawn.
 * Their size stays that of the page: one property of the layer undoes the zoom for all.
 */
import { type Node, type ReactFlowState, useStore as useFlowStore, ViewportPortal } from "@xyflow/react";
import { memo, useCallback, useMemo, useRef } from "react";
import { type Box, drawnView, type Pin, pinsOf, plainWords, type Thread, within } from "../../../comments";
import type { Pair } from "../../../protocol";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { foldingOf } from "../../store/folding";
import { NODE_WIDTH } from "../../store/geometry";
import { Face } from "./Face";
import { ThreadPopover } from "./ThreadPopover";

/** Pins drawn at once, the latest threads first: from far away more would only cover each other. */
const MOST = 300;

const readZoom = (state: ReactFlowState) => state.transform[2];
const readDrawn = (state: ReactFlowState) => drawnView(state.transform, state.width, state.height);
const sameBox = (a: Box, b: Box) =>
  a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;

export function CommentPins({ nodes }: { nodes: readonly Node[] }) {
  const editor = useEditor();
  const { comments } = editor.workbench;
  const threads = useStore(comments.threads);
  const open = useStore(editor.commenting.open);
  const filter = useStore(editor.commenting.filter);
  const panel = useStore(editor.panel);
  const view = useFlowStore(readDrawn, sameBox);
  const seen = useRef(new Map<string, Pair>());
  const openId = open?.kind === "thread" ? open.id : null;
  const wanted = panel === "comments" ? filter : "open";

  const shown = useMemo(() => {
    const all = [...threads.values()];
    return all.filter(
      (thread) =>
        thread.id === openId ||
        (wanted === "resolved" ? thread.resolved_at !== null : thread.resolved_at === null),
    );
  }, [threads, openId, wanted]);
  const boxOf = useBoxes(nodes, shown.length > 0 || open !== null);
  const pins = useMemo(() => pinsOf(shown, boxOf, seen.current), [shown, boxOf]);
  const drawn = useMemo(() => within(pins, view).slice(0, MOST), [pins, view]);

  const openPin = openId === null ? null : (pins.find((pin) => pin.thread.id === openId) ?? null);
  const newPin = open?.kind === "new" ? newPlace(open.place, boxOf) : null;
  return (
    <>
      <ViewportPortal>
        <PinLayer>
          {drawn.map((pin) => (
            <PlacedPin key={pin.thread.id} pin={pin} open={pin.thread.id === openId} />
          ))}
          {newPin && (
            <div className="pin-place" style={{ transform: `translate(${newPin.x}px, ${newPin.y}px)` }}>
              <span className="pin" data-new="true" data-testid="pin-new">
                <Face author={comments.user} />
              </span>
            </div>
          )}
        </PinLayer>
      </ViewportPortal>
      {open && <ThreadPopover key={keyOf(open)} open={open} place={openPin ?? newPin} />}
    </>
  );
}

function keyOf(open: { kind: string; id?: string }): string {
  return open.kind === "thread" ? String(open.id) : "new";
}

/** Undoes the zoom for the pins below it, without rendering them. */
function PinLayer({ children }: { children: React.ReactNode }) {
  const zoom = useFlowStore(readZoom);
  return (
    <div className="pins" style={{ "--pin-scale": 1 / zoom } as React.CSSProperties}>
      {children}
    </div>
  );
}

function PlacedPin({ pin, open }: { pin: Pin; open: boolean }) {
  return (
    <div
      className="pin-place"
      data-open={open}
      style={{ transform: `translate(${pin.x}px, ${pin.y}px)`, "--row": pin.row } as React.CSSProperties}
    >
      <PinButton thread={pin.thread} orphaned={pin.orphaned} open={open} />
    </div>
  );
}

interface PinButtonProps {
  readonly thread: Thread;
  readonly orphaned: boolean;
  readonly open: boolean;
}

const PinButton = memo(function PinButton({ thread, orphaned, open }: PinButtonProps) {
  const editor = useEditor();
  const { comments } = editor.workbench;
  const unread = useStore(comments.read, () => comments.unread(thread));
  const done = thread.resolved_at !== null;
  const words = `Comment by ${thread.author.name}: ${plainWords(thread.excerpt).slice(0, 80)}`;
  const more = `${thread.count > 1 ? `, ${thread.count} comments` : ""}${unread ? ", unread" : ""}${done ? ", resolved" : ""}${orphaned ? ", its node was removed" : ""}`;
  return (
    <button
      type="button"
      className="pin nodrag nopan"
      aria-label={words + more}
      aria-expanded={open}
      title={words}
      data-unread={unread}
      data-resolved={done}
      data-orphaned={orphaned}
      data-waiting={thread.waiting}
      data-testid={`pin-${thread.id}`}
      onClick={(event) => {
        event.stopPropagation();
        if (open) editor.commenting.close();
        else void editor.commenting.show(thread.id, false);
      }}
    >
      <Face author={thread.author} />
      {thread.count > 1 && <span className="pin-count">{thread.count}</span>}
    </button>
  );
});

/** Finds a node's box as it is drawn now, dragged or not; of a hidden one, the folded frame it is in. */
function useBoxes(nodes: readonly Node[], wanted: boolean): (id: string) => Box | undefined {
  const editor = useEditor();
  const opened = useStore(editor.opened);
  const hiddenBy = useStore(editor.document.spell, (spell) => foldingOf(spell, opened).hiddenBy);
  const byId = useMemo(
    () => (wanted ? new Map(nodes.map((node) => [node.id, node])) : null),
    [nodes, wanted],
  );
  return useCallback(
    (id) => {
      const node = byId?.get(id) ?? byId?.get(hiddenBy.get(id) ?? id);
      return node && { ...node.position, width: widthOf(node), height: 0 };
    },
    [byId, hiddenBy],
  );
}

function widthOf(node: Node): number {
  return node.measured?.width ?? node.width ?? NODE_WIDTH;
}

function newPlace(
  place: { node: string | null; at: Pair },
  boxOf: (id: string) => Box | undefined,
): Pick<Pin, "x" | "y" | "orphaned"> {
  const box = place.node === null ? undefined : boxOf(place.node);
  if (box) return { x: box.x + box.width, y: box.y, orphaned: false };
  return { x: place.at[0], y: place.at[1], orphaned: place.node !== null };
}

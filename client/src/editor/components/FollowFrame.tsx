/** Shows that one's view follows somebody's, and moves it. */
import { useStore as useFlowStore, useOnViewportChange, useReactFlow, type Viewport } from "@xyflow/react";
import { Eye } from "lucide-react";
import { useCallback, useEffect } from "react";
import type { ViewBox } from "../../document";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";

/** The viewport in which a box of `width` x `height` pixels shows all of `view`, and it in the middle. */
export function viewportFor(view: ViewBox, width: number, height: number, largest: number): Viewport {
  const [x, y, wide, high] = view;
  const zoom = Math.min(width / wide, height / high, largest);
  return { x: width / 2 - (x + wide / 2) * zoom, y: height / 2 - (y + high / 2) * zoom, zoom };
}

/** The part of the canvas that a viewport of `width` x `height` pixels shows, in whole units. */
export function boxSeen({ x, y, zoom }: Viewport, width: number, height: number): ViewBox {
  return [
    Math.round(-x / zoom),
    Math.round(-y / zoom),
    Math.max(1, Math.round(width / zoom)),
    Math.max(1, Math.round(height / zoom)),
  ];
}

export function FollowFrame() {
  useTellView();
  const editor = useEditor();
  const person = useStore(editor.following.person);
  const width = useFlowStore((state) => state.width);
  const height = useFlowStore((state) => state.height);
  const largest = useFlowStore((state) => state.maxZoom);
  const flow = useReactFlow();
  const view = person?.view ?? null;
  useEffect(() => {
    if (!view || width === 0 || height === 0) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    void flow.setViewport(viewportFor(view, width, height, largest), { duration: calm ? 0 : 120 });
  }, [view, width, height, largest, flow]);
  if (!person) return null;
  return (
    <div
      className="follow-frame"
      style={{ "--person": person.color } as React.CSSProperties}
      data-testid="following"
    >
      <div className="follow-banner" role="status">
        <Eye size={14} aria-hidden="true" />
        <span className="truncate">
          Following {person.name}
          {person.away ? " (away)" : ""}
        </span>
        <button type="button" className="button" onClick={() => editor.following.stop()}>
          Stop
        </button>
      </div>
    </div>
  );
}

/** Tell the others what this tab sees, and whether anybody looks at it. */
function useTellView(): void {
  const { document: shared } = useEditor();
  const generation = useStore(shared.generation);
  const width = useFlowStore((state) => state.width);
  const height = useFlowStore((state) => state.height);
  const flow = useReactFlow();
  const tell = useCallback(
    (viewport: Viewport) => {
      if (width > 0 && height > 0) shared.setPresence({ view: boxSeen(viewport, width, height) });
    },
    [shared, width, height],
  );
  // A turn of the wheel may begin and end without a change in between.
  useOnViewportChange({ onStart: tell, onChange: tell, onEnd: tell });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new generation of the document is told anew
  useEffect(() => {
    tell(flow.getViewport());
    const look = () => shared.setPresence({ away: document.visibilityState === "hidden" });
    look();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [shared, flow, tell, generation]);
}

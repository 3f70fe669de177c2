/** Comment mode: a click on a node or a place begins a thread there, and does nothing else. */
import { type MouseEvent, useMemo } from "react";
import { useStore } from "../../store";
import { useEditor } from "./useEditor";

/** Handlers for the canvas; none while the mode is off. `nodeAt` finds a node that is only painted. */
export function useCommentMode(nodeAt: (clientX: number, clientY: number) => string | null) {
  const editor = useEditor();
  const on = useStore(editor.commenting.mode);
  return useMemo(() => {
    if (!on) return {};
    const place = (event: MouseEvent) => {
      const target = event.target as Element;
      const node = target.closest<HTMLElement>(".react-flow__node-spell")?.dataset.id ?? null;
      const ground =
        node !== null || target.closest(".react-flow__pane, .react-flow__node, .react-flow__edge");
      return ground ? { node } : null;
    };
    return {
      // A node under the pointer is neither dragged nor typed in; the empty canvas can still be moved.
      onMouseDownCapture: (event: MouseEvent) => {
        if (!(event.target as Element).closest(".react-flow__node, .react-flow__edge")) return;
        event.preventDefault();
        event.stopPropagation();
      },
      onClickCapture: (event: MouseEvent) => {
        const hit = place(event);
        if (!hit) return;
        event.preventDefault();
        event.stopPropagation();
        const at = editor.view?.toCanvas(event.clientX, event.clientY) ?? [0, 0];
        editor.commenting.begin(hit.node ?? nodeAt(event.clientX, event.clientY), at);
      },
    };
  }, [editor, on, nodeAt]);
}

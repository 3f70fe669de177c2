/** Pans to what the browser scrolls into view, to the right and below: a field that the keyboard came to, words found in the page. */
import { useReactFlow } from "@xyflow/react";
import { type UIEvent, useCallback } from "react";
import type { Editor } from "../store/editor";

/**
 * React Flow takes such a scroll back, and what was scrolled to is out of sight again, or moves away
 * under a click. Listen in the capture phase: before React Flow does.
 */
export function useScrollAsPan(editor: Editor): (event: UIEvent) => void {
  const view = useReactFlow();
  return useCallback(
    ({ target }) => {
      if (!(target instanceof HTMLElement) || !target.classList.contains("react-flow")) return;
      const { scrollLeft, scrollTop } = target;
      if (scrollLeft === 0 && scrollTop === 0) return;
      const focused = document.activeElement;
      // What lies over the canvas, as a thread of comments does, finds its own place.
      if (target.contains(focused) && !focused?.closest(".react-flow__viewport")) return;
      target.scrollTo({ left: 0, top: 0, behavior: "instant" });
      const { x, y, zoom } = view.getViewport();
      editor.following.stop();
      void view.setViewport({ x: x - scrollLeft, y: y - scrollTop, zoom });
    },
    [editor, view],
  );
}

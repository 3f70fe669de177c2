/** Keeps the selected node in sight when a panel takes room from the canvas. */
import { type Node, useReactFlow } from "@xyflow/react";
import { type RefObject, useEffect } from "react";
import { boundsOf, shiftIntoView } from "../store/bounds";

/** Milliseconds after a click in which a second one may come, to the same place. */
const DOUBLE_CLICK = 400;

/** Watch `box`, whose nodes are `drawn`. While a button of the mouse is down nothing moves under the hand. */
export function useKeepInView(
  box: RefObject<HTMLElement | null>,
  drawn: RefObject<readonly Node[]>,
  selected: () => readonly string[],
): void {
  const view = useReactFlow();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let width = element.clientWidth;
    let pressed = false;
    /** The width before it shrank; null when nothing is to be done. */
    let waiting: number | null = null;
    const keep = (before: number) => {
      waiting = null;
      const ids = selected();
      const bounds = ids.length === 1 ? boundsOf(drawn.current.filter((node) => node.id === ids[0])) : null;
      if (!bounds) return;
      const port = view.getViewport();
      const shift = shiftIntoView(bounds, port, before, element.clientWidth);
      if (shift > 0) void view.setViewport({ ...port, x: port.x - shift }, { duration: 160 });
    };
    const resized = new ResizeObserver(() => {
      const before = width;
      width = element.clientWidth;
      if (width >= before) return;
      waiting ??= before;
      if (!pressed) release();
    });
    const press = () => {
      pressed = true;
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const release = () => {
      pressed = false;
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (waiting !== null && !pressed) keep(waiting);
      }, DOUBLE_CLICK);
    };
    resized.observe(element);
    window.addEventListener("pointerdown", press, true);
    window.addEventListener("pointerup", release, true);
    window.addEventListener("pointercancel", release, true);
    return () => {
      clearTimeout(timer);
      resized.disconnect();
      window.removeEventListener("pointerdown", press, true);
      window.removeEventListener("pointerup", release, true);
      window.removeEventListener("pointercancel", release, true);
    };
  }, [box, drawn, selected, view]);
}

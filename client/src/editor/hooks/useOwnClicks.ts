/** The first click on a node opens the inspector under the mouse: what follows of a double click is not the inspector's. */
import { useEffect } from "react";

/** Milliseconds from a press to the next, and pixels between them, within which both are of one double click. */
const PAUSE = 600;
const REACH = 8;

const CLICKS = ["mousedown", "click", "dblclick"] as const;

/** Where the first press of a click, or of a double one, was. */
interface Beginning {
  readonly target: EventTarget | null;
  readonly inside: boolean;
}

/**
 * Keep the rest of a double or triple click that began outside of `panel` (a selector) from acting on anything in it.
 * The double click itself goes to where it began, as far as that is still there.
 *
 * The browser's own count (`detail`) knows how slow a double click its user has asked for, but it comes with the mouse's
 * events, not with the pointer's, which are first: so presses are counted here, too.
 */
export function useOwnClicks(panel: string): void {
  useEffect(() => {
    const isInside = (target: EventTarget | null) =>
      target instanceof Element && target.closest(panel) !== null;
    let began: Beginning | null = null;
    let before: Beginning | null = null;
    let last: PointerEvent | null = null;
    /** Whether the last press was a further one of its click. */
    let isRest = false;
    const isForeign = (event: Event) => isRest && began?.inside === false && isInside(event.target);
    const press = (event: PointerEvent) => {
      isRest = last !== null && isSoonAndNear(last, event);
      last = event;
      before = began;
      if (!isRest) began = { target: event.target, inside: isInside(event.target) };
      if (isForeign(event)) event.stopPropagation();
    };
    const mouse = (event: MouseEvent) => {
      if (event.type === "mousedown" && event.detail > 1 && !isRest) {
        isRest = true;
        began = before;
      }
      // A click without a count is one of the keyboard, or of a script.
      if (event.detail === 0 || !isForeign(event)) return;
      event.preventDefault();
      event.stopPropagation();
      const first = began?.target;
      if (event.type !== "dblclick" || !(first instanceof Element) || !first.isConnected) return;
      const { clientX, clientY, detail, view } = event;
      first.dispatchEvent(
        new MouseEvent("dblclick", { bubbles: true, cancelable: true, clientX, clientY, detail, view }),
      );
    };
    window.addEventListener("pointerdown", press, true);
    for (const type of CLICKS) window.addEventListener(type, mouse, true);
    return () => {
      window.removeEventListener("pointerdown", press, true);
      for (const type of CLICKS) window.removeEventListener(type, mouse, true);
    };
  }, [panel]);
}

/** Whether two presses are of one double click. */
function isSoonAndNear(one: PointerEvent, other: PointerEvent): boolean {
  const [x, y] = [other.clientX - one.clientX, other.clientY - one.clientY];
  return other.timeStamp - one.timeStamp < PAUSE && Math.hypot(x, y) < REACH;
}

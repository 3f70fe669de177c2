/** What a click opens under the mouse is not meant by the rest of that click: the second of a double one. */
import { useEffect } from "react";

/** Milliseconds from a press to the next, and pixels between them, within which both are of one double click. */
const PAUSE = 600;
const REACH = 8;

const CLICKS = ["mousedown", "click", "dblclick"] as const;

/** What a click opens, or puts in another's place: panels, menus, and what asks once more (`data-sure`). */
export const OPENED = [
  ".inspector",
  ".side",
  ".past-banner",
  ".version-stage",
  ".step-bar",
  ".run-dock",
  ".run-tools",
  ".console",
  ".thread",
  ".inbox-list",
  ".name-form",
  ".find-bar",
  ".menu",
  ".sheet",
  ".palette-veil",
  ".toast",
  '[data-sure="true"]',
].join();

/** Where the first press of a click, or of a double one, was, and in which panel. */
interface Beginning {
  readonly target: EventTarget | null;
  readonly panel: Element | null;
}

/**
 * Keep the rest of a double or triple click from acting on anything in a panel where it did not begin. The double click
 * itself goes to where it began, as far as that is still there.
 *
 * The browser's own count (`detail`) knows how slow a double click its user has asked for, but it comes with the mouse's
 * events, not with the pointer's, which are first: so presses are counted here, too.
 */
export function useOwnClicks(): void {
  useEffect(() => {
    const panelOf = (target: EventTarget | null) =>
      target instanceof Element ? target.closest(OPENED) : null;
    let began: Beginning | null = null;
    let before: Beginning | null = null;
    let last: PointerEvent | null = null;
    /** Whether the last press was a further one of its click. */
    let isRest = false;
    const isForeign = (event: Event) => {
      const panel = isRest ? panelOf(event.target) : null;
      return panel !== null && began !== null && began.panel !== panel;
    };
    const press = (event: PointerEvent) => {
      isRest = last !== null && isSoonAndNear(last, event);
      last = event;
      before = began;
      if (!isRest) began = { target: event.target, panel: panelOf(event.target) };
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
      if (panelOf(first) !== began?.panel) return; // It asks once more by now.
      const { clientX, clientY, detail, view } = event;
      first.dispatchEvent(
        new MouseEvent("dblclick", { bubbles: true, cancelable: true, clientX, clientY, detail, view }),
      );
    };
    const type = () => {
      last = null; // Whoever types in between means another click.
    };
    window.addEventListener("keydown", type, true);
    window.addEventListener("pointerdown", press, true);
    for (const each of CLICKS) window.addEventListener(each, mouse, true);
    return () => {
      window.removeEventListener("keydown", type, true);
      window.removeEventListener("pointerdown", press, true);
      for (const each of CLICKS) window.removeEventListener(each, mouse, true);
    };
  }, []);
}

/** Whether two presses are of one double click. */
function isSoonAndNear(one: PointerEvent, other: PointerEvent): boolean {
  const [x, y] = [other.clientX - one.clientX, other.clientY - one.clientY];
  return other.timeStamp - one.timeStamp < PAUSE && Math.hypot(x, y) < REACH;
}

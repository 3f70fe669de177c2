/** Closes what is open by Escape or a press beside it. */
import { type RefObject, useEffect, useRef } from "react";

/** Call `dismiss` (with whether a key did it) while `open`, when one presses Escape or beside `box`. */
export function useDismiss(
  open: boolean,
  box: RefObject<HTMLElement | null>,
  dismiss: (byKey: boolean) => void,
): void {
  const last = useRef(dismiss);
  last.current = dismiss;
  useEffect(() => {
    if (!open) return;
    const press = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) last.current(false);
    };
    const key = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      last.current(true);
    };
    window.addEventListener("pointerdown", press, true);
    window.addEventListener("keydown", key, true);
    return () => {
      window.removeEventListener("pointerdown", press, true);
      window.removeEventListener("keydown", key, true);
    };
  }, [open, box]);
}

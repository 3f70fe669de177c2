/** Lets text that arrives in lumps flow: what is new is shown over a few frames. */
import { useEffect, useReducer, useRef } from "react";

/** The share of what is missing that a frame adds: most of a lump is there within a tenth of a second. */
const SHARE = 0.25;
/** Lumps above this many characters are shown at once. */
const LUMP = 4_000;

const still = () => globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? true;

/**
 * Return how much of `text` to show now; all of it once it has come to rest, when it is not `flowing`, and where a
 * person asked for less motion.
 *
 * Only frames ask to be drawn again, never an effect: chunks may come faster than React tolerates effects that do.
 */
export function useFlowing(text: string, flowing: boolean): string {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const shown = useRef(text.length);
  const missing = text.length - shown.current;
  const flows = flowing && missing > 1 && missing <= LUMP && !still();
  useEffect(() => {
    if (!flows) {
      shown.current = text.length;
      return;
    }
    let frame = requestAnimationFrame(function step() {
      shown.current += Math.max(1, Math.ceil((text.length - shown.current) * SHARE));
      draw();
      if (shown.current < text.length) frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [text, flows]);
  return flows ? text.slice(0, shown.current) : text;
}

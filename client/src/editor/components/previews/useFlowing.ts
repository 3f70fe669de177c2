/** Lets text that arrives in lumps flow: what is new is shown over a few frames. */
import { useEffect, useRef, useState } from "react";

/** The share of what is missing that a frame adds: most of a lump is there within a tenth of a second. */
const SHARE = 0.25;
/** Lumps above this many characters are shown at once. */
const LUMP = 4_000;

const still = () => globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? true;

/**
 * Return how much of `text` to show now; all of it once it has come to rest, when it is not `flowing`, and where a
 * person asked for less motion.
 */
export function useFlowing(text: string, flowing: boolean): string {
  const [length, setLength] = useState(text.length);
  const shown = useRef(text.length);
  useEffect(() => {
    const missing = text.length - shown.current;
    if (!flowing || missing <= 1 || missing > LUMP || still()) {
      shown.current = text.length;
      setLength(text.length);
      return;
    }
    let frame = requestAnimationFrame(function step() {
      const left = text.length - shown.current;
      shown.current += Math.max(1, Math.ceil(left * SHARE));
      setLength(shown.current);
      if (shown.current < text.length) frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [text, flowing]);
  return flowing && length < text.length ? text.slice(0, length) : text;
}

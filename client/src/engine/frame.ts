/** Work that waits for the page's next frame, so that what comes a hundred times a second is drawn sixty times. */

/** Milliseconds after which it is done without a frame: a hidden tab has none. */
const WITHOUT_FRAME = 100;

/** Whether there are frames to wait for: not in a script. */
export function hasFrames(): boolean {
  return typeof globalThis.requestAnimationFrame === "function";
}

/** Do `work` once, with the next frame. Returns what calls it off. */
export function withFrame(work: () => void): () => void {
  const off = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
  const once = () => {
    off();
    work();
  };
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, WITHOUT_FRAME);
  return off;
}

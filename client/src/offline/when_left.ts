/** When a page is left for now: hidden, frozen, or put away to come back. */

/** What to do then. */
export interface Leaving {
  /** The page may not run any more after this; it is called again and again. */
  left(): void;
  /** The page is on its way out: what it begins now it may not finish. `left` when not given. */
  ending?(): void;
  /** The page is back from where the browser had put it. */
  back(): void;
}

/** Call until the returned function is called; does nothing outside of a page. */
export function whenLeft({ left, back, ending = left }: Leaving): () => void {
  const page = globalThis.document as Document | undefined;
  if (!page) return () => {};
  const hidden = () => page.visibilityState === "hidden" && left();
  const shown = (event: PageTransitionEvent) => event.persisted && back();
  page.addEventListener("visibilitychange", hidden);
  page.addEventListener("freeze", left);
  page.addEventListener("resume", back);
  window.addEventListener("pagehide", ending);
  window.addEventListener("pageshow", shown);
  return () => {
    page.removeEventListener("visibilitychange", hidden);
    page.removeEventListener("freeze", left);
    page.removeEventListener("resume", back);
    window.removeEventListener("pagehide", ending);
    window.removeEventListener("pageshow", shown);
  };
}

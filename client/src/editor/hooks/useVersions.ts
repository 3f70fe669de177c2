/** The versions of the open canvas, for every component below it. */
import { createContext, useContext } from "react";
import type { Marks, Timeline, What } from "../../versions";

export const TimelineContext = createContext<Timeline | null>(null);

/** The versions of the open canvas; only called below a TimelineContext. */
export function useTimeline(): Timeline {
  const timeline = useContext(TimelineContext);
  if (!timeline) throw new Error("useTimeline is called outside of an open editor");
  return timeline;
}

/** How the things on a shown version differ from the present; null on the canvas itself. */
export const MarksContext = createContext<Marks | null>(null);

/** How the things drawn here differ from the present; null on the canvas itself. */
export function useMarks(): Marks | null {
  return useContext(MarksContext);
}

/** How one thing of a shown version differs from the present. */
export function useMark(id: string): What | undefined {
  return useContext(MarksContext)?.get(id);
}

/** Whether it is a version that is drawn here, and not the canvas. */
export function useIsVersion(): boolean {
  return useContext(MarksContext) !== null;
}

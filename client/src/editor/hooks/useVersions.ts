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

/** How the things on a shown version differ from the present; empty on the canvas itself. */
export const MarksContext = createContext<Marks>(new Map());

/** How one thing of a shown version differs from the present. */
export function useMark(id: string): What | undefined {
  return useContext(MarksContext).get(id);
}

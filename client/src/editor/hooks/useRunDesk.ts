/** What is done with the runs of the open canvas, for every component below it. */
import { createContext, useContext } from "react";
import type { RunDesk } from "../../runs";

export const RunDeskContext = createContext<RunDesk | null>(null);

/** The run desk of the open canvas; only called below a RunDeskContext. */
export function useRunDesk(): RunDesk {
  const desk = useContext(RunDeskContext);
  if (!desk) throw new Error("useRunDesk is called outside of an open editor");
  return desk;
}

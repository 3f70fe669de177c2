/** The workers of the open canvas. */
import { createContext, useContext } from "react";
import type { WorkerDesk } from "../../workers";

export const WorkerDeskContext = createContext<WorkerDesk | null>(null);

export function useWorkerDesk(): WorkerDesk {
  const desk = useContext(WorkerDeskContext);
  if (!desk) throw new Error("workers are known only on an open canvas");
  return desk;
}

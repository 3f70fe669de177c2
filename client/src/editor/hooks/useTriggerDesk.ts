/** The triggers of the open canvas. */
import { createContext, useContext } from "react";
import type { TriggerDesk } from "../../triggers";

export const TriggerDeskContext = createContext<TriggerDesk | null>(null);

export function useTriggerDesk(): TriggerDesk {
  const desk = useContext(TriggerDeskContext);
  if (!desk) throw new Error("triggers are known only on an open canvas");
  return desk;
}

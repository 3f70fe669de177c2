/** Fetches large values by the page. */
import { createContext, useContext } from "react";

/** One page of a large value. */
export interface ValuePage {
  readonly value: unknown;
  /** How many entries or characters there are in all, where known. */
  readonly total: number | null;
  readonly more: boolean;
}

export type LoadValue = (hash: string, offset: number) => Promise<ValuePage>;

/** How pages are fetched; set once by the editor. */
export const LoadValueContext = createContext<LoadValue>(() =>
  Promise.reject(new Error("values can be loaded only on an open canvas")),
);

export function useLoadValue(): LoadValue {
  return useContext(LoadValueContext);
}

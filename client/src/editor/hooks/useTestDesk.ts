/** The tests of the open canvas and how they came out, for every component below it. */
import { createContext, useContext } from "react";
import type { TestDesk } from "../../spell_tests";

export const TestDeskContext = createContext<TestDesk | null>(null);

/** The test desk of the open canvas; only called below a TestDeskContext. */
export function useTestDesk(): TestDesk {
  const desk = useContext(TestDeskContext);
  if (!desk) throw new Error("useTestDesk is called outside of an open editor");
  return desk;
}

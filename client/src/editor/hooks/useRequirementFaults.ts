/** What is wrong with the packages of a canvas: what the server reads, and what the resolver said. */
import { useMemo } from "react";
import { useStore } from "../../store";
import type { Worker } from "../../workers";
import { faultsOf } from "../../workers";
import { useEditor } from "./useEditor";

/** By package; "" is about all of them together. */
export function useRequirementFaults(worker: Worker | null): Readonly<Record<string, string>> {
  const editor = useEditor();
  const problems = useStore(editor.document.problems);
  const requirements = useStore(editor.document.spell, (spell) => spell.requirements);
  return useMemo(() => faultsOf(requirements, problems, worker), [requirements, problems, worker]);
}

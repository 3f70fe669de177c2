/** Whether a value in a worker is known to be gone. */
import { useContext } from "react";
import { Store, useStore } from "../../store";
import { EditorContext } from "./useEditor";

const NOTHING = new Store<Readonly<Record<string, string>>>({});

/** Why the value that `handle` stands for is there no more; undefined while nothing was said of it. */
export function useGone(handle: string): string | undefined {
  const editor = useContext(EditorContext);
  return useStore(editor?.workbench.runs.gone ?? NOTHING, (gone) => gone[handle]);
}

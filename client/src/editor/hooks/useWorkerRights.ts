/** What this person may do about the worker of the open canvas. */
import { useStore } from "../../store";
import type { Worker } from "../../workers";
import { useEditor } from "./useEditor";

export interface WorkerRights {
  /** Start, stop, restart it, and read its log. */
  readonly steer: boolean;
  /** Have the canvas run on another one. */
  readonly choose: boolean;
  /** Make, change and delete workers. */
  readonly manage: boolean;
}

/** Who edits a canvas looks after its own worker; a shared one is the administrators'. */
export function useWorkerRights(worker: Worker | null): WorkerRights {
  const editor = useEditor();
  const role = useStore(editor.document.role);
  const edits = role === "owner" || role === "editor";
  const isAdmin = editor.user.role === "admin";
  return {
    steer: worker?.kind === "canvas" ? edits || isAdmin : isAdmin,
    choose: edits || isAdmin,
    manage: isAdmin,
  };
}

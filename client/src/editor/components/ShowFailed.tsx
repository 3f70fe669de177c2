/** Of a node that failed for one inside it: leads there, on this canvas or on the one that it runs. */
import { CornerDownRight } from "lucide-react";
import { blamedNode } from "../../engine/inside_paths";
import type { NodeFailure } from "../../protocol";
import { useEditor } from "../hooks/useEditor";
import { openAlong } from "../store/ways";

export function ShowFailed({ id, error }: { id: string; error: NodeFailure }) {
  const editor = useEditor();
  const blamed = blamedNode(id, error.details, editor.overlay.get()[id] !== undefined);
  if (blamed === null) return null;
  return (
    <button
      type="button"
      className="button small quiet show-failed nodrag"
      title="Show the node that failed"
      data-testid="show-failed"
      onDoubleClick={(event) => event.stopPropagation()}
      onClick={(event) => {
        event.stopPropagation();
        openAlong(editor, [id, ...blamed.way]);
      }}
    >
      <CornerDownRight size={12} aria-hidden="true" />
      <span className="truncate">Show “{blamed.label}”</span>
    </button>
  );
}

/** What to do in comment mode; said aloud too. */
import { MessageSquarePlus } from "lucide-react";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { keysOf } from "../../store/commands";

export function CommentHint() {
  const editor = useEditor();
  const on = useStore(editor.commenting.mode);
  return (
    <div className="comment-hint" role="status" hidden={!on} data-testid="comment-mode">
      {on && (
        <>
          <MessageSquarePlus size={14} aria-hidden="true" />
          <span>
            Click a node or a place to comment. <kbd>{keysOf("comment-here")}</kbd> comments on what is
            selected, <kbd>Esc</kbd> leaves.
          </span>
        </>
      )}
    </div>
  );
}

/** One comment in its thread: who, when, what; and editing and removing where one may. */
import { Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { type Comment, decodeMentions, fullTime, type Waiting } from "../../../comments";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { Composer } from "./Composer";
import { Face } from "./Face";
import { Time } from "./Time";
import { Words } from "./Words";

export function CommentItem({ comment, count }: { comment: Comment; count: number }) {
  const editor = useEditor();
  const { comments } = editor.workbench;
  const role = useStore(editor.document.role);
  const [editing, setEditing] = useState(false);
  const own = comment.author.id === comments.user.id;
  const clears = own || role === "editor" || role === "owner";
  const whole = comment.id === comment.thread;

  const remove = () => {
    const more = whole && count > 1 ? ` and the ${count - 1} after it` : "";
    if (!window.confirm(`Remove this comment${more}?`)) return;
    comments.remove(comment).catch((error: unknown) => editor.toasts.error("Could not remove it", error));
  };
  const save = async (text: string) => {
    try {
      await comments.edit(comment, text);
      setEditing(false);
    } catch (error) {
      editor.toasts.error("Could not change the comment", error);
      throw error;
    }
  };
  return (
    <li className="comment" data-testid={`comment-${comment.id}`}>
      <Face author={comment.author} />
      <div className="comment-body">
        <p className="comment-head">
          <strong className="truncate">{comment.author.name}</strong>
          <span className="faint">
            <Time at={comment.created_at} />
            {comment.edited_at !== null && <span title={fullTime(comment.edited_at)}> · edited</span>}
          </span>
          <span className="comment-actions">
            {own && !editing && (
              <button
                type="button"
                className="icon-button small"
                aria-label="Edit this comment"
                title="Edit"
                onClick={() => setEditing(true)}
              >
                <Pencil size={12} />
              </button>
            )}
            {clears && (
              <button
                type="button"
                className="icon-button small"
                aria-label={whole ? "Remove this thread" : "Remove this comment"}
                title={whole ? "Remove the thread" : "Remove"}
                onClick={remove}
              >
                <Trash2 size={12} />
              </button>
            )}
          </span>
        </p>
        {editing ? (
          <Composer
            label="Edit the comment"
            placeholder=""
            initial={decodeMentions(comment.text, comment.mentions)}
            onSend={save}
            onLeave={() => setEditing(false)}
            autoFocus
          />
        ) : (
          <Words text={comment.text} names={comment.mentions} />
        )}
      </div>
    </li>
  );
}

/** A comment that is not on the server yet. */
export function WaitingItem({ waiting }: { waiting: Waiting }) {
  const { comments } = useEditor().workbench;
  return (
    <li className="comment" data-waiting="true" data-testid="comment-waiting">
      <Face author={comments.user} />
      <div className="comment-body">
        <p className="comment-head">
          <strong className="truncate">{comments.user.name}</strong>
          <span className="faint">{waiting.error ? "not sent" : "waiting to be sent"}</span>
        </p>
        <Words text={waiting.text} names={{}} />
        {waiting.error && (
          <p className="comment-refused" role="alert">
            {waiting.error.message}{" "}
            <button type="button" className="link-button" onClick={() => comments.retry(waiting.id)}>
              Try again
            </button>{" "}
            <button type="button" className="link-button" onClick={() => comments.discard(waiting.id)}>
              Discard
            </button>
          </p>
        )}
      </div>
    </li>
  );
}

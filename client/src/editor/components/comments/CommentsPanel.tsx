/** All threads of the canvas as a list, for finding one and for those who use no mouse. */
import { Check, CheckCheck, MessageSquarePlus } from "lucide-react";
import { useMemo, useState } from "react";
import { plainWords, type Thread } from "../../../comments";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { keysOf } from "../../store/commands";
import type { ThreadFilter } from "../../store/commenting";
import { Face } from "./Face";
import { WhereIt } from "./ThreadPopover";
import { Time } from "./Time";

const FILTERS: readonly [filter: ThreadFilter, words: string][] = [
  ["open", "Open"],
  ["resolved", "Resolved"],
  ["mine", "Mine"],
];

const EMPTY: Readonly<Record<ThreadFilter, string>> = {
  open: "No open comments. Begin one on a node or a place.",
  resolved: "Nothing is resolved yet.",
  mine: "You have begun no thread yet.",
};

/** Threads shown at once; what is beyond is a matter for the filter. */
const SHOWN = 200;

export function CommentsPanel() {
  const editor = useEditor();
  const { comments } = editor.workbench;
  const threads = useStore(comments.threads);
  const ready = useStore(comments.ready);
  const read = useStore(comments.read);
  const filter = useStore(editor.commenting.filter);
  const [busy, setBusy] = useState(false);
  const list = useMemo(
    () => [...threads.values()].filter((thread) => isListed(thread, filter, comments.user.id)),
    [threads, filter, comments],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is read decides what is not
  const unread = useMemo(
    () => [...threads.values()].some((thread) => comments.unread(thread)),
    [threads, read],
  );
  const readAll = () => {
    setBusy(true);
    comments
      .markAllRead()
      .catch((error: unknown) => editor.toasts.error("Could not mark the comments as read", error))
      .finally(() => setBusy(false));
  };
  return (
    <div className="side-body" data-testid="comments">
      <div className="comment-tools">
        <fieldset className="segmented" aria-label="Which comments">
          {FILTERS.map(([value, words]) => (
            <button
              key={value}
              type="button"
              aria-pressed={filter === value}
              data-testid={`comments-${value}`}
              onClick={() => editor.commenting.filter.set(value)}
            >
              {words}
            </button>
          ))}
        </fieldset>
        <span className="spacer" />
        {unread && (
          <button
            type="button"
            className="icon-button small"
            aria-label="Mark all as read"
            title="Mark all as read"
            disabled={busy}
            onClick={readAll}
          >
            <CheckCheck size={14} />
          </button>
        )}
        <button
          type="button"
          className="icon-button small"
          aria-label="Comment"
          title={`Comment  ${keysOf("comment")}`}
          onClick={() => editor.commenting.mode.set(true)}
        >
          <MessageSquarePlus size={14} />
        </button>
      </div>
      <ul className="scroll side-scroll plain-list" aria-label="Threads of comments">
        {list.slice(0, SHOWN).map((thread) => (
          <ThreadRow key={thread.id} thread={thread} />
        ))}
        {list.length > SHOWN && <li className="menu-note">and {list.length - SHOWN} more</li>}
        {list.length === 0 && <li className="menu-note">{ready ? EMPTY[filter] : "Loading…"}</li>}
      </ul>
    </div>
  );
}

function isListed(thread: Thread, filter: ThreadFilter, user: string): boolean {
  if (filter === "mine") return thread.author.id === user;
  return (thread.resolved_at !== null) === (filter === "resolved");
}

function ThreadRow({ thread }: { thread: Thread }) {
  const editor = useEditor();
  const { comments } = editor.workbench;
  const unread = useStore(comments.read, () => comments.unread(thread));
  const current = useStore(
    editor.commenting.open,
    (open) => open?.kind === "thread" && open.id === thread.id,
  );
  const orphaned = useStore(
    editor.document.spell,
    (spell) => thread.node !== null && spell.nodes[thread.node] === undefined,
  );
  return (
    <li>
      <button
        type="button"
        className="thread-row"
        aria-current={current}
        data-unread={unread}
        data-testid={`thread-row-${thread.id}`}
        onClick={() => void editor.commenting.show(thread.id)}
      >
        <Face author={thread.author} />
        <span className="type-words">
          <span className="thread-row-head">
            <span className="type-title truncate">{thread.author.name}</span>
            <span className="type-hint">
              <Time at={thread.last_at} />
            </span>
          </span>
          <span className="thread-row-text">{plainWords(thread.excerpt)}</span>
          <span className="type-hint truncate">
            <WhereIt node={thread.node} orphaned={orphaned} />
            {thread.count > 1 ? ` · ${thread.count - 1} ${thread.count === 2 ? "reply" : "replies"}` : ""}
            {thread.waiting ? " · waiting to be sent" : ""}
          </span>
        </span>
        {thread.resolved_at !== null && <Check size={13} aria-label="resolved" />}
        {unread && <span className="dot" role="img" aria-label="unread" />}
      </button>
    </li>
  );
}

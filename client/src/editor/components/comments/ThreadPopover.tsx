/** The thread that is open, beside its pin; it goes along when the canvas or the node moves. */
import { useStore as useFlowStore, useViewport } from "@xyflow/react";
import { Check, Link2, RotateCcw, X } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { copyText } from "../../../app/copy_text";
import type { Pin, Thread } from "../../../comments";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useTitle } from "../../hooks/useTitle";
import type { OpenComment } from "../../store/commenting";
import { CommentItem, WaitingItem } from "./CommentItem";
import { Composer } from "./Composer";
import { Time } from "./Time";

const WIDTH = 320;
/** Between a pin, with its count, and the thread. */
const GAP = 48;
const PIN_HEIGHT = 30;
const EDGE = 10;
const TALLEST = 520;

interface ThreadPopoverProps {
  readonly open: OpenComment;
  /** Where its pin is, in canvas units; null while that is not known. */
  readonly place: Pick<Pin, "x" | "y" | "orphaned"> | null;
}

export function ThreadPopover({ open, place }: ThreadPopoverProps) {
  const editor = useEditor();
  const { zoom, x, y } = useViewport();
  const width = useFlowStore((state) => state.width);
  const height = useFlowStore((state) => state.height);
  const box = useRef<HTMLElement>(null);
  const tall = useHeight(box);
  const back = useRef<Element | null>(null);
  useEffect(() => {
    back.current = document.activeElement;
    return () => {
      // The keyboard goes on where it was before.
      if (back.current instanceof HTMLElement && back.current.isConnected)
        back.current.focus({ preventScroll: true });
    };
  }, []);

  const at = place ? { x: place.x * zoom + x, y: place.y * zoom + y } : { x: width / 2, y: height / 3 };
  const { left, top } = beside(at, { width, height }, tall);
  return (
    <section
      ref={box}
      className="thread nowheel nodrag nopan"
      role="dialog"
      aria-label={open.kind === "new" ? "New comment" : "Comments"}
      data-testid="thread"
      style={{
        left,
        top,
        maxHeight: Math.max(180, Math.min(TALLEST, height - 2 * EDGE)),
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) {
          event.preventDefault();
          editor.commenting.close();
        }
        // Keys here are not meant for what is selected on the canvas.
        if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
      }}
    >
      {open.kind === "new" ? (
        <NewThread node={open.place.node} />
      ) : (
        <OpenThread id={open.id} orphaned={place?.orphaned ?? false} />
      )}
    </section>
  );
}

/** Where the thread goes: right of its pin, else above it, else left of it; always within the canvas. */
function beside(pin: { x: number; y: number }, room: { width: number; height: number }, tall: number) {
  const inX = (x: number) => Math.max(EDGE, Math.min(x, room.width - WIDTH - EDGE));
  const inY = (y: number) => Math.max(EDGE, Math.min(y, room.height - tall));
  if (pin.x + GAP + WIDTH + EDGE <= room.width)
    return { left: inX(pin.x + GAP), top: inY(pin.y - PIN_HEIGHT) };
  const above = pin.y - PIN_HEIGHT - 8 - tall;
  if (above >= EDGE) return { left: inX(pin.x - WIDTH / 2), top: inY(above) };
  return { left: inX(pin.x - 16 - WIDTH), top: inY(pin.y - PIN_HEIGHT) };
}

function NewThread({ node }: { node: string | null }) {
  const editor = useEditor();
  const { comments } = editor.workbench;
  return (
    <>
      <ThreadHead title={<WhereIt node={node} orphaned={false} />} />
      <Composer
        label="Comment"
        placeholder="Comment, @ names somebody"
        initial={comments.draft("new")}
        onChange={(draft) => comments.setDraft("new", draft)}
        onSend={(text) => editor.commenting.send(text)}
        onLeave={() => editor.commenting.close()}
        autoFocus
      />
    </>
  );
}

function OpenThread({ id, orphaned }: { id: string; orphaned: boolean }) {
  const editor = useEditor();
  const { comments } = editor.workbench;
  const thread = useStore(comments.threads, (threads) => threads.get(id));
  const opened = useStore(comments.opened);
  const waiting = useStore(comments.waiting).filter((one) => one.thread === id);
  const here = opened?.id === id ? opened : null;
  const list = useRef<HTMLUListElement>(null);
  const count = (here?.comments.length ?? 0) + waiting.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is new is at the end
  useEffect(() => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [count]);
  const last = thread?.last_at;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes while one looks is read
  useEffect(() => {
    if (here?.whole) comments.markRead(id);
  }, [comments, id, here?.whole, last]);
  if (!thread) {
    const words = here?.error
      ? here.error.code === "not_found"
        ? "This comment was removed."
        : here.error.message
      : here?.whole
        ? "This comment was removed."
        : "Loading…";
    return (
      <>
        <ThreadHead title="Comments" />
        <p className="thread-note" data-testid="thread-gone">
          {words}
        </p>
      </>
    );
  }
  return (
    <>
      <ThreadHead title={<WhereIt node={thread.node} orphaned={orphaned} />} thread={thread} />
      {thread.resolved_at !== null && (
        <p className="thread-note" data-testid="thread-resolved">
          <Check size={13} /> Resolved{thread.resolved_by ? ` by ${thread.resolved_by.name}` : ""}{" "}
          <Time at={thread.resolved_at} />
        </p>
      )}
      <ul ref={list} className="thread-comments scroll plain-list" aria-label="Comments" aria-live="polite">
        {here?.comments.map((comment) => (
          <CommentItem key={comment.id} comment={comment} count={thread.count} />
        ))}
        {waiting.map((one) => (
          <WaitingItem key={one.id} waiting={one} />
        ))}
        {!here?.whole && waiting.length === 0 && (
          <li className="thread-note">{here?.error ? here.error.message : "Loading…"}</li>
        )}
      </ul>
      <Composer
        key={id}
        label="Reply"
        placeholder="Reply, @ names somebody"
        initial={comments.draft(id)}
        onChange={(draft) => comments.setDraft(id, draft)}
        onSend={(text) => comments.reply(id, text)}
        onLeave={() => editor.commenting.close()}
        autoFocus
      />
    </>
  );
}

function ThreadHead({ title, thread }: { title: React.ReactNode; thread?: Thread }) {
  const editor = useEditor();
  const { comments } = editor.workbench;
  const role = useStore(editor.document.role);
  const may = thread && (thread.author.id === comments.user.id || role === "editor" || role === "owner");
  const done = thread !== undefined && thread.resolved_at !== null;
  const resolve = () => {
    if (!thread) return;
    comments
      .resolve(thread.id, !done)
      .then(() => !done && editor.commenting.close())
      .catch((error: unknown) => editor.toasts.error("Could not change the thread", error));
  };
  const copy = () => {
    const address = `${location.origin}${location.pathname}#comment=${thread?.id}`;
    void copyText(address).then((copied) =>
      editor.toasts.show(
        copied
          ? { tone: "done", title: "The address of the comment is copied" }
          : { tone: "info", title: `Copy it by hand: ${address}` },
      ),
    );
  };
  return (
    <header className="thread-head">
      <h2 className="truncate">{title}</h2>
      {thread && !thread.waiting && (
        <>
          <button
            type="button"
            className="icon-button small"
            aria-label="Copy the address of this comment"
            title="Copy the address"
            onClick={copy}
          >
            <Link2 size={13} />
          </button>
          {may && (
            <button
              type="button"
              className="icon-button small"
              aria-label={done ? "Reopen this thread" : "Resolve this thread"}
              title={done ? "Reopen" : "Resolve"}
              data-testid={done ? "thread-reopen" : "thread-resolve"}
              onClick={resolve}
            >
              {done ? <RotateCcw size={13} /> : <Check size={14} strokeWidth={2.4} />}
            </button>
          )}
        </>
      )}
      <button
        type="button"
        className="icon-button small"
        aria-label="Close"
        title="Close  Esc"
        data-testid="thread-close"
        onClick={() => editor.commenting.close()}
      >
        <X size={14} />
      </button>
    </header>
  );
}

/** On what a thread is, in a few words. */
export function WhereIt({ node, orphaned }: { node: string | null; orphaned: boolean }) {
  const editor = useEditor();
  const on = useStore(editor.document.spell, (spell) => (node === null ? undefined : spell.nodes[node]));
  const title = useTitle(on);
  if (node === null) return "On the canvas";
  return on && !orphaned ? title : "On a node that was removed";
}

/** The height of an element, as it is drawn. */
function useHeight(box: React.RefObject<HTMLElement | null>): number {
  const [height, setHeight] = useState(200);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setHeight(element.offsetHeight);
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, [box]);
  return height;
}

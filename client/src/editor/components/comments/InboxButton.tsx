/** The bell: where one is mentioned, over all canvases; a click opens the canvas at the thread. */
import { AtSign, Bell } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { inbox } from "../../../app/inbox";
import { go } from "../../../app/router";
import { type Mention, plainWords } from "../../../comments";
import { useStore } from "../../../store";
import { initials } from "../PresenceBar";
import { Time } from "./Time";

export function InboxButton() {
  const unread = useStore(inbox.unread);
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const leave = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    window.addEventListener("pointerdown", leave, true);
    window.addEventListener("focusin", leave);
    return () => {
      window.removeEventListener("pointerdown", leave, true);
      window.removeEventListener("focusin", leave);
    };
  }, [open]);
  const words = unread === 0 ? "Mentions" : `Mentions, ${unread} unread`;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the list from anywhere in it
    <div
      className="inbox"
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.preventDefault();
        event.stopPropagation();
        setOpen(false);
        button.current?.focus();
      }}
    >
      <button
        type="button"
        ref={button}
        className="icon-button"
        aria-label={words}
        aria-expanded={open}
        aria-haspopup="dialog"
        title={words}
        data-testid="inbox-button"
        onClick={() => setOpen(!open)}
      >
        <Bell size={16} />
        {unread > 0 && (
          <span className="bell-count" data-testid="inbox-count" aria-hidden="true">
            {unread > 99 ? "99+" : unread}
          </span>
        )}
      </button>
      <span className="sr-only" role="status">
        {unread > 0 ? words : ""}
      </span>
      {open && <InboxList onLeave={() => setOpen(false)} />}
    </div>
  );
}

function InboxList({ onLeave }: { onLeave: () => void }) {
  const mentions = useStore(inbox.mentions);
  const unread = useStore(inbox.unread);
  const next = useStore(inbox.next);
  const [failure, setFailure] = useState<string | null>(null);
  const tell = (error: unknown) => setFailure(error instanceof Error ? error.message : String(error));
  useEffect(() => {
    inbox.refresh().then(
      () => setFailure(null),
      (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)),
    );
  }, []);
  const readAll = (event: React.MouseEvent<HTMLElement>) => {
    // The button goes away: the keyboard goes on in the list, not on the canvas behind it.
    event.currentTarget.closest("section")?.querySelector<HTMLElement>(".thread-row")?.focus();
    inbox.markRead(null).catch(tell);
  };
  const show = (mention: Mention) => {
    onLeave();
    if (mention.read_at === null) inbox.markRead(mention.comment).catch(() => {});
    go(`/canvas/${mention.canvas}#comment=${mention.comment}`);
  };
  return (
    <section className="inbox-list" aria-label="Mentions" data-testid="inbox">
      <header className="inbox-head">
        <h2>Mentions</h2>
        {unread > 0 && (
          <button type="button" className="link-button" data-testid="inbox-read-all" onClick={readAll}>
            Mark all as read
          </button>
        )}
      </header>
      {failure !== null && (
        <p className="menu-note" role="alert">
          The mentions could not be loaded: {failure}
        </p>
      )}
      <ul className="scroll plain-list">
        {mentions.map((mention) => (
          <li key={mention.comment}>
            <button
              type="button"
              className="thread-row"
              data-unread={mention.read_at === null}
              data-testid={`mention-of-${mention.comment}`}
              onClick={() => show(mention)}
            >
              <span className="face plain" aria-hidden="true">
                {initials(mention.author.name)}
              </span>
              <span className="type-words">
                <span className="thread-row-head">
                  <span className="type-title truncate">{mention.author.name}</span>
                  <span className="type-hint">
                    <Time at={mention.created_at} />
                  </span>
                </span>
                <span className="thread-row-text">{plainWords(mention.excerpt)}</span>
                <span className="type-hint truncate">in {mention.canvas_name}</span>
              </span>
              {mention.read_at === null && <span className="dot" role="img" aria-label="unread" />}
            </button>
          </li>
        ))}
        {next && (
          <li>
            <button type="button" className="link-button" onClick={() => void inbox.more().catch(tell)}>
              Show older mentions
            </button>
          </li>
        )}
      </ul>
      {mentions.length === 0 && failure === null && (
        <p className="inbox-empty">
          <AtSign size={18} aria-hidden="true" />
          {next === undefined ? "Loading…" : "Nobody has mentioned you. In a comment, @ and your name does."}
        </p>
      )}
    </section>
  );
}

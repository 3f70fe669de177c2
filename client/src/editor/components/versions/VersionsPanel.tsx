/** The timeline of the canvas: what it was, who made it so, and the way back. */
import { Bookmark, CircleDot, LoaderCircle } from "lucide-react";
import { useEffect, useState } from "react";
import { useStore } from "../../../store";
import { byDay } from "../../../versions";
import { useEditor } from "../../hooks/useEditor";
import { useTimeline } from "../../hooks/useVersions";
import { NameForm } from "./NameForm";
import { VersionRow } from "./VersionRow";

export function VersionsPanel() {
  const timeline = useTimeline();
  const versions = useStore(timeline.versions);
  const listing = useStore(timeline.listing);
  const more = useStore(timeline.more);
  const looking = useStore(timeline.shown, (shown) => shown !== null);
  useEffect(() => void timeline.load(), [timeline]);
  return (
    <div className="side-body versions" data-testid="versions">
      <SaveVersion />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrows only help; every row is a button of its own */}
      <div className="scroll side-scroll" onKeyDown={walk}>
        <button
          type="button"
          className="run-row"
          aria-current={!looking}
          data-testid="version-now"
          onClick={() => timeline.back()}
        >
          <CircleDot size={14} aria-hidden="true" />
          <span className="type-words">
            <span className="type-title">Now</span>
          </span>
        </button>
        {listing.state === "failed" && (
          <div className="notice error" role="alert">
            <span>
              The versions could not be loaded: {listing.error.message}{" "}
              <button type="button" className="link-button" onClick={() => void timeline.load()}>
                Try again
              </button>
            </span>
          </div>
        )}
        {listing.state === "loading" && (
          <p className="menu-note" role="status">
            <LoaderCircle size={13} className="spin" aria-hidden="true" /> Loading versions
          </p>
        )}
        {byDay(versions).map((day) => (
          <section key={day.title} aria-label={day.title}>
            <h3 className="side-heading">{day.title}</h3>
            <ul className="plain-list">
              {day.versions.map((version) => (
                <li key={version.id}>
                  <VersionRow version={version} />
                </li>
              ))}
            </ul>
          </section>
        ))}
        {listing.state === "ready" && versions.length === 0 && (
          <p className="menu-note">
            No versions yet. One is kept whenever editing comes to rest; a saved one stays for good.
          </p>
        )}
        {more && <Older />}
      </div>
    </div>
  );
}

/** Go to the row above or below with the arrows. */
function walk(event: React.KeyboardEvent<HTMLDivElement>): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0 || event.target instanceof HTMLInputElement) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLButtonElement>(".run-row")];
  const next = rows[rows.findIndex((row) => row === event.target) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function SaveVersion() {
  const editor = useEditor();
  const timeline = useTimeline();
  const editable = useStore(editor.document.editable);
  const [naming, setNaming] = useState(false);
  if (!editable) return null;
  if (naming) {
    return (
      <NameForm
        label="What is this version called?"
        button="Save"
        onName={async (name) => {
          try {
            await timeline.save(name);
          } catch (error) {
            editor.toasts.error("Could not save a version", error);
            throw error;
          }
        }}
        onClose={() => setNaming(false)}
      />
    );
  }
  return (
    <button
      type="button"
      className="button save-version"
      data-testid="save-version"
      onClick={() => setNaming(true)}
    >
      <Bookmark size={13} aria-hidden="true" /> Save version
    </button>
  );
}

function Older() {
  const editor = useEditor();
  const timeline = useTimeline();
  const [busy, setBusy] = useState(false);
  async function load() {
    setBusy(true);
    try {
      await timeline.loadOlder();
    } catch (error) {
      editor.toasts.error("Could not load older versions", error);
    } finally {
      setBusy(false);
    }
  }
  return (
    <button type="button" className="link-button" disabled={busy} onClick={() => void load()}>
      {busy ? "Loading" : "Show older versions"}
    </button>
  );
}

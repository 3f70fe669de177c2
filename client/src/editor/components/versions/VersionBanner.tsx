/** Says that a version is looked at, and leads back: to it for everybody, or to now. */
import { History, LoaderCircle, TriangleAlert } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useStore } from "../../../store";
import { moment, type Shown } from "../../../versions";
import { useEditor } from "../../hooks/useEditor";
import { useTimeline } from "../../hooks/useVersions";
import { namesOf } from "./Faces";

/** Below the editor of the canvas itself, so that it knows who is there and whether one may restore. */
export function VersionBanner({ shown }: { shown: Shown }) {
  const editor = useEditor();
  const timeline = useTimeline();
  const editable = useStore(editor.document.editable);
  const others = useStore(editor.document.people, (people) =>
    [...new Set(people.filter((person) => person.user !== editor.user.id).map((person) => person.name))].join(
      ", ",
    ),
  );
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const sure = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (asking) sure.current?.focus();
  }, [asking]);
  const { version } = shown;
  const who = namesOf(version.authors.length > 0 ? version.authors : version.by ? [version.by] : []);

  async function restore() {
    setBusy(true);
    try {
      const { before } = await timeline.restore(version.id);
      editor.toasts.show({
        tone: "done",
        title: `Restored the version of ${moment(version.created_at)}`,
        action: { label: "Undo", run: () => void undo(before.id) },
      });
    } catch (error) {
      editor.toasts.error("Could not restore the version", error);
      setBusy(false);
      setAsking(false);
    }
  }
  async function undo(id: string) {
    try {
      await timeline.restore(id);
    } catch (error) {
      editor.toasts.error("Could not take the restore back", error);
    }
  }

  const Icon =
    shown.state === "failed" ? TriangleAlert : busy || shown.state === "loading" ? LoaderCircle : History;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape says no to the question from either of its buttons
    <div
      className="past-banner version-banner"
      data-testid="version-banner"
      data-state={shown.state}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !asking) return;
        event.preventDefault();
        event.stopPropagation();
        setAsking(false);
      }}
    >
      <Icon size={14} className={Icon === LoaderCircle ? "spin" : ""} aria-hidden="true" />
      <span role="status" className="truncate">
        {asking ? (
          `${others} ${others.includes(", ") ? "are" : "is"} here too. Restore it for everybody?`
        ) : (
          <>
            {version.name !== null && <strong>{version.name}: </strong>}
            {`${version.name === null ? "Version" : "version"} of ${moment(version.created_at)}`}
            {who && ` by ${who}`}
            {shown.state === "failed" && `, which could not be loaded: ${shown.error.message}`}
          </>
        )}
      </span>
      {shown.state === "failed" && (
        <button type="button" className="button" onClick={() => void timeline.show(version)}>
          Try again
        </button>
      )}
      {shown.state === "open" && editable && (
        <button
          ref={sure}
          type="button"
          className="button primary"
          data-testid={asking ? "version-restore-sure" : "version-restore"}
          data-sure={asking}
          disabled={busy}
          onClick={() => (others === "" || asking ? void restore() : setAsking(true))}
        >
          {asking ? "Restore for everybody" : "Restore"}
        </button>
      )}
      <button
        type="button"
        className="button"
        data-testid="version-back"
        data-sure={asking}
        onClick={() => (asking ? setAsking(false) : timeline.back())}
      >
        {asking ? "Not now" : "Back to now"}
      </button>
    </div>
  );
}

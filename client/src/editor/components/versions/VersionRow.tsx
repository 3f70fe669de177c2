/** One version in the timeline: when, by whom, what, and its name. */
import { Bookmark, LoaderCircle, PencilLine, RotateCcw } from "lucide-react";
import { useState } from "react";
import { useStore } from "../../../store";
import { clock, describeChanges, moment, type Version } from "../../../versions";
import { useEditor } from "../../hooks/useEditor";
import { useTimeline } from "../../hooks/useVersions";
import { Faces } from "./Faces";
import { NameForm } from "./NameForm";

/** What a version says of itself beside its time. */
export function useVersionWords(version: Version): string {
  const editor = useEditor();
  const types = useStore(editor.library.state, (state) => state.types);
  const source = useStore(useTimeline().versions, (versions) =>
    versions.find((one) => one.id === version.source),
  );
  if (version.reason !== "restored") return describeChanges(version.changes, (type) => types[type]?.title);
  if (!source) return "An older version was restored";
  return `Restored ${source.name ? `“${source.name}”` : `the version of ${moment(source.created_at)}`}`;
}

export function VersionRow({ version }: { version: Version }) {
  const editor = useEditor();
  const timeline = useTimeline();
  const words = useVersionWords(version);
  const current = useStore(timeline.shown, (shown) => shown?.version.id === version.id);
  const loading = useStore(
    timeline.shown,
    (shown) => shown?.state === "loading" && shown.version.id === version.id,
  );
  const editable = useStore(editor.document.editable);
  const [naming, setNaming] = useState(false);
  if (naming) {
    return (
      <NameForm
        label="Name of this version"
        button="Name it"
        start={version.name ?? ""}
        emptyAllowed={version.name !== null}
        onName={async (name) => {
          try {
            await timeline.rename(version.id, name === "" ? null : name);
          } catch (error) {
            editor.toasts.error("Could not name the version", error);
            throw error;
          }
        }}
        onClose={() => setNaming(false)}
      />
    );
  }
  return (
    <div className="version-row">
      <button
        type="button"
        className="run-row"
        data-testid={`version-${version.number}`}
        data-version={version.id}
        aria-current={current}
        onClick={() => void timeline.show(version)}
      >
        <span className="type-words">
          <span className="type-title">
            {version.name !== null && <Bookmark size={11} aria-label="named" />}
            <span className="truncate">{version.name ?? clock(version.created_at)}</span>
            {version.name !== null && <span className="version-time">{clock(version.created_at)}</span>}
          </span>
          <span className="type-hint">
            {version.reason === "restored" && <RotateCcw size={10} aria-hidden="true" />} {words}
          </span>
        </span>
        {loading && <LoaderCircle size={13} className="spin" aria-label="Loading" />}
        <Faces authors={version.authors.length > 0 ? version.authors : version.by ? [version.by] : []} />
      </button>
      {editable && (
        <button
          type="button"
          className="icon-button small version-rename"
          aria-label={`Name the version of ${moment(version.created_at)}`}
          title={version.name === null ? "Give it a name: it stays for good" : "Change its name"}
          data-testid={`version-${version.number}-rename`}
          onClick={() => setNaming(true)}
        >
          <PencilLine size={12} />
        </button>
      )}
    </div>
  );
}

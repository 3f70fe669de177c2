/** Whether what one did is safe: it says saved only once the server has it. */
import { Check, CloudOff, Download, Eye, LoaderCircle, TriangleAlert } from "lucide-react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";

function many(count: number): string {
  return `${count} ${count === 1 ? "edit" : "edits"}`;
}

export function SaveIndicator() {
  const editor = useEditor();
  const status = useStore(editor.document.saving);
  const refused = useStore(editor.document.refused);
  if (refused) return <Refused />;
  switch (status.state) {
    case "saved":
      return (
        <Indicator
          tone="quiet"
          state="saved"
          title="Every edit is stored on the server"
          icon={<Check size={13} />}
        >
          Saved
        </Indicator>
      );
    case "saving":
      return (
        <Indicator
          tone="quiet"
          state="saving"
          title={`${many(status.pending)} on the way`}
          icon={<LoaderCircle size={13} className="spin" />}
        >
          Saving
        </Indicator>
      );
    case "offline":
      return (
        <Indicator tone="warn" state="offline" title={status.reason} icon={<CloudOff size={13} />}>
          {status.pending > 0 ? `Offline, ${many(status.pending)} kept` : "Offline"}
        </Indicator>
      );
    case "read-only":
      return (
        <Indicator tone="quiet" state="read-only" title={status.reason} icon={<Eye size={13} />}>
          Read-only
        </Indicator>
      );
    case "rejected":
      return (
        <Indicator
          tone="bad"
          state="rejected"
          title={status.error.message}
          icon={<TriangleAlert size={13} />}
        >
          Not saved
        </Indicator>
      );
  }
}

interface IndicatorProps {
  readonly tone: "quiet" | "warn" | "bad";
  readonly state: string;
  readonly title: string;
  readonly icon: React.ReactNode;
  readonly children: React.ReactNode;
}

function Indicator({ tone, state, title, icon, children }: IndicatorProps) {
  return (
    <span
      className="indicator"
      data-tone={tone}
      data-state={state}
      title={title}
      role="status"
      data-testid="save-indicator"
    >
      {icon}
      {children}
    </span>
  );
}

/** The server refused edits: they are undone here, and can be kept as a file. */
function Refused() {
  const { document: shared } = useEditor();
  const refused = useStore(shared.refused);
  if (!refused) return null;
  const save = () => {
    const url = URL.createObjectURL(
      new Blob([JSON.stringify(refused.spell, null, 2)], { type: "application/json" }),
    );
    const link = document.createElement("a");
    link.href = url;
    link.download = `${refused.spell.name ?? "spell"}.refused.json`;
    link.click();
    URL.revokeObjectURL(url);
    shared.dismissRefused();
  };
  return (
    <span
      className="indicator"
      data-tone="bad"
      data-state="rejected"
      role="alert"
      data-testid="save-indicator"
    >
      <TriangleAlert size={13} />
      <span className="truncate" title={refused.error.message}>
        Refused: {refused.error.message}
      </span>
      <button type="button" className="link-button" onClick={save}>
        <Download size={12} /> Keep as file
      </button>
      <button type="button" className="link-button" onClick={() => shared.dismissRefused()}>
        Dismiss
      </button>
    </span>
  );
}

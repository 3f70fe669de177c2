/** Whether what one did is safe: it says saved only once the server has it, and kept only once the browser has. */
import { Check, CloudOff, Eye, HardDriveDownload, LoaderCircle, TriangleAlert } from "lucide-react";
import type { SaveStatus } from "../../document";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";

function many(count: number): string {
  return `${count} ${count === 1 ? "edit" : "edits"}`;
}

/** What the indicator shows of a status. */
export interface SaveWords {
  readonly tone: "quiet" | "warn" | "bad";
  readonly words: string;
  /** What it means, and why. */
  readonly title: string;
  readonly icon: "saved" | "saving" | "offline" | "only-here" | "read-only" | "rejected";
}

/** Put a status into words; `trouble` says why the browser keeps nothing, null when it does. */
export function saveWords(status: SaveStatus, trouble: string | null): SaveWords {
  switch (status.state) {
    case "saved":
      return { tone: "quiet", words: "Saved", title: "Every edit is stored on the server", icon: "saved" };
    case "saving":
      return { tone: "quiet", words: "Saving", title: `${many(status.pending)} on the way`, icon: "saving" };
    case "offline":
      return offlineWords(status, trouble);
    case "read-only":
      return { tone: "quiet", words: "Read-only", title: status.reason, icon: "read-only" };
    case "rejected":
      return {
        tone: "bad",
        words: "Not all saved",
        title: `All else is saved. The server refused: ${status.error.message}`,
        icon: "rejected",
      };
  }
}

function offlineWords(
  { pending, unkept, reason }: SaveStatus & { state: "offline" },
  trouble: string | null,
): SaveWords {
  if (pending === 0) {
    const title = trouble === null ? reason : `${reason} ${trouble} Keep this tab open while you edit.`;
    return { tone: "warn", words: "Offline", title, icon: "offline" };
  }
  if (unkept > 0 && trouble !== null) {
    const words = `Offline, ${many(unkept)} only in this tab`;
    return {
      tone: "bad",
      words,
      title: `${trouble} Keep this tab open until it is saved.`,
      icon: "only-here",
    };
  }
  const words = unkept > 0 ? `Offline, keeping ${many(pending)}` : `Offline, ${many(pending)} kept here`;
  const title = `${reason} Your edits are kept in this browser and are sent when the server is back.`;
  return { tone: "warn", words, title, icon: "offline" };
}

const ICONS = {
  saved: <Check size={13} />,
  saving: <LoaderCircle size={13} className="spin" />,
  offline: <CloudOff size={13} />,
  "only-here": <HardDriveDownload size={13} />,
  "read-only": <Eye size={13} />,
  rejected: <TriangleAlert size={13} />,
};

export function SaveIndicator() {
  const { document: shared } = useEditor();
  const status = useStore(shared.saving);
  const trouble = useStore(shared.keepTrouble);
  const { tone, words, title, icon } = saveWords(status, trouble);
  return (
    <>
      <span
        className="indicator"
        data-tone={tone}
        data-state={status.state}
        title={title}
        role="status"
        aria-live="polite"
        aria-label={`${words}. ${title}`}
        data-testid="save-indicator"
      >
        {ICONS[icon]}
        <span className="truncate">{words}</span>
      </span>
      <CopiesButton />
    </>
  );
}

/** How many copies of refused work there are; opens their list. */
function CopiesButton() {
  const editor = useEditor();
  const copies = useStore(editor.document.refused);
  if (copies.length === 0) return null;
  return (
    <button
      type="button"
      className="indicator"
      data-tone="bad"
      data-testid="copies-button"
      title="Work that the server refused is kept as a copy"
      onClick={() => editor.copies.set(true)}
    >
      <TriangleAlert size={13} />
      {copies.length === 1 ? "1 copy kept" : `${copies.length} copies kept`}
    </button>
  );
}

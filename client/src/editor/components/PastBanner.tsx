/** Says that the canvas shows a past run, and leads back. */
import { History, LoaderCircle } from "lucide-react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useRunDesk } from "../hooks/useRunDesk";
import { backToNow, stepRun } from "../store/past_runs";

export function PastBanner() {
  const editor = useEditor();
  const run = useStore(editor.viewing);
  const desk = useRunDesk();
  const at = useStore(editor.workbench.highlight);
  const stepping = useStore(desk.stepper.moment, (moment) => moment !== null);
  if (!run || stepping) return null;
  const when = new Date(run.createdAt * 1000).toLocaleString([], {
    dateStyle: "medium",
    timeStyle: "medium",
  });
  return (
    <div className="past-banner" role="status" data-testid="past-run">
      {at?.run === run.id ? <LoaderCircle size={14} className="spin" /> : <History size={14} />}
      <span>
        {at?.run === run.id ? `Replaying ${at.index + 1} of ${at.total}` : "Run of"}{" "}
        {at?.run === run.id ? "" : when}
      </span>
      <button
        type="button"
        className="button"
        data-testid="step-through"
        onClick={() => void stepRun(editor, desk, run.id)}
      >
        Step through
      </button>
      <button type="button" className="button" data-testid="back-to-now" onClick={() => backToNow(editor)}>
        Back to now
      </button>
    </div>
  );
}

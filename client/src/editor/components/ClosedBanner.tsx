/** Says that the canvas is no longer open to this person, lets them keep what they see, and leads to the others. */
import { Download, Lock } from "lucide-react";
import { Link } from "../../app/components/Link";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { exportSpell } from "../store/spell_files";

export function ClosedBanner() {
  const editor = useEditor();
  const { document: shared } = editor;
  const status = useStore(shared.saving);
  const role = useStore(shared.role);
  if (role !== null || status.state !== "read-only") return null;
  return (
    <div className="past-banner closed-banner" role="alert" data-testid="canvas-closed">
      <Lock size={14} />
      <span>{status.reason} What you see is this tab's copy.</span>
      <button type="button" className="button" data-testid="keep-as-file" onClick={() => exportSpell(editor)}>
        <Download size={13} /> Keep as a file
      </button>
      <Link to="/" className="button">
        Your canvases
      </Link>
    </div>
  );
}

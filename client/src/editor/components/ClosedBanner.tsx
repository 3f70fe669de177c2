/** Says that the canvas is no longer open to this person, and leads to the others. */
import { Lock } from "lucide-react";
import { Link } from "../../app/components/Link";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";

export function ClosedBanner() {
  const { document: shared } = useEditor();
  const status = useStore(shared.saving);
  const role = useStore(shared.role);
  if (role !== null || status.state !== "read-only") return null;
  return (
    <div className="past-banner closed-banner" role="alert" data-testid="canvas-closed">
      <Lock size={14} />
      <span>{status.reason}</span>
      <Link to="/" className="button">
        Your canvases
      </Link>
    </div>
  );
}

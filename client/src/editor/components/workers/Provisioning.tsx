/** How far the packages of a worker are put in place: live while it goes on, in every tab. */
import { LoaderCircle } from "lucide-react";
import { useStore } from "../../../store";
import type { Worker, WorkerDesk } from "../../../workers";
import { Lines } from "./WorkerLog";

/** Lines of a provisioning that are shown. */
const SHOWN = 40;

export function Provisioning({ desk, worker }: { readonly desk: WorkerDesk; readonly worker: Worker }) {
  const lines = useStore(desk.lines);
  if (worker.state !== "provisioning") return null;
  return (
    <div className="provisioning" data-testid="provisioning">
      <p role="status">
        <LoaderCircle size={12} className="spin" aria-hidden="true" /> Putting the packages in place…
      </p>
      {lines.length > 0 && <Lines lines={lines.slice(-SHOWN)} label="Progress of the packages" />}
    </div>
  );
}

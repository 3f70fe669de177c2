/** The way from a failure that came of the worker to the worker: look at it, start it, or restart it. */
import { Cpu, Play, RotateCw } from "lucide-react";
import { useStore } from "../../../store";
import { ALIVE } from "../../../workers";
import { useEditor } from "../../hooks/useEditor";
import { useWorkerDesk } from "../../hooks/useWorkerDesk";
import { useWorkerRights } from "../../hooks/useWorkerRights";

/** Failures after which it may help to start the worker anew. */
const OF_PROCESS = new Set([
  "worker_died",
  "limit_exceeded",
  "worker_stopped",
  "worker_failed",
  "value_gone",
  "environment_failed",
]);

/** Failures that come of what was set, installed or granted: the panel shows it. */
const OF_WORKER = new Set([
  "worker_lost",
  "not_confined",
  "worker_not_allowed",
  "request_refused",
  "host_denied",
  "not_granted",
  "secret_missing",
]);

export function WorkerWay({ code }: { readonly code: string }) {
  const editor = useEditor();
  const desk = useWorkerDesk();
  const worker = useStore(desk.worker);
  const doing = useStore(desk.doing);
  const { steer } = useWorkerRights(worker);
  const restarts = OF_PROCESS.has(code);
  if (!(restarts || OF_WORKER.has(code)) || !worker) return null;
  const alive = ALIVE.has(worker.state);
  return (
    <div className="row-buttons">
      {restarts && steer && (
        <button
          type="button"
          className="button small"
          disabled={doing !== null}
          data-testid="failure-restart"
          onClick={() => void desk.act(alive ? "restart" : "start")}
        >
          {alive ? <RotateCw size={12} /> : <Play size={12} />}{" "}
          {alive ? "Restart the worker" : "Start the worker"}
        </button>
      )}
      <button type="button" className="button small quiet" onClick={() => editor.panel.set("worker")}>
        <Cpu size={12} /> Show the worker
      </button>
    </div>
  );
}

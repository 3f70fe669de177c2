/** What the worker uses now, small, on the canvas; nothing while it does nothing. */
import { useStore } from "../../../store";
import { WORKER_STATES } from "../../../workers";
import { useEditor } from "../../hooks/useEditor";
import { useWorkerDesk } from "../../hooks/useWorkerDesk";
import { formatBytes } from "../../store/value_kind";
import { Sparkline } from "./Sparkline";

export function WorkerChip() {
  const editor = useEditor();
  const desk = useWorkerDesk();
  const worker = useStore(desk.worker);
  const samples = useStore(desk.samples);
  if (worker?.state !== "ready" && worker?.state !== "busy") return null;
  const { cpu_percent, memory_bytes, queue } = worker.metrics;
  if (typeof memory_bytes !== "number" && typeof cpu_percent !== "number") return null;
  return (
    <button
      type="button"
      className="worker-chip"
      title={`${worker.name}: ${WORKER_STATES[worker.state][0]}. Show the worker`}
      aria-label={`Worker uses ${Math.round(cpu_percent ?? 0)} percent of a processor and ${formatBytes(memory_bytes ?? 0)}`}
      data-testid="worker-chip"
      onClick={() => editor.panel.set("worker")}
    >
      <span>
        CPU <b>{Math.round(cpu_percent ?? 0)} %</b>
      </span>
      <Sparkline numbers={samples.map(({ cpu }) => cpu)} top={100} />
      <span>
        <b>{formatBytes(memory_bytes ?? 0)}</b>
      </span>
      {(queue ?? 0) > 0 && (
        <span>
          <b>{queue}</b> waiting
        </span>
      )}
    </button>
  );
}

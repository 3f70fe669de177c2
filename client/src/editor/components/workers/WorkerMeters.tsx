/** What a worker uses now, of what it may use. */
import { useStore } from "../../../store";
import type { Worker, WorkerDesk } from "../../../workers";
import { formatBytes, formatDuration } from "../../store/value_kind";
import { Sparkline } from "./Sparkline";

export function WorkerMeters({ desk, worker }: { readonly desk: WorkerDesk; readonly worker: Worker }) {
  const samples = useStore(desk.samples);
  const { metrics, limits, restarts } = worker;
  const most = limits.memory_mb ? limits.memory_mb * 1_000_000 : undefined;
  return (
    <dl className="worker-meters">
      <dt>CPU</dt>
      <dd>
        <span>{typeof metrics.cpu_percent === "number" ? `${Math.round(metrics.cpu_percent)} %` : "–"}</span>
        <Sparkline numbers={samples.map(({ cpu }) => cpu)} top={100} />
      </dd>
      <dt>Memory</dt>
      <dd>
        <span>
          {typeof metrics.memory_bytes === "number" ? formatBytes(metrics.memory_bytes) : "–"}
          {most !== undefined && <span className="faint"> of {formatBytes(most)}</span>}
        </span>
        <Sparkline numbers={samples.map(({ memory }) => memory)} {...(most ? { top: most } : {})} />
      </dd>
      <dt>Calls</dt>
      <dd>
        {metrics.running ?? 0} running, {metrics.queue ?? 0} waiting
      </dd>
      <dt>Restarts</dt>
      <dd>{restarts}</dd>
    </dl>
  );
}

/** The limits in force, each in words; those that are not set are left out. */
export function WorkerLimitsList({ worker }: { readonly worker: Worker }) {
  const { limits, processes } = worker;
  const rows: [string, string][] = [];
  const add = (name: string, value: number | null | undefined, words: (value: number) => string) => {
    if (typeof value === "number") rows.push([name, words(value)]);
  };
  rows.push(["Calls at once", String(processes)]);
  add("Memory", limits.memory_mb, (mb) => formatBytes(mb * 1_000_000));
  add("Time of a call", limits.wall_seconds, formatDuration);
  add("CPU time of a call", limits.cpu_seconds, formatDuration);
  add("Processes", limits.processes, String);
  add("Files", limits.files_mb, (mb) => formatBytes(mb * 1_000_000));
  add("Output of a call", limits.output_bytes, formatBytes);
  return (
    <dl className="worker-facts">
      {rows.map(([name, words]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{words}</dd>
        </div>
      ))}
    </dl>
  );
}

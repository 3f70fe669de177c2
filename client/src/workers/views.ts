/** A worker as the page has it, read from what the server tells. */
import type { WorkerView } from "../protocol/generated";
import type { Layer, Means, Worker } from "./types";

/** What is closed to a worker's code, as the server has it. */
interface Confinement {
  readonly files?: boolean;
  readonly network?: boolean;
  readonly signals?: boolean;
  readonly reason?: string;
  readonly layers?: readonly string[];
  readonly absent?: Readonly<Record<string, string>>;
}

/** Read a worker. */
export function workerOf(view: WorkerView): Worker {
  const { environment, confinement, limits, faults } = view;
  return {
    id: view.id,
    name: view.name || (view.kind === "canvas" ? "Own worker" : "Worker"),
    kind: view.kind,
    canvas: view.canvas ?? null,
    owner: view.owner ?? null,
    state: view.state,
    reason: view.reason || null,
    processes: view.processes ?? 1,
    limits: limits ?? {},
    ownLimits: view.own_limits ?? {},
    open: view.open ?? false,
    environment: {
      key: environment?.key ?? null,
      python: environment?.python ?? null,
      requirements: environment?.requirements ?? {},
      locked: environment?.locked ?? false,
    },
    layers: layersOf(confinement),
    means: meansOf(confinement),
    metrics: view.metrics ?? {},
    restarts: view.restarts ?? 0,
    faults: faults ?? {},
  };
}

/** What is closed, layer by layer; nothing is known of a worker that never started. */
export function layersOf(confinement: Confinement | null | undefined): readonly Layer[] {
  if (!confinement) return [];
  const layer = (name: string, on: boolean | undefined): Layer => ({
    name,
    on: on === true,
    why: on === true ? null : confinement.reason || null,
  });
  return [
    layer("files", confinement.files),
    layer("network", confinement.network),
    layer("processes", confinement.signals),
    {
      name: "memory",
      on: confinement.layers?.includes(TOGETHER) ?? false,
      why: absence(confinement, TOGETHER),
    },
  ];
}

/** The means that holds the processes of a worker to one limit of memory together. */
const TOGETHER = "cgroup";

function absence(confinement: Confinement, means: string): string | null {
  return confinement.absent?.[means] ?? null;
}

function meansOf(confinement: Confinement | null | undefined): Means {
  return { present: confinement?.layers ?? [], absent: confinement?.absent ?? {} };
}

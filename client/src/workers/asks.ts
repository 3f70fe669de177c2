/** What is asked of the server about workers, and what it tells of them. */
import type { WorkerView } from "../protocol/generated";
import type { Connection } from "../session";
import type { WorkerLine } from "./types";
import type { WorkerDeed } from "./worker_desk";

/** A worker is started, and its packages put in place, before the answer comes. */
const LONG = { timeout: 900_000 };

/** The requests, by their names here. */
export interface Asks {
  find(canvas: string): Promise<{ items: readonly WorkerView[]; current?: string | null }>;
  logs(worker: string): Promise<readonly WorkerLine[]>;
  lock(worker: string): Promise<string>;
  choose(canvas: string, worker: string | null): Promise<unknown>;
  act(deed: WorkerDeed, worker: string): Promise<WorkerView>;
  onWorker(listener: (worker: WorkerView) => void): () => void;
  onLines(listener: (worker: string, lines: readonly WorkerLine[]) => void): () => void;
}

/** The requests over a session. */
export function asking(session: Connection): Asks {
  return {
    find: (canvas) => session.request("workers.find", { canvas }),
    logs: async (id) => (await session.request("workers.logs", { id })).lines,
    lock: async (id) => (await session.request("workers.lock", { id })).lock,
    choose: (id, worker) => session.request("canvases.patch", { id, worker }),
    act: (deed, id) => session.request(`workers.${deed}`, { id }, LONG),
    onWorker: (listener) => session.on("worker.changed", listener),
    onLines: (listener) => session.on("worker.lines", ({ id, lines }) => listener(id, lines)),
  };
}

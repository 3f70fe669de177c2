/** Making, changing and deleting workers: for administrators. */
import { ServerError } from "../api/errors";
import type { Connection } from "../session";
import { Store } from "../store";
import { reason } from "./attempt";
import type { Worker } from "./types";
import { workerOf } from "./views";
import type { WorkerDesk } from "./worker_desk";
import { changeOf, type DraftFaults, newWorkerOf, type WorkerBounds, type WorkerDraft } from "./worker_draft";

/** The shared workers of the server, and what may be set of any; what is changed is told to the desk of the canvas. */
export class WorkerSettings {
  /** All shared ones; null until they are known. */
  readonly shared = new Store<readonly Worker[] | null>(null);
  readonly bounds = new Store<WorkerBounds | null>(null);
  readonly #session: Connection;
  readonly #desk: WorkerDesk;

  constructor(session: Connection, desk: WorkerDesk) {
    this.#session = session;
    this.#desk = desk;
  }

  async load(): Promise<void> {
    try {
      const { items, bounds } = await this.#session.request("workers.find", {});
      this.shared.set(items.map(workerOf));
      this.bounds.set(bounds);
    } catch {
      // The desk of the canvas says why; the next look asks again.
    }
  }

  /** Make a shared worker, and put the canvas on it if so; the faults by field where it was refused. */
  create(draft: WorkerDraft, here: boolean): Promise<DraftFaults | null> {
    return this.#do(async () => {
      const made = await this.#session.request("workers.create", newWorkerOf(draft));
      if (here) await this.#desk.choose(made.id);
    });
  }

  change(worker: Worker, draft: WorkerDraft): Promise<DraftFaults | null> {
    return this.#do(() => this.#session.request("workers.patch", changeOf(draft, worker)));
  }

  /** Delete a shared worker: its canvases are on their own again. */
  remove(worker: Worker): Promise<DraftFaults | null> {
    return this.#do(() => this.#session.request("workers.remove", { id: worker.id }));
  }

  async #do(work: () => Promise<unknown>): Promise<DraftFaults | null> {
    try {
      await work();
      return null;
    } catch (error) {
      return faultsIn(error);
    } finally {
      await Promise.all([this.load(), this.#desk.load()]);
    }
  }
}

/** The faults that a refusal names, by field; all in one where it names none. */
export function faultsIn(error: unknown): DraftFaults {
  const named = error instanceof ServerError ? error.details.errors : undefined;
  const faults: Record<string, string> = {};
  for (const each of Array.isArray(named) ? named : []) {
    const { field, message } = (each ?? {}) as { field?: unknown; message?: unknown };
    if (typeof field === "string" && typeof message === "string") faults[fieldOf(field)] = message;
  }
  return Object.keys(faults).length > 0 ? faults : { "": reason(error) };
}

/** `requirements.pandas` -> `requirements`; of a limit all. */
function fieldOf(field: string): string {
  const [first = ""] = field.split(".");
  return first === "limits" ? field : first;
}

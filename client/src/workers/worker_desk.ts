/** The workers that one canvas may run on, which of them it does, and what that one does now. */
import type { Connection } from "../session";
import { Store } from "../store";
import { type Asks, asking } from "./asks";
import { attempt, reason } from "./attempt";
import type { Sample, Worker, WorkerLine } from "./types";
import { workerOf } from "./views";

/** Lines kept of a worker, the latest. */
const LINES = 500;
/** Looks at its metrics that are kept. */
const SAMPLES = 60;

const NOBODY: readonly Worker[] = [];

/** What a person can have a worker do. */
export type WorkerDeed = "start" | "stop" | "restart" | "provision";

/**
 * The workers of a canvas, kept up by `worker.changed` and read anew after a lost connection.
 *
 * What was refused is told in `failure`, and nothing else changes. Lines and samples are those that came while this
 * tab was open, after the tail that the server keeps.
 */
export class WorkerDesk {
  /** The worker this canvas runs on; null until it is known. */
  readonly worker = new Store<Worker | null>(null);
  /** All that this person may choose for the canvas, the chosen one among them. */
  readonly choices = new Store<readonly Worker[]>(NOBODY);
  readonly lines = new Store<readonly WorkerLine[]>([]);
  readonly samples = new Store<readonly Sample[]>([]);
  readonly failure = new Store<string | null>(null);
  /** The deed that is on its way. */
  readonly doing = new Store<WorkerDeed | "choose" | null>(null);
  readonly #asks: Asks;
  readonly #session: Connection;
  #ends: (() => void)[] = [];
  #loading = 0;
  #logged: string | null = null;

  constructor(
    session: Connection,
    readonly canvas: string,
  ) {
    this.#session = session;
    this.#asks = asking(session);
  }

  /** Listen to the server; returns what ends it. */
  open(): () => void {
    this.#ends = [
      this.#asks.onWorker((worker) => this.#changed(workerOf(worker))),
      this.#asks.onLines((id, lines) => this.#said(id, lines)),
      this.#session.onOnline(() => void this.load()),
    ];
    return () => {
      for (const end of this.#ends) end();
      this.#ends = [];
    };
  }

  /** Read which workers there are. */
  async load(): Promise<void> {
    this.#loading += 1;
    const loading = this.#loading;
    try {
      const { items, current } = await this.#asks.find(this.canvas);
      if (loading !== this.#loading) return;
      const workers = items.map(workerOf);
      this.choices.set(workers);
      const mine = workers.find(({ id }) => id === current) ?? null;
      if (mine) this.#take(mine);
      else this.worker.set(null);
      this.failure.set(null);
    } catch (error) {
      if (loading === this.#loading) this.failure.set(`Could not look at the workers: ${reason(error)}`);
    }
  }

  /** Read the tail of what the worker said, once for each worker. */
  async readLog(): Promise<void> {
    const worker = this.worker.get();
    if (!worker || this.#logged === worker.id) return;
    this.#logged = worker.id;
    try {
      const tail = await this.#asks.logs(worker.id);
      const newer = this.lines.get().filter((line) => line.at > (tail.at(-1)?.at ?? 0));
      this.lines.set([...tail, ...newer].slice(-LINES));
    } catch {
      this.#logged = null; // Looked at again, it is asked again.
    }
  }

  /** Every package of the environment, as a requirements.txt with hashes. */
  lock(): Promise<string> {
    const worker = this.worker.get();
    return worker ? this.#asks.lock(worker.id) : Promise.resolve("");
  }

  /** Have the canvas run on another worker; null: on its own. */
  choose(id: string | null): Promise<boolean> {
    return this.#do("choose", "Could not change the worker", async () => {
      await this.#asks.choose(this.canvas, id);
      await this.load();
    });
  }

  /** Start, stop or restart the worker, or put its packages in place. */
  act(deed: WorkerDeed): Promise<boolean> {
    const worker = this.worker.get();
    if (!worker) return Promise.resolve(false);
    return this.#do(deed, `Could not ${deed} the worker`, async () => {
      this.#changed(workerOf(await this.#asks.act(deed, worker.id)));
    });
  }

  async #do(deed: WorkerDeed | "choose", what: string, work: () => Promise<void>): Promise<boolean> {
    this.doing.set(deed);
    try {
      return await attempt(what, work, this.failure);
    } finally {
      this.doing.set(null);
    }
  }

  #changed(worker: Worker): void {
    const known = this.choices.get();
    if (known.some(({ id }) => id === worker.id))
      this.choices.set(known.map((each) => (each.id === worker.id ? worker : each)));
    if (this.worker.get()?.id === worker.id) this.#take(worker);
    else void this.load(); // Told of it, the canvas is on it: somebody has put it there.
  }

  #take(worker: Worker): void {
    if (this.worker.get()?.id !== worker.id) {
      this.lines.set([]);
      this.samples.set([]);
      this.#logged = null;
    }
    this.worker.set(worker);
    const { cpu_percent, memory_bytes } = worker.metrics;
    if (typeof cpu_percent !== "number" && typeof memory_bytes !== "number") return;
    const sample = { at: Date.now() / 1000, cpu: cpu_percent ?? 0, memory: memory_bytes ?? 0 };
    this.samples.update((before) => [...before.slice(1 - SAMPLES), sample]);
  }

  #said(id: string, lines: readonly WorkerLine[]): void {
    if (this.worker.get()?.id !== id || lines.length === 0) return;
    this.lines.update((before) => [...before, ...lines].slice(-LINES));
  }
}

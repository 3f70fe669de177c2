/** The external workers that a canvas was given, and those of one's own that it may be given. */
import type { Rest } from "../api";
import type { Json } from "../protocol";
import type {
  ExternalWorkerList,
  ExternalWorkerView,
  MemberList,
  NewExternalWorkerView,
} from "../protocol/generated";
import type { Connection } from "../session";
import { Store } from "../store";
import { attempt, reason } from "./attempt";

export type ExternalWorker = ExternalWorkerView;

/** How a worker is told to connect: shown once. */
export interface FreshWorker {
  readonly id: string;
  readonly command: string;
}

/** Milliseconds within which changes are read together. */
const TOGETHER = 200;

/**
 * External workers, over REST. Read anew when the server says that one changed; what was refused is told in `failure`.
 */
export class ExternalDesk {
  /** Those of the canvas, and one's own; null until they are known. */
  readonly workers = new Store<readonly ExternalWorker[] | null>(null);
  /** What the people of the canvas are called, by their ids. */
  readonly names = new Store<Readonly<Record<string, string>>>({});
  readonly fresh = new Store<FreshWorker | null>(null);
  readonly failure = new Store<string | null>(null);
  readonly #rest: Rest;
  readonly #canvas: string;
  #loading = 0;

  constructor(rest: Rest, canvas: string) {
    this.#rest = rest;
    this.#canvas = canvas;
  }

  /** Read the workers, and again whenever one changes; returns what ends that. */
  open(session: Pick<Connection, "on" | "onOnline">): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void this.load(), TOGETHER);
    };
    const ends = [
      session.on("external_worker.changed", soon),
      session.onOnline(() => void this.load()),
      () => clearTimeout(timer),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  async load(): Promise<void> {
    this.#loading += 1;
    const loading = this.#loading;
    const list = (query: { canvas?: string }) =>
      this.#rest.get<ExternalWorkerList>("/v1/external-workers", { query });
    try {
      const [here, mine, people] = await Promise.all([
        list({ canvas: this.#canvas }),
        list({}),
        this.#rest.get<MemberList>(`/v1/canvases/${this.#canvas}/members`).catch(() => ({ items: [] })),
      ]);
      if (loading !== this.#loading) return;
      const known = new Set(here.items.map(({ id }) => id));
      this.names.set(Object.fromEntries(people.items.map((each) => [each.user_id, each.name || each.email])));
      this.workers.set([...here.items, ...mine.items.filter(({ id }) => !known.has(id))]);
    } catch (error) {
      if (loading === this.#loading && this.workers.get() === null)
        this.failure.set(`Could not list the external workers: ${reason(error)}`);
    }
  }

  /** Whether the canvas was given a worker. Of others' workers only those of the canvas are known at all. */
  isHere(worker: ExternalWorker): boolean {
    return worker.canvases === null || worker.canvases.includes(this.#canvas);
  }

  /** Make a worker and give it to the canvas; how it connects is in `fresh`. */
  create(name: string): Promise<boolean> {
    return this.#act(`Could not make ${name}`, async () => {
      const made = await this.#rest.post<NewExternalWorkerView>("/v1/external-workers", { name });
      this.fresh.set({ id: made.id, command: made.command });
      await this.#rest.patch(path(made), { canvases: [this.#canvas] });
    });
  }

  /** Give a worker of one's own to the canvas. */
  give(worker: ExternalWorker): Promise<boolean> {
    const canvases = [...(worker.canvases ?? []).filter((id) => id !== this.#canvas), this.#canvas];
    return this.#act(`Could not change ${worker.name}`, () => this.#rest.patch(path(worker), { canvases }));
  }

  /** Take a worker away from the canvas; other canvases keep it. */
  withdraw(worker: ExternalWorker): Promise<boolean> {
    const here = `/v1/canvases/${this.#canvas}/external-workers/${encodeURIComponent(worker.id)}`;
    return this.#act(`Could not take ${worker.name} away`, () => this.#rest.delete(here));
  }

  /** Make another token; the old one is good no more. */
  remake(worker: ExternalWorker): Promise<boolean> {
    return this.#act(`Could not make a token for ${worker.name}`, async () => {
      const made = await this.#rest.post<NewExternalWorkerView>(`${path(worker)}/token`);
      this.fresh.set({ id: made.id, command: made.command });
    });
  }

  /** Give a worker another configuration; secrets that are left out stay. */
  configure(worker: ExternalWorker, config: Readonly<Record<string, Json>>): Promise<boolean> {
    return this.#act(`Could not configure ${worker.name}`, () =>
      this.#rest.put(`${path(worker)}/config`, { config }),
    );
  }

  remove(worker: ExternalWorker): Promise<boolean> {
    return this.#act(`Could not remove ${worker.name}`, async () => {
      await this.#rest.delete(path(worker));
      if (this.fresh.get()?.id === worker.id) this.fresh.set(null);
    });
  }

  /** Put out of sight how a worker connects. */
  putAway(): void {
    this.fresh.set(null);
  }

  async #act(what: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      return await attempt(what, work, this.failure);
    } finally {
      await this.load();
    }
  }
}

function path({ id }: { id: string }): string {
  return `/v1/external-workers/${encodeURIComponent(id)}`;
}

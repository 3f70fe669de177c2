/** Runs of a canvas as a list: filtered and read page by page on the server, kept up by what this tab sees. */
import { ended } from "../engine/reduce";
import type { RunState } from "../engine/types";
import type { RunStatus, RunView } from "../protocol";
import type { Connection } from "../session";
import { type Readable, Store } from "../store";

const PAGE = 50;
/** Milliseconds of rest after which what changed is read anew. */
const REST_MS = 400;

/** What is looked for; what is left out does not matter. */
export interface RunFilter {
  readonly status?: readonly RunStatus[];
  /** Only those in which something failed, or only those in which nothing did. */
  readonly failed?: boolean | undefined;
  readonly user?: string;
  readonly queue?: string;
  readonly trigger?: string;
  readonly search?: string;
}

/** A run in the list: as the server listed it, or as this tab saw it, or both. */
export interface RunRow {
  readonly id: string;
  readonly createdAt: number;
  readonly status: RunStatus;
  readonly view: RunView | null;
  readonly state: RunState | null;
}

export type Listing = "idle" | "loading" | "ready" | "failed";

/** What the list needs of the runs of the canvas. */
export interface SeenRuns {
  readonly past: Readable<readonly RunState[]>;
}

export function isFiltered(filter: RunFilter): boolean {
  return Object.values(filter).some(
    (value) => typeof value === "boolean" || (value !== undefined && value.length > 0),
  );
}

/**
 * Newest first. Without a filter, runs that this tab saw stand in the list at once, also where the server cannot
 * be asked; with one, only what the server found. Open the list while somebody looks at it.
 */
export class RunList {
  readonly filter = new Store<RunFilter>({});
  readonly rows = new Store<readonly RunRow[]>([]);
  readonly listing = new Store<Listing>("idle");
  readonly failure = new Store<string | null>(null);
  readonly more = new Store(false);
  /** Who ran the runs that were listed, by id. */
  readonly people = new Store<ReadonlyMap<string, string>>(new Map());
  readonly #session: Connection;
  readonly #canvas: string;
  readonly #seen: SeenRuns;
  #views: readonly RunView[] = [];
  #next: string | null = null;
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(session: Connection, canvas: string, seen: SeenRuns) {
    this.#session = session;
    this.#canvas = canvas;
    this.#seen = seen;
  }

  /** Keep the list up; returns what ends that. */
  open(): () => void {
    const ends = [
      this.#seen.past.subscribe(() => this.#seenChanged()),
      this.#session.onOnline(() => void this.load()),
      this.#session.on("run.status", () => this.#soon()),
    ];
    this.#publish();
    return () => {
      for (const end of ends) end();
      if (this.#timer) clearTimeout(this.#timer);
      this.#timer = null;
    };
  }

  /** Look for other runs. */
  setFilter(change: RunFilter): void {
    this.filter.set({ ...this.filter.get(), ...change });
    this.#views = [];
    this.#publish();
    void this.load();
  }

  clear(): void {
    this.filter.set({});
    this.#views = [];
    void this.load();
  }

  /** Read the newest page; what was read below it stays. */
  async load(): Promise<void> {
    const asked = ++this.#asked;
    if (this.listing.get() !== "ready") this.listing.set("loading");
    try {
      const page = await this.#page(null);
      if (asked !== this.#asked) return;
      const last = page.items.at(-1)?.created_at ?? 0;
      const fresh = new Set(page.items.map(({ id }) => id));
      const below =
        page.next === null ? [] : this.#views.filter((one) => one.created_at < last && !fresh.has(one.id));
      this.#views = [...page.items, ...below];
      if (below.length === 0) this.#next = page.next;
      this.#settle();
    } catch (error) {
      if (asked === this.#asked) this.#fail(error);
    }
  }

  /** Read the next page. */
  async loadMore(): Promise<void> {
    if (this.#next === null) return;
    const asked = ++this.#asked;
    try {
      const page = await this.#page(this.#next);
      if (asked !== this.#asked) return;
      this.#next = page.next;
      const known = new Set(this.#views.map(({ id }) => id));
      this.#views = [...this.#views, ...page.items.filter(({ id }) => !known.has(id))];
      this.#settle();
    } catch (error) {
      if (asked === this.#asked) this.#fail(error);
    }
  }

  /** A run is gone. */
  drop(id: string): void {
    this.#views = this.#views.filter((view) => view.id !== id);
    this.#publish();
  }

  async #page(after: string | null): Promise<{ items: readonly RunView[]; next: string | null }> {
    const { status, failed, user, queue, trigger, search } = this.filter.get();
    const answer = await this.#session.request("runs.find", {
      canvas: this.#canvas,
      limit: PAGE,
      ...(status?.length ? { status: [...status] } : {}),
      ...(failed === undefined ? {} : { failed }),
      ...(user ? { user } : {}),
      ...(queue ? { queue } : {}),
      ...(trigger ? { trigger } : {}),
      ...(search ? { search } : {}),
      ...(after ? { after } : {}),
    });
    return { items: answer.items as readonly RunView[], next: answer.next ?? null };
  }

  #settle(): void {
    this.listing.set("ready");
    this.failure.set(null);
    this.more.set(this.#next !== null);
    this.#meet();
    this.#publish();
  }

  #meet(): void {
    const known = this.people.get();
    const all = new Map(known);
    for (const { user, user_name } of this.#views) if (user && user_name) all.set(user, user_name);
    if (all.size > known.size) this.people.set(all);
  }

  #fail(error: unknown): void {
    this.listing.set("failed");
    this.failure.set(error instanceof Error ? error.message : String(error));
    this.#publish();
  }

  #seenChanged(): void {
    const before = new Map(this.rows.get().map((row) => [row.id, row]));
    const news = this.#seen.past.get().some((run) => before.get(run.id)?.status !== run.status);
    this.#publish();
    if (news) this.#soon();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.load();
    }, REST_MS);
  }

  #publish(): void {
    const seen = this.#seen.past.get();
    const states = new Map(seen.map((run) => [run.id, run]));
    const rows = this.#views.map((view) => rowOf(view, states.get(view.id) ?? null));
    if (!isFiltered(this.filter.get())) {
      const listed = new Set(rows.map(({ id }) => id));
      for (const state of seen) if (!listed.has(state.id)) rows.push(rowOf(null, state));
      rows.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
    }
    this.rows.set(rows);
  }
}

function rowOf(view: RunView | null, state: RunState | null): RunRow {
  const known = view ?? state;
  // What this tab saw is newer, unless the server says that it is over.
  const status = view && (state === null || ended(view.status)) ? view.status : (state?.status ?? "queued");
  return {
    id: known?.id ?? "",
    createdAt: view?.created_at ?? state?.createdAt ?? 0,
    status,
    view,
    state,
  };
}

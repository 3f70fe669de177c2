/** The runs of one canvas, as events and the server's views tell them. */

import { whenLeft } from "../offline";
import type { CanvasOpened, RunEvent, RunStatus, RunView, Spell } from "../protocol";
import type { Connection } from "../session";
import { type Readable, Store } from "../store";
import { Board } from "./board";
import { hasFrames, withFrame } from "./frame";
import { GoneValues } from "./gone_values";
import { onward } from "./graph_order";
import { InsideRun } from "./inside_run";
import { type KeptResults, ResultsKeeper, type ResultsStore, runsToKeep } from "./kept_results";
import { liveNoticeOf } from "./live_notice";
import { ended, reduceEvents, unknownRun, withView } from "./reduce";
import { type Recipes, recipesOf } from "./stale";
import { StreamFollower } from "./stream_follower";
import type { InsideView, LiveNotice, NodeStatus, Reach, RunState, Runs, StartRun } from "./types";

const PAGE = 20;
const EVENT_PAGE = 500;
/** Milliseconds in which runs that this tab hears of are gathered, before the server is asked about them. */
const MEET_MS = 250;
/** Runs that are asked about at once; a canvas with more of them open is looked at in the panel of runs. */
const MOST_MET = 100;
/** Past runs that are fetched when a canvas is opened, so that every node shows what it last did. */
const FIRST_RUNS = 5;

/** Events that only add to what a node shows: a stream brings hundreds a second. */
const FLOWS: ReadonlySet<RunEvent["kind"]> = new Set(["node.chunk", "node.progress", "node.log"]);
/** Events that wait for a frame at most. */
const MOST_WAITING = 2_000;

/** What the store needs of the document. */
export interface RunSource {
  readonly canvas: string;
  readonly spell: Readable<Spell>;
  onOpened(listener: (opened: CanvasOpened) => void): () => void;
}

/**
 * See `Runs`.
 *
 * Events come through one follower per stream, so each is reduced exactly once. A run that was under way before
 * this tab came is fetched from its first event; what comes meanwhile waits, and repetitions are dropped by
 * number. Runs of others that are private never come here.
 */
export class RunStore implements Runs {
  readonly current = new Store<RunState | null>(null);
  readonly past = new Store<readonly RunState[]>([]);
  readonly more = new Store(false);
  readonly live = new Store(false);
  readonly liveNotice = new Store<LiveNotice | null>(null);
  readonly liveLost = new Store(0);
  readonly interrupted = new Store<readonly RunState[]>([]);
  readonly stalled = new Store<string | null>(null);
  readonly asOf = new Store<number | null>(null);
  readonly board: Readable<Readonly<Record<string, NodeStatus>>>;
  readonly gone: Readable<Readonly<Record<string, string>>>;
  readonly #session: Connection;
  readonly #source: RunSource;
  readonly #user: string;
  readonly #board: Board;
  readonly #goneValues: GoneValues;
  readonly #runs = new Map<string, RunState>();
  readonly #followers = new Map<string, StreamFollower>();
  /** Events that wait for the next frame, in order. */
  readonly #flow: RunEvent[] = [];
  #endFrame: (() => void) | null = null;
  /** Events of runs whose beginning is being fetched. */
  readonly #waiting = new Map<string, RunEvent[]>();
  readonly #views = new Map<string, RunView>();
  /** Runs that were interrupted in this tab's sight, to be told. */
  #cut: RunState[] = [];
  /** Runs that this tab heard of, and knows too little of. */
  readonly #strangers = new Set<string>();
  #meeting: ReturnType<typeof setTimeout> | null = null;
  readonly #completedListeners = new Set<(run: string) => void>();
  readonly #eventListeners = new Set<(events: readonly RunEvent[]) => void>();
  readonly #end: (() => void)[];
  readonly #keeper: ResultsKeeper | null;
  /** Set until the browser has said what it kept. */
  #restoring: Promise<void> | null = null;
  #closed = false;

  /** `user` is the id of the person at this tab; results are kept in `store`, if there is one. */
  constructor(session: Connection, source: RunSource, user: string, store?: Promise<ResultsStore>) {
    this.#user = user;
    this.#session = session;
    this.#source = source;
    this.#board = new Board(source.spell.get());
    this.board = this.#board.statuses;
    this.#goneValues = new GoneValues(session);
    this.gone = this.#goneValues.known;
    this.#keeper = store ? new ResultsKeeper(store, () => this.#picture()) : null;
    this.#restoring = this.#keeper && this.#restore(this.#keeper);
    this.#end = [
      this.#goneValues.open(),
      this.gone.subscribe(() => this.#board.setGone(this.gone.get())),
      source.spell.subscribe(() => this.#board.setSpell(source.spell.get())),
      source.onOpened((opened) => this.#openedOnceRestored(opened)),
      whenLeft({ left: () => this.#keeper?.flush(), back: () => {} }),
      session.on("run.events", ({ stream, events }) => this.#followers.get(stream)?.receive(events)),
      session.on("run.status", ({ run, stream, status }) => this.#setStatus(run, stream, status)),
      session.on("events.stalled", ({ stream, message }) => this.#setStalled(stream, message)),
      session.on("events.flowing", ({ stream }) => this.#setStalled(stream, null)),
      session.on("canvas.live", (said) => {
        if (said.canvas !== source.canvas || said.user !== this.#user) return;
        this.live.set(said.live);
        this.liveNotice.set(liveNoticeOf(said));
      }),
    ];
  }

  /** Call `listener` when a run completes in this tab's sight (also while it was offline). */
  onCompleted(listener: (run: string) => void): () => void {
    this.#completedListeners.add(listener);
    return () => {
      this.#completedListeners.delete(listener);
    };
  }

  /** Call `listener` with fresh events, each once. */
  onEvents(listener: (events: readonly RunEvent[]) => void): () => void {
    this.#eventListeners.add(listener);
    return () => {
      this.#eventListeners.delete(listener);
    };
  }

  /** A run that is known here. */
  get(run: string): RunState | undefined {
    return this.#runs.get(run);
  }

  async start({ onBusy, ...options }: StartRun = {}): Promise<string> {
    const recipes = this.#recipesOf(options);
    const request = { canvas: this.#source.canvas, ...options, ...(onBusy ? { on_busy: onBusy } : {}) };
    const view = await this.#session.request("runs.create", request);
    this.#board.setMadeFrom(view.id, recipes, true);
    this.#heads([view]);
    return view.id;
  }

  /** What the nodes of a run that is about to start will be made from. */
  #recipesOf({ scope, reach }: StartRun): Recipes {
    if (!scope || !reach || reach === "needed") return this.#board.recipes;
    const running = reach === "only" ? new Set(scope) : onward(this.#source.spell.get(), scope);
    return this.#board.recipesOf(running);
  }

  cancel(run?: string): Promise<void> {
    return this.#steer("runs.cancel", run);
  }

  pause(run?: string): Promise<void> {
    return this.#steer("runs.pause", run);
  }

  play(run?: string): Promise<void> {
    return this.#steer("runs.play", run);
  }

  step(run?: string): Promise<void> {
    return this.#steer("runs.step", run);
  }

  async setLive(on: boolean, audience: "shared" | "private" = "shared"): Promise<void> {
    const { canvas } = this.#source;
    const request = on ? { canvas, audience } : { canvas };
    const { live } = await this.#session.request(on ? "runs.play" : "runs.pause", request);
    this.live.set(live);
    if (!live) this.liveNotice.set(null);
  }

  async load(run: string): Promise<RunState> {
    await this.view(run);
    const state = this.#runs.get(run);
    if (!state) throw new Error(`Run ${run} is not here.`);
    return state;
  }

  inside(run: string, node: string): InsideView {
    return new InsideRun(run, node, {
      page: (after_seq) =>
        this.#session.request("runs.events", { id: run, node, after_seq, limit: EVENT_PAGE }),
      onEvents: (listener) => this.onEvents(listener),
      onOpened: (listener) => this.#source.onOpened(listener),
    });
  }

  /** The server's view of a run with its outputs; of a run that has ended it is fetched once. */
  async view(id: string): Promise<RunView> {
    const known = this.#views.get(id);
    if (known) return known;
    const view = await this.#session.request("runs.get", { id });
    if (ended(view.status)) this.#views.set(id, view);
    this.#goneValues.add(view.gone);
    for (const old of [...this.#views.keys()].slice(0, -PAGE)) this.#views.delete(old);
    // Of a run of a part, what the rest was made from cannot be told from the spell.
    if (view.spell && !(view.scope && this.#board.knows(id)))
      this.#board.setMadeFrom(id, recipesOf(view.spell), true);
    const unseen = Object.keys(this.#runs.get(id)?.nodes ?? {}).length === 0;
    this.#heads([view]);
    // What did not end in it is in its events alone.
    if (view.status === "interrupted" && unseen) await this.#fetchBeginning(id);
    return view;
  }

  async loadOlder(): Promise<void> {
    const oldest = this.past.get().at(-1)?.createdAt;
    const before = oldest === undefined ? {} : { before: oldest };
    const request = { canvas: this.#source.canvas, limit: PAGE, ...before };
    const { items } = await this.#session.request("runs.find", request);
    this.more.set(items.length === PAGE);
    this.#heads(items);
  }

  close(): void {
    this.#keeper?.flush();
    this.#closed = true;
    this.#endFrame?.();
    if (this.#meeting) clearTimeout(this.#meeting);
    for (const end of this.#end) end();
  }

  async #steer(
    event: "runs.cancel" | "runs.pause" | "runs.play" | "runs.step",
    run: string | undefined,
  ): Promise<void> {
    const id = run ?? this.current.get()?.id;
    if (id) await this.#session.request(event, { id });
  }

  // What the browser keeps.

  async #restore(keeper: ResultsKeeper): Promise<void> {
    const kept = await keeper.load();
    this.#restoring = null;
    if (!kept || this.#closed) return;
    for (const [stream, seq] of kept.streams) this.#followers.set(stream, this.#follower(stream, seq));
    for (const run of kept.runs) this.#put(run, undefined);
    for (const [run, recipes] of kept.madeFrom) this.#board.setMadeFrom(run, recipes, true);
    this.asOf.set(kept.at);
    this.#publish();
  }

  #openedOnceRestored(opened: CanvasOpened): void {
    if (!this.#restoring) {
      this.#opened(opened);
      return;
    }
    void this.#restoring.then(() => {
      this.#opened(opened);
      // What came meanwhile found nobody.
      for (const follower of this.#followers.values()) void follower.catchUp();
    });
  }

  #picture(): KeptResults {
    this.#takeFlow(); // The runs are to be as their streams' positions say.
    const runs = runsToKeep(this.past.get());
    const streams = [...this.#followers].map(([stream, { last }]) => [stream, last] as const);
    const madeFrom = this.#board.madeFrom(runs.map(({ id }) => id));
    return { version: 2, at: Date.now(), streams, runs, madeFrom };
  }

  // Catching up.

  #opened(opened: CanvasOpened): void {
    if (this.#closed) return;
    this.asOf.set(null);
    if (this.live.get() && !opened.live) this.liveLost.update((times) => times + 1);
    this.live.set(opened.live ?? false);
    this.liveNotice.set(opened.live ? liveNoticeOf(opened.live_notice ?? {}) : null);
    this.stalled.set(null); // A server that still cannot store says so again.
    for (const [stream, seq] of Object.entries(opened.streams ?? {})) {
      if (stream.startsWith("canvas:")) this.#follow(stream, seq);
    }
    const runs = opened.runs ?? [];
    const fresh = runs.filter((run) => !this.#runs.has(run.id));
    this.#heads(runs);
    this.more.set(this.more.get() || runs.length >= PAGE);
    for (const run of fresh) if (!ended(run.status)) void this.#fetchBeginning(run.id);
    void this.#fetchLast(runs.filter((run) => ended(run.status))).then(() =>
      this.#goneValues.ask(this.#board.handles()),
    );
  }

  #follow(stream: string, seq: number): void {
    const follower = this.#followers.get(stream);
    if (follower) {
      // A follower that is ahead took events that came before this answer; or the server's log was set back. The
      // server's answer to its resume says which: to begin anew at `seq` by ourselves would double the events.
      if (follower.last !== seq) void follower.catchUp();
      return;
    }
    this.#followers.set(stream, this.#follower(stream, seq));
  }

  #follower(stream: string, seq: number): StreamFollower {
    return new StreamFollower(seq, {
      resume: (after_seq) => this.#session.request("events.resume", { stream, after_seq }),
      deliver: (events) => this.#deliver(events),
      lost: () => void this.#fetchAnew(),
      failed: () => {}, // The next connection catches up.
    });
  }

  /** Fetch again the newest runs, after a gap that the server could not fill. */
  async #fetchAnew(): Promise<void> {
    const request = { canvas: this.#source.canvas, limit: PAGE };
    const { items } = await this.#session.request("runs.find", request);
    for (const { id } of items) this.#views.delete(id);
    this.#heads(items);
    await this.#fetchLast(items.filter((run) => ended(run.status)));
  }

  async #fetchBeginning(id: string): Promise<void> {
    this.#waiting.set(id, []);
    const events: RunEvent[] = [];
    try {
      for (let after_seq = 0, more = true; more; ) {
        const request = { id, after_seq, limit: EVENT_PAGE };
        const page = await this.#session.request("runs.events", request);
        events.push(...page.events);
        after_seq = page.seq;
        more = page.more ?? false;
      }
    } catch {
      // Only the beginning is missing then; what follows is shown.
    }
    const seen = events.at(-1)?.seq ?? 0;
    const later = (this.#waiting.get(id) ?? []).filter((event) => event.seq > seen);
    this.#waiting.delete(id);
    const told = this.#runs.get(id)?.status;
    this.#reduce(id, [...events, ...later]);
    // That a run is held, or waits for people, no event says.
    const holds = told === "paused" || told === "waiting";
    if (holds && later.every(({ kind }) => !kind.startsWith("run."))) this.#hold(id, told);
  }

  /** Fetch the newest runs until every node has something to show. */
  async #fetchLast(runs: readonly RunView[]): Promise<void> {
    const newest = [...runs].sort((a, b) => b.created_at - a.created_at).slice(0, FIRST_RUNS);
    for (const { id } of newest) {
      if (this.#closed || this.#board.complete) return;
      try {
        await this.view(id);
      } catch {
        return; // Not needed to work; the history fetches it when asked.
      }
    }
  }

  // Taking in.

  /** What only adds to what is under way waits for the frame; all else is taken at once, after what waits. */
  #deliver(events: readonly RunEvent[]): void {
    this.#flow.push(...events);
    const waits =
      hasFrames() && this.#flow.length <= MOST_WAITING && events.every(({ kind }) => FLOWS.has(kind));
    if (!waits) this.#takeFlow();
    else this.#endFrame ??= withFrame(() => this.#takeFlow());
  }

  #takeFlow(): void {
    this.#endFrame?.();
    this.#endFrame = null;
    const events = this.#flow.splice(0);
    if (events.length > 0 && !this.#closed) this.#take(events);
  }

  #take(events: readonly RunEvent[]): void {
    const byRun = new Map<string, RunEvent[]>();
    for (const event of events) {
      const waiting = this.#waiting.get(event.run);
      if (waiting) waiting.push(event);
      else if (byRun.has(event.run)) byRun.get(event.run)?.push(event);
      else byRun.set(event.run, [event]);
    }
    for (const [run, its] of byRun) {
      this.#reduce(run, its);
      const resumed = its.find((event) => event.kind === "run.resumed");
      if (resumed) this.#goOn(run, resumed);
    }
    for (const listener of [...this.#eventListeners]) listener(events);
    const completed = events.filter((event) => event.kind === "run.completed").at(-1);
    if (completed) for (const listener of [...this.#completedListeners]) listener(completed.run);
  }

  /** What was fetched of a run that goes on is out of date; what it keeps may be of before this tab's time. */
  #goOn(id: string, { data }: RunEvent): void {
    this.#views.delete(id);
    const nodes = this.#runs.get(id)?.nodes ?? {};
    const { kept = [] } = (data ?? {}) as { kept?: string[] };
    if (!kept.every((node) => nodes[node])) void this.#fetchBeginning(id);
  }

  #reduce(id: string, events: readonly RunEvent[]): void {
    const [first] = events;
    if (!first) return;
    if (events.some((event) => event.kind === "run.removed")) {
      this.#drop(id);
      return;
    }
    const started = events.find((event) => event.kind === "run.started");
    if (started && !this.#board.knows(id)) {
      const { nodes, reach } = (started.data ?? {}) as { nodes?: string[]; reach?: Reach };
      const partly = reach !== undefined && reach !== "needed" && nodes !== undefined;
      const recipes = partly ? this.#board.recipesOf(new Set(nodes)) : this.#board.recipes;
      this.#board.setMadeFrom(id, recipes, false);
    }
    const known = this.#runs.get(id);
    if (!known) this.#meet(id);
    const stream = known?.stream ?? `canvas:${this.#source.canvas}`;
    this.#put(reduceEvents(known ?? unknownRun(id, stream, first.at), events), known);
    this.#publish();
  }

  /** Learn what a run is that this tab first hears of: by its events, or as it begins to wait in a queue. */
  #meet(id: string): void {
    this.#strangers.add(id);
    this.#meeting ??= setTimeout(() => void this.#askAbout(), MEET_MS);
  }

  async #askAbout(): Promise<void> {
    this.#meeting = null;
    const met = new Set(this.#strangers);
    this.#strangers.clear();
    const request = { canvas: this.#source.canvas, limit: Math.min(MOST_MET, Math.max(PAGE, met.size)) };
    try {
      const { items } = await this.#session.request("runs.find", request);
      if (!this.#closed) this.#heads(items.filter((view) => met.has(view.id)));
    } catch {
      // They stay without a name, and those that wait are not shown.
    }
  }

  #heads(views: readonly RunView[]): void {
    for (const view of views) {
      const known = this.#runs.get(view.id);
      this.#put(withView(known ?? unknownRun(view.id, view.stream, view.created_at), view), known);
    }
    this.#publish();
  }

  #setStatus(id: string, stream: string, status: RunStatus): void {
    if (!this.#runs.has(id) && this.#followers.has(stream)) this.#meet(id);
    this.#hold(id, status);
  }

  #hold(id: string, status: RunStatus): void {
    const run = this.#runs.get(id);
    if (!run || ended(run.status)) return;
    this.#put({ ...run, status }, run);
    this.#publish();
  }

  #put(run: RunState, before: RunState | undefined): void {
    this.#runs.set(run.id, run);
    this.#board.take(run, before);
    const cut = before && !ended(before.status) && run.status === "interrupted";
    if (cut && run.mode !== "live") this.#cut.push(run); // The end of live mode is told as such.
  }

  #setStalled(stream: string, message: string | null): void {
    if (this.#followers.has(stream)) this.stalled.set(message);
  }

  #drop(id: string): void {
    this.#runs.delete(id);
    this.#views.delete(id);
    this.#board.drop(id);
    this.#publish();
  }

  #publish(): void {
    const past = [...this.#runs.values()].sort((a, b) => b.createdAt - a.createdAt);
    this.past.set(past);
    this.current.set(foremost(past));
    if (this.#cut.length > 0) this.interrupted.set(this.#cut.splice(0));
    if (!this.#closed) this.#keeper?.changed();
  }
}

/** The run to look at and to stop: one that goes on, else one that waits its turn or for people, else the newest. */
function foremost(past: readonly RunState[]): RunState | null {
  const open = past.filter((run) => !ended(run.status));
  const going = open.find(({ status }) => status === "running" || status === "paused");
  return going ?? open.find(({ status }) => status === "queued") ?? open[0] ?? past[0] ?? null;
}

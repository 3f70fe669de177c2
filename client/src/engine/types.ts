/** Runs as a tab sees them, and the plugins that are shown them. */
import type { CommentStore } from "../comments";
import type { SharedDocument } from "../document";
import type {
  ErrorBody,
  Json,
  NodeFailure,
  Outputs,
  PortValue,
  RunStatus,
  Spell,
  ValuePage,
} from "../protocol";
import type { Readable } from "../store";
import type { SpellForms } from "./spell_forms";
import type { Streamed } from "./streamed";

/**
 * Where a node stands in a run. `stale`: what it was made from has changed since. `pinned`: its outputs were given
 * by hand. `muted` and `bypassed`: it was left out. `interrupted`: the server ended before the node did.
 */
export type NodeState =
  | "queued"
  | "waiting"
  | "running"
  | "done"
  | "cached"
  | "pinned"
  | "muted"
  | "bypassed"
  | "failed"
  | "skipped"
  | "cancelled"
  | "interrupted"
  | "stale";

/** What holds a node back that could run, or could go on. */
export interface Waiting {
  /** `limit`, `stream` (a slow reader), `wait` (a gate), `debounce`; the server may know others. */
  readonly for: string;
  /** Unix seconds when it goes on, where that is known. */
  readonly until: number | null;
}

/** One line that a node logged. */
export interface LogLine {
  readonly at: number;
  readonly level: string;
  readonly message: string;
}

/** What a node did in a run. Never changed in place. */
export interface NodeRun {
  readonly run: string;
  readonly state: Exclude<NodeState, "stale">;
  /** 0 to 1; null when not known. */
  readonly progress: number | null;
  /** What the node says it is doing, or why it was skipped. */
  readonly message: string | null;
  /** Why it ran, or `cached`. */
  readonly why: string | null;
  /** Unix seconds. */
  readonly startedAt: number | null;
  /** Seconds. */
  readonly duration: number | null;
  readonly outputs: Outputs | null;
  readonly error: NodeFailure | null;
  /** The last 500 lines. */
  readonly logs: readonly LogLine[];
  /** What has been streamed so far, by port. */
  readonly streamed: Readonly<Record<string, Streamed>>;
  /** What holds it back now; a running node waits where its reader is slow. */
  readonly waiting: Waiting | null;
  /** How far a node came that does the same for many items, or again and again. */
  readonly rounds?: Rounds;
}

/** Iterations of one call of a node. */
export interface Rounds {
  readonly done: number;
  /** Null where nobody knows how many there will be. */
  readonly total: number | null;
  readonly failed: number;
}

/** What a node ran inside itself: one iteration, or all of it where there are none. */
export interface Iteration {
  /** From 0; null for a node that runs its body once. */
  readonly index: number | null;
  readonly state: "running" | "done" | "failed";
  /** By path from the iteration: a node of the body, or deeper `sub/inner`. */
  readonly nodes: Readonly<Record<string, NodeRun>>;
}

/** What is known of the inside of a node in one run. */
export interface Inside {
  readonly loading: boolean;
  /** Those that were told, by index. */
  readonly iterations: readonly Iteration[];
  readonly rounds: Rounds | null;
}

/** Follows the inside of a node in one run; `close` it when nobody looks any more. */
export interface InsideView {
  readonly state: Readable<Inside>;
  close(): void;
}

/** One run as far as this tab knows it. Never changed in place. */
export interface RunState {
  readonly id: string;
  readonly stream: string;
  readonly status: RunStatus;
  readonly mode: "once" | "live";
  readonly audience: "shared" | "private";
  readonly user: string | null;
  /** The queue it waits in, or came from. */
  readonly queue: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Ids in graph order. */
  readonly order: readonly string[];
  readonly scope: readonly string[] | null;
  readonly nodes: Readonly<Record<string, NodeRun>>;
  readonly error: ErrorBody | null;
  readonly hashes: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A node's state on the canvas: its last run, or `stale` when that no longer holds. */
export interface NodeStatus {
  readonly state: NodeState;
  /** The last run that touched the node. */
  readonly last: NodeRun;
  /** Why a value that it left in its worker is there no more; it is stale by that alone. */
  readonly gone?: string;
}

/** The run that a replay walks. */
export interface ReplayRun {
  readonly id: string;
  readonly status: RunStatus;
  /** The nodes that failed: a run comes to its end, as `completed`, also where some did. */
  readonly failed: readonly string[];
  /** Whether the run just completed in this tab's sight, rather than being replayed later. */
  readonly live: boolean;
  /** Whether somebody steps through it: nodes come as they ended, when that moment is looked at. */
  readonly stepping?: boolean;
  readonly order: readonly string[];
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** The spell as it was when it ran, where known, else as it is. */
  readonly spell: Spell;
  readonly signal: AbortSignal;
}

/** One node of a replay, as a plugin sees it. */
export interface ReplayStep {
  readonly run: ReplayRun;
  /** The node's id. */
  readonly node: string;
  readonly type: string;
  readonly name: string | null;
  /** What went in, by port: literal values and what came over wires (a list for an input of several wires). */
  readonly inputs: Readonly<Record<string, PortValue>>;
  readonly outputs: Outputs;
  readonly state: "done" | "cached" | "failed" | "skipped";
  readonly error: NodeFailure | null;
  /** Why it ran, or why it was skipped. */
  readonly why: string | null;
  /** Seconds. */
  readonly duration: number | null;
  /** Counts from 0 in graph order. */
  readonly index: number;
  readonly total: number;
  /** Aborted when another replay takes over; a plugin that takes long should stop then. */
  readonly signal: AbortSignal;
  /** Fetch an output whole, also a large one. */
  load(port: string): Promise<Json>;
}

/**
 * What a page registers to be shown runs.
 *
 * `onRunStart`, then `onNode` for every node in graph order, then `onRunEnd`; each may be async and is awaited
 * before the next call to the same plugin. Plugins do not wait for one another. An error is reported in the
 * console panel and stops neither the plugin's next node nor any other plugin. When another replay takes over,
 * `signal` is aborted and no further call comes for the old one (`onRunEnd` included).
 */
export interface Plugin {
  readonly name: string;
  /** `full`: large values are fetched before `onNode`; `preview` (when left out) they stay `{$ref, size, preview}`. */
  readonly values?: "full" | "preview";
  onRunStart?(run: ReplayRun): void | Promise<void>;
  onNode?(step: ReplayStep): void | Promise<void>;
  onRunEnd?(run: ReplayRun): void | Promise<void>;
  /** Called when the plugin is taken out. */
  dispose?(): void;
}

/** An error of a plugin, caught by the engine. */
export interface PluginError {
  readonly plugin: string;
  readonly phase: "onRunStart" | "onNode" | "onRunEnd" | "dispose";
  readonly run: string | null;
  readonly node: string | null;
  readonly error: unknown;
}

/** A line of the console panel. */
export interface ConsoleEntry {
  readonly id: number;
  /** Unix seconds. */
  readonly at: number;
  readonly level: "debug" | "info" | "warning" | "error";
  /** `run` and `node` when the line is about one. */
  readonly run: string | null;
  readonly node: string | null;
  /** Who says it: a node's log, the run, a plugin. */
  readonly source: "log" | "run" | "replay" | "plugin";
  readonly text: string;
}

/** What a replay is showing now; null between replays. */
export interface Highlight {
  readonly run: string;
  readonly node: string;
  readonly index: number;
  readonly total: number;
}

/** What can be seen of a node's output without opening it. */
export interface Preview {
  readonly run: string;
  readonly port: string;
  readonly kind: "text" | "markdown" | "table" | "image" | "plot" | "json" | "nothing";
  /** The value, or its head when `partial`. */
  readonly value: Json;
  readonly partial: boolean;
  /** Bytes of the whole value, when partial. */
  readonly size: number | null;
}

/** What a run takes in beside the nodes it was started for. */
export type Reach = "needed" | "only" | "onward";

/** Why live mode does not do what it should. */
export interface LiveNotice {
  /** `waiting`: it goes on by itself, or after the next edit. `error`: the canvas cannot run as it is. */
  readonly kind: "waiting" | "error";
  readonly message: string;
  /** The node it is about, where it is about one. */
  readonly node: string | null;
}

/** How to start a run of the canvas. */
export interface StartRun {
  inputs?: Record<string, Json>;
  /** These nodes, and what `reach` adds to them. */
  scope?: string[];
  /**
   * `needed` (when left out): and all they need. `only`: nothing else, with what the last run left before them.
   * `onward`: and all that depends on them.
   */
  reach?: Reach;
  mode?: "once" | "live";
  audience?: "shared" | "private";
  onBusy?: "replace" | "queue" | "parallel";
  /** It goes on by itself after the server ended. */
  durable?: boolean;
  /** Where it waits for its turn; then it is durable. */
  queue?: string;
  /** Of those in a queue the higher ones leave first. */
  priority?: number;
}

/** The runs of one canvas. Implemented by `RunStore`. */
export interface Runs {
  /** Per node id: what it shows now. Nodes that never ran have no entry. */
  readonly board: Readable<Readonly<Record<string, NodeStatus>>>;
  /** Why values in workers are there no more, by what stands for them (`$handle`). */
  readonly gone: Readable<Readonly<Record<string, string>>>;
  /** The run in progress, else the newest one; null when the canvas never ran. */
  readonly current: Readable<RunState | null>;
  /** All runs known here, newest first. Those from before may lack nodes until `load`. */
  readonly past: Readable<readonly RunState[]>;
  /** Whether older runs than those in `past` exist on the server. */
  readonly more: Readable<boolean>;
  /** Start a run; resolves with its id once the server has taken it. */
  start(options?: StartRun): Promise<string>;
  /** Stop a run; the current one when no id is given. */
  cancel(run?: string): Promise<void>;
  pause(run?: string): Promise<void>;
  play(run?: string): Promise<void>;
  /** Let one more node of a paused run start; the current run when no id is given. */
  step(run?: string): Promise<void>;
  /** Why results come late: the server cannot store events just now. Null while it can. */
  readonly stalled: Readable<string | null>;
  /** Since when results are shown as this browser kept them (milliseconds since 1970); null once the server spoke. */
  readonly asOf: Readable<number | null>;
  /** Whether this person's live mode is on: each change runs what depends on it. */
  readonly live: Readable<boolean>;
  /** Why live mode waits or cannot run; null while it does, and while it is off. */
  readonly liveNotice: Readable<LiveNotice | null>;
  /** How often live mode was found ended when the connection came back: the server began anew, or waited too long. */
  readonly liveLost: Readable<number>;
  /** Runs that this tab saw under way, and that ended as the server did: those that were last told together. */
  readonly interrupted: Readable<readonly RunState[]>;
  /** Turn live mode on or off; what is in flight goes on. */
  setLive(on: boolean, audience?: "shared" | "private"): Promise<void>;
  /** What a node ran inside itself in a run, by its path: fetched by the page, and followed while it goes on. */
  inside(run: string, node: string): InsideView;
  /** Fetch a run with its outputs. */
  load(run: string): Promise<RunState>;
  /** Fetch the next older runs into `past`. */
  loadOlder(): Promise<void>;
}

/** Replays runs through the plugins. Implemented by `ReplayEngine`. */
export interface Replays {
  /** The run being replayed, if any. */
  readonly replaying: Readable<ReplayRun | null>;
  /** Walk a run through every plugin; resolves at its end, or when another replay took over (then false). */
  replay(run: string): Promise<boolean>;
  /**
   * Show a run as far as these nodes, in graph order: plugins see those that are new, and the run anew where one is
   * gone. Resolves once they saw it.
   */
  stepTo(run: string, nodes: readonly string[]): Promise<void>;
  /** Stop the replay. */
  stop(): void;
}

/** The plugins of this page. Implemented by `PluginRegistry`. */
export interface Plugins {
  readonly names: Readable<readonly string[]>;
  /** The last 100 errors of plugins. */
  readonly errors: Readable<readonly PluginError[]>;
  /** Add a plugin (one of the same name is taken out first); returns the function that takes it out. */
  register(plugin: Plugin): () => void;
}

/** The console plugin's lines. */
export interface ConsoleLines {
  /** The last 5 000 lines. */
  readonly entries: Readable<readonly ConsoleEntry[]>;
  clear(): void;
}

/** The preview plugin: costs nothing for nodes that nobody watches. */
export interface Previews {
  /** The node's outputs to look at, one per port, largest interest first; watch it only while in view. */
  watch(node: string): Readable<readonly Preview[]>;
}

/** What cheap nodes give for an input while it is typed. Nothing is asked while live mode is off. */
export interface Drafts {
  /** By node: its outputs for the draft, until a run brings those of what was committed. */
  readonly outputs: Readable<Readonly<Record<string, Outputs>>>;
  /** Try what an input says so far; `undefined` (nothing to try) only ends the draft before. */
  type(node: string, port: string, value: Json | undefined): void;
  /** The draft is given up: its outputs go at once. */
  drop(): void;
  /** The draft was committed: its outputs stay until the run brings others. */
  settle(): void;
}

/** Which part of a large value is read. */
export interface PageOptions {
  /** Items, fields or characters at most. */
  limit?: number;
  /** A JSON Pointer to what is read by the page; the whole when left out. */
  path?: string;
  /** `reference`: large items and fields stand as `{$ref, size, preview, path}`. */
  parts?: "whole" | "reference";
  /** Of a list: the field of its rows that orders them. */
  sort?: string;
  descending?: boolean;
  /** Of a list: only rows with this text in a cell. */
  filter?: string;
}

/** All that a tab needs for one open canvas; made by `openWorkbench`. */
export interface Workbench {
  readonly document: SharedDocument;
  readonly comments: CommentStore;
  readonly runs: Runs;
  readonly drafts: Drafts;
  readonly replays: Replays;
  readonly plugins: Plugins;
  readonly console: ConsoleLines;
  readonly previews: Previews;
  readonly highlight: Readable<Highlight | null>;
  /** A value whole: a reference is fetched (and kept for a while), any other is returned as it is. */
  value(value: PortValue): Promise<Json>;
  /** A part of a large value. */
  page(hash: string, offset: number, options?: PageOptions): Promise<ValuePage>;
  /** Spells as files. */
  readonly forms: SpellForms;
  close(): void;
}

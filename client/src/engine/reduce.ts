/** What an event makes of a run: pure, and no event is looked at twice (see `StreamFollower`). */
import type { NodeFailure, RunEvent, RunStatus, RunView } from "../protocol";
import { isInside, roundsIn } from "./inside_paths";
import { withChunk } from "./streamed";
import type { LogLine, NodeRun, RunState, Waiting } from "./types";

/** Log lines that are kept of one node. */
const LOG_LINES = 500;

/** A run that nothing is known of but its name. */
export function unknownRun(id: string, stream: string, at: number): RunState {
  return {
    id,
    stream,
    status: "queued",
    mode: "once",
    audience: stream.includes("user:") ? "private" : "shared",
    user: null,
    queue: null,
    createdAt: at,
    startedAt: null,
    endedAt: null,
    order: [],
    scope: null,
    nodes: {},
    error: null,
    hashes: {},
  };
}

/** A node of a run before anything was said of it. */
export function idleNode(run: string): NodeRun {
  return {
    run,
    state: "queued",
    progress: null,
    message: null,
    why: null,
    startedAt: null,
    duration: null,
    outputs: null,
    error: null,
    logs: [],
    streamed: {},
    waiting: null,
  };
}

/** Whether a run has ended. */
export function ended(status: RunStatus): boolean {
  return status !== "queued" && status !== "running" && status !== "paused" && status !== "waiting";
}

/** Whether a run has ended and will not go on: one that was interrupted may. */
function isFinal(status: RunStatus): boolean {
  return ended(status) && status !== "interrupted";
}

/** Return the run after `events` (of this run, in order). Nodes without an event stay the same objects. */
export function reduceEvents(run: RunState, events: readonly RunEvent[]): RunState {
  const nodes: Record<string, NodeRun> = { ...run.nodes };
  let head: RunState = run;
  let touched = false;
  for (const event of events) {
    if (event.node && isInside(event.node)) continue; // Told where somebody looks into its owner: see `InsideRun`.
    if (event.node) {
      nodes[event.node] = reduceNode(nodes[event.node] ?? idleNode(run.id), event);
      touched = true;
    } else {
      head = reduceRun(touched ? { ...head, nodes } : head, event);
      Object.assign(nodes, head.nodes);
    }
  }
  if (touched) head = { ...head, nodes };
  return ended(head.status) ? settle(head) : head;
}

function reduceRun(run: RunState, event: RunEvent): RunState {
  const data = (event.data ?? {}) as {
    nodes?: string[];
    kept?: string[];
    mode?: string;
    order?: string[];
    status?: RunStatus;
    hashes?: RunState["hashes"];
  };
  switch (event.kind) {
    case "run.started":
      return started(run, event.at, data.nodes ?? run.order, data.mode === "live");
    case "run.resumed":
      return resumed(run, data.nodes ?? run.order, new Set(data.kept));
    case "run.completed":
    case "run.failed":
    case "run.cancelled":
      return {
        ...run,
        status: data.status ?? (event.kind.slice("run.".length) as RunStatus),
        endedAt: event.at,
        order: data.order ?? run.order,
        hashes: data.hashes ?? run.hashes,
        error: event.error ? { code: event.error.code, message: event.error.message } : run.error,
      };
    default:
      return run;
  }
}

/** Every node of a run that starts waits for its turn; a live one keeps silent about those that no change reaches. */
function started(run: RunState, at: number, order: readonly string[], live: boolean): RunState {
  const waiting = live ? [] : order.filter((id) => !(id in run.nodes));
  const nodes = { ...Object.fromEntries(waiting.map((id) => [id, idleNode(run.id)])), ...run.nodes };
  return { ...run, status: "running", startedAt: at, order: [...order], nodes };
}

/** A run that goes on: nodes that had ended stay as they are, the others wait for their turn, whatever was said of them. */
function resumed(run: RunState, order: readonly string[], kept: ReadonlySet<string>): RunState {
  const again = order.filter((id) => !kept.has(id));
  const nodes = { ...run.nodes, ...Object.fromEntries(again.map((id) => [id, idleNode(run.id)])) };
  return { ...run, status: "running", endedAt: null, error: null, order: [...order], nodes };
}

/** In a run that has ended no node is under way: it was stopped, or the server ended before it did. */
function settle(run: RunState): RunState {
  const open = Object.entries(run.nodes).filter(([, node]) => OPEN_STATES.has(node.state));
  if (open.length === 0) return run;
  const state = run.status === "interrupted" ? "interrupted" : "cancelled";
  const nodes = { ...run.nodes };
  for (const [id, node] of open) nodes[id] = { ...node, state, progress: null, waiting: null };
  return { ...run, nodes };
}

const OPEN_STATES: ReadonlySet<NodeRun["state"]> = new Set(["queued", "waiting", "running"]);
const CUT_STATES: ReadonlySet<NodeRun["state"]> = new Set([...OPEN_STATES, "cancelled", "interrupted"]);

/** Return the node after an event of its own. */
export function reduceNode(node: NodeRun, event: RunEvent): NodeRun {
  switch (event.kind) {
    case "node.queued":
      return idleNode(node.run);
    case "node.waiting":
      return held(node, event);
    case "node.started":
      // Again after a retry: what the failed attempt streamed does not count.
      return {
        ...node,
        state: "running",
        startedAt: event.at,
        why: event.why ?? null,
        progress: null,
        streamed: {},
        waiting: null,
      };
    case "node.progress":
      return {
        ...going(node),
        progress: typeof event.value === "number" ? event.value : null,
        message: event.message ?? null,
        ...roundsOf(event),
      };
    case "node.log":
      return { ...node, logs: withLine(node.logs, event) };
    case "node.chunk":
      return streaming(node, event);
    case "node.done":
      return {
        ...finished(node, event),
        state: doneState(event.why),
        outputs: event.outputs ?? {},
      };
    case "node.failed":
      return { ...finished(node, event), state: "failed", error: event.error ?? UNKNOWN_FAILURE };
    case "node.skipped":
      return {
        ...finished(node, event),
        state: skippedState(event.why, event.message),
        message: event.message ?? null,
      };
    default:
      return node;
  }
}

function roundsOf(event: RunEvent): Pick<NodeRun, "rounds"> {
  const rounds = roundsIn(event.message);
  return rounds ? { rounds } : {};
}

/** A node that is under way already is held up in the middle: it stays what it is, and waits. */
function held(node: NodeRun, event: RunEvent): NodeRun {
  const data = (event.data ?? {}) as { for?: unknown; until?: unknown };
  const waiting: Waiting = {
    for: typeof data.for === "string" ? data.for : "wait",
    until: typeof data.until === "number" ? data.until : null,
  };
  const state = node.state === "running" && waiting.for === "stream" ? "running" : "waiting";
  return { ...node, state, message: event.message ?? null, waiting };
}

/** A node that says something of its own goes on. */
function going(node: NodeRun): NodeRun {
  if (node.waiting === null) return node;
  return { ...node, state: node.state === "waiting" ? "running" : node.state, message: null, waiting: null };
}

function streaming(node: NodeRun, event: RunEvent): NodeRun {
  const port = event.port ?? "result";
  const next = withChunk(node.streamed[port], event.value ?? null, event.chunks ?? 1, event.at);
  return { ...going(node), streamed: { ...node.streamed, [port]: next } };
}

/** How a node ended that has outputs, by why. What a fork kept of the run before did not run, like what was cached. */
function doneState(why: string | null | undefined): NodeRun["state"] {
  if (why === "kept") return "cached";
  return why === "cached" || why === "pinned" || why === "bypassed" || why === "muted" ? why : "done";
}

/** How a node ended that has none. */
function skippedState(why: string | null | undefined, message: string | null | undefined): NodeRun["state"] {
  const reason = why ?? message;
  return reason === "muted" || reason === "bypassed" ? reason : "skipped";
}

const UNKNOWN_FAILURE: NodeFailure = { code: "unknown", message: "The node failed." };

function finished(node: NodeRun, event: RunEvent): NodeRun {
  return {
    ...node,
    progress: null,
    message: null,
    waiting: null,
    duration: event.duration ?? null,
    why: event.why ?? node.why,
  };
}

function withLine(logs: readonly LogLine[], event: RunEvent): readonly LogLine[] {
  const line = { at: event.at, level: event.level ?? "info", message: event.message ?? "" };
  return [...(logs.length >= LOG_LINES ? logs.slice(1 - LOG_LINES) : logs), line];
}

/** What a run's view says over what is known of it; the nodes are taken over where the view has them whole. */
export function withView(run: RunState, view: RunView): RunState {
  const detailed = Object.keys(view.outputs ?? {}).length > 0 || (view.order?.length ?? 0) > 0;
  const seen: RunState = {
    ...run,
    status: isFinal(run.status) ? run.status : view.status,
    mode: view.mode,
    audience: view.audience,
    user: view.user ?? null,
    queue: view.queue ?? null,
    createdAt: view.created_at,
    startedAt: view.started_at ?? run.startedAt,
    endedAt: view.ended_at ?? run.endedAt,
    scope: view.scope ?? null,
    error: view.error ?? run.error,
    order: detailed && view.order?.length ? view.order : run.order,
    hashes: detailed ? (view.hashes ?? run.hashes) : run.hashes,
    nodes: detailed && ended(view.status) ? nodesOf(run, view) : run.nodes,
  };
  // Of any other end the events tell, and what its nodes came to before it.
  return seen.status === "interrupted" ? settle(seen) : seen;
}

function nodesOf(run: RunState, view: RunView): RunState["nodes"] {
  const ids = new Set([view.outputs, view.errors, view.skipped].flatMap((part) => Object.keys(part ?? {})));
  // Of what did not end the view says nothing, and events may have.
  const cut = Object.entries(run.nodes).filter(([id, { state }]) => !ids.has(id) && CUT_STATES.has(state));
  const nodes: Record<string, NodeRun> = Object.fromEntries(cut);
  for (const id of ids) {
    if (isInside(id)) continue;
    const before = run.nodes[id] ?? idleNode(run.id);
    nodes[id] = {
      ...before,
      state: stateIn(view, id),
      message: view.skipped?.[id] ?? null,
      why: view.why?.[id] ?? before.why,
      duration: view.durations?.[id] ?? before.duration,
      outputs: view.outputs?.[id] ?? null,
      error: view.errors?.[id] ?? null,
    };
  }
  return nodes;
}

function stateIn(view: RunView, id: string): NodeRun["state"] {
  if (view.errors?.[id]) return "failed";
  if (view.skipped?.[id] !== undefined) return skippedState(view.why?.[id], view.skipped[id]);
  return doneState(view.why?.[id]);
}

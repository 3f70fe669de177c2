/** What an event makes of a run: pure, and no event is looked at twice (see `StreamFollower`). */
import type { Json, NodeFailure, PortValue, RunEvent, RunStatus, RunView } from "../protocol";
import { preview } from "../protocol";
import type { LogLine, NodeRun, RunState } from "./types";

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
  };
}

/** Whether a run has ended. */
export function ended(status: RunStatus): boolean {
  return status !== "queued" && status !== "running" && status !== "paused";
}

/** Return the run after `events` (of this run, in order). Nodes without an event stay the same objects. */
export function reduceEvents(run: RunState, events: readonly RunEvent[]): RunState {
  const nodes: Record<string, NodeRun> = { ...run.nodes };
  let head: RunState = run;
  let touched = false;
  for (const event of events) {
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
    mode?: string;
    order?: string[];
    status?: RunStatus;
    hashes?: RunState["hashes"];
  };
  switch (event.kind) {
    case "run.started":
      return started(run, event.at, data.nodes ?? run.order, data.mode === "live");
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

/** In a run that has ended no node is under way. */
function settle(run: RunState): RunState {
  const open = Object.entries(run.nodes).filter(([, node]) => OPEN_STATES.has(node.state));
  if (open.length === 0) return run;
  const nodes = { ...run.nodes };
  for (const [id, node] of open) nodes[id] = { ...node, state: "cancelled", progress: null };
  return { ...run, nodes };
}

const OPEN_STATES: ReadonlySet<NodeRun["state"]> = new Set(["queued", "waiting", "running"]);

function reduceNode(node: NodeRun, event: RunEvent): NodeRun {
  switch (event.kind) {
    case "node.queued":
      return idleNode(node.run);
    case "node.waiting":
      return { ...node, state: "waiting", message: event.message ?? null };
    case "node.started":
      // Again after a retry: what the failed attempt streamed does not count.
      return {
        ...node,
        state: "running",
        startedAt: event.at,
        why: event.why ?? null,
        progress: null,
        streamed: {},
      };
    case "node.progress":
      return {
        ...node,
        progress: typeof event.value === "number" ? event.value : null,
        message: event.message ?? null,
      };
    case "node.log":
      return { ...node, logs: withLine(node.logs, event) };
    case "node.chunk":
      return { ...node, streamed: withChunk(node.streamed, event.port ?? "result", event.value ?? null) };
    case "node.done":
      return {
        ...finished(node, event),
        state: event.why === "cached" ? "cached" : "done",
        outputs: event.outputs ?? {},
      };
    case "node.failed":
      return { ...finished(node, event), state: "failed", error: event.error ?? UNKNOWN_FAILURE };
    case "node.skipped":
      return { ...finished(node, event), state: "skipped", message: event.message ?? null };
    default:
      return node;
  }
}

const UNKNOWN_FAILURE: NodeFailure = { code: "unknown", message: "The node failed." };

function finished(node: NodeRun, event: RunEvent): NodeRun {
  return {
    ...node,
    progress: null,
    message: null,
    duration: event.duration ?? null,
    why: event.why ?? node.why,
  };
}

function withLine(logs: readonly LogLine[], event: RunEvent): readonly LogLine[] {
  const line = { at: event.at, level: event.level ?? "info", message: event.message ?? "" };
  return [...(logs.length >= LOG_LINES ? logs.slice(1 - LOG_LINES) : logs), line];
}

/** Text is joined to the text before; of other values the server sends a list. */
function withChunk(streamed: NodeRun["streamed"], port: string, value: PortValue): NodeRun["streamed"] {
  const head: Json = preview(value);
  const before = streamed[port];
  if (typeof head === "string" && (before === undefined || typeof before === "string")) {
    return { ...streamed, [port]: (before ?? "") + head };
  }
  const items = Array.isArray(head) ? head : [head];
  const list = before === undefined ? [] : typeof before === "string" ? [before] : before;
  return { ...streamed, [port]: [...list, ...items] };
}

/** What a run's view says over what is known of it; the nodes are taken over where the view has them whole. */
export function withView(run: RunState, view: RunView): RunState {
  const detailed = Object.keys(view.outputs ?? {}).length > 0 || (view.order?.length ?? 0) > 0;
  return {
    ...run,
    status: ended(run.status) ? run.status : view.status,
    mode: view.mode,
    audience: view.audience,
    user: view.user ?? null,
    createdAt: view.created_at,
    startedAt: view.started_at ?? run.startedAt,
    endedAt: view.ended_at ?? run.endedAt,
    scope: view.scope ?? null,
    error: view.error ?? run.error,
    order: detailed && view.order?.length ? view.order : run.order,
    hashes: detailed ? (view.hashes ?? run.hashes) : run.hashes,
    nodes: detailed && ended(view.status) ? nodesOf(run, view) : run.nodes,
  };
}

function nodesOf(run: RunState, view: RunView): RunState["nodes"] {
  const ids = new Set([view.outputs, view.errors, view.skipped].flatMap((part) => Object.keys(part ?? {})));
  const nodes: Record<string, NodeRun> = {};
  for (const id of ids) {
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
  if (view.skipped?.[id] !== undefined) return "skipped";
  return view.why?.[id] === "cached" ? "cached" : "done";
}

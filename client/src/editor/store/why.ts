/** The words for how a node stands and why: the canvas, the inspector and the history say the same. */
import type { NodeRun, NodeState, NodeStatus, RunState } from "../../engine/types";
import type { NodeSettings, RunStatus, Spell, SpellEdge } from "../../protocol";
import { statusWords, wentWrong } from "../../runs";
import { incomingEdges } from "./graph";

/** How a node is drawn: as its run says, or as its settings do. */
export type ShownState = NodeState | "streaming" | "unknown";

/** The one word of each state. */
export const STATE_WORDS: Readonly<Record<ShownState, string>> = {
  queued: "Queued",
  waiting: "Waiting",
  running: "Running",
  streaming: "Streaming",
  done: "Done",
  cached: "Cached",
  pinned: "Pinned",
  muted: "Muted",
  bypassed: "Bypassed",
  failed: "Failed",
  skipped: "Skipped",
  cancelled: "Stopped",
  interrupted: "Interrupted",
  stale: "Stale",
  unknown: "Unknown type",
};

/** Below what a node would give for what is being typed. */
export const DRAFT_WORDS = "Preview of what is typed";

/** What a person can be led to: the thing that made a node run, wait or be skipped. */
export type Cause =
  | { readonly kind: "node"; readonly id: string }
  | { readonly kind: "wire"; readonly id: string; readonly node: string; readonly port: string }
  | { readonly kind: "port"; readonly node: string; readonly port: string };

/** Why a node ran or did not. */
export interface Why {
  /** A few words for the node itself; null where its state says all. */
  readonly short: string | null;
  /** A sentence or two. */
  readonly full: string;
  readonly cause: Cause | null;
}

/** What the words need to know of the canvas. */
export interface Surroundings {
  readonly spell: Spell;
  readonly statuses: Readonly<Record<string, Pick<NodeStatus, "state" | "gone"> | undefined>>;
  /** What a node is called on the canvas. */
  title(id: string): string;
}

const UNDER_WAY: ReadonlySet<NodeState> = new Set(["queued", "waiting", "running"]);

/**
 * How a node is to be shown. What its settings say is so at once, without a run: a muted node is muted, and a
 * pinned one has its value. `settings` is left out where a past run is shown; `taken` are the outputs that others
 * take from the node, or all it has.
 */
export function shownState(
  status: Pick<NodeStatus, "state" | "last"> | undefined,
  settings: NodeSettings | undefined,
  taken: readonly string[],
): Exclude<ShownState, "unknown"> | undefined {
  const state = status?.state;
  if (state === undefined || !UNDER_WAY.has(state)) {
    if (settings?.mode === "mute") return "muted";
    if (isPinned(settings, taken)) return "pinned";
    if (settings?.mode === "bypass") return "bypassed";
  }
  return state === "running" && Object.keys(status?.last.streamed ?? {}).length > 0 ? "streaming" : state;
}

/** Whether hands gave all that others take from a node, so that it does not run. */
export function isPinned(settings: NodeSettings | undefined, taken: readonly string[] = []): boolean {
  const pins = settings?.pins;
  if (!pins || settings.mode === "mute" || Object.keys(pins).length === 0) return false;
  return taken.every((output) => output === "error" || output in pins);
}

const WAITS: Readonly<Record<string, readonly [short: string, full: string]>> = {
  limit: ["held back by a limit", "It is ready, and held back by a limit on how often it may be called."],
  stream: ["waits for a slow reader", "It goes on when those that read its stream have caught up."],
  wait: ["waits", "It is ready, and waits for what it was told to wait for."],
  worker: [
    "waits for its worker",
    "It is ready, and waits for its worker: other code runs there, or the worker is being made ready.",
  ],
  debounce: ["until changes pause", "It runs when no change has come for a while, as its settings ask."],
};

const RAN: Readonly<Record<string, readonly [short: string, full: string]>> = {
  new: ["first time", "It ran because nothing was kept of it for these inputs."],
  "not cacheable": ["always runs", "It ran because its outputs are never kept: such a node runs each time."],
  "code changed": ["code changed", "It ran because its own code or type had changed."],
  "packages changed": [
    "packages changed",
    "It ran because the packages that its code runs with had changed: another environment, or other versions.",
  ],
  expired: ["expired", "It ran because what was kept of it had expired."],
  cached: ["nothing changed", "Nothing had changed: its outputs were taken from the last time."],
  kept: ["as last time", "It was not part of this run: what it gave the last time was used."],
  pinned: ["set by hand", "It did not run: its output is pinned to a value."],
  muted: ["muted", "It did not run: it is muted, and nothing leaves it."],
  bypassed: ["bypassed", "It did not run: what came in went on by the outputs that take it."],
};

/** The few words for a node's face; null where its state says all. Needs nothing but the node's own run. */
export function shortWhy(state: ShownState, last: NodeRun | undefined, gone?: string): string | null {
  if (state === "stale") return gone === undefined ? null : goneWords(gone)[0];
  if (state === "waiting" || last?.waiting)
    return WAITS[last?.waiting?.for ?? ""]?.[0] ?? last?.message ?? null;
  if (state === "skipped") return last?.message ?? null;
  if (state === "interrupted") return last?.startedAt == null ? "did not run" : null;
  if (state !== "done" && state !== "cached" && state !== "running" && state !== "streaming") return null;
  return last?.why ? ranWords(last.why)[0] : null;
}

/** What the server says of a node that was left out, with the nodes it speaks of under their titles, not their ids. */
export function withTitles(message: string, { spell, title }: Pick<Surroundings, "spell" | "title">): string {
  return message.replace(OF_NODE, (all, id: string) => (spell.nodes[id] ? `“${title(id)}”` : all));
}

const OF_NODE = /'([^']+)'(?= (?:failed|was skipped|is muted|gave nothing))/g;

/** Say in full why node `id` is as it is, and what made it so. `last` is left out where it never ran. */
export function whyOf(id: string, state: ShownState, last: NodeRun | undefined, around: Surroundings): Why {
  const short = shortWhy(state, last, around.statuses[id]?.gone);
  const why = (full: string, cause: Cause | null = null): Why => ({ short, full, cause });
  switch (state) {
    case "queued":
      return why("It waits for its turn in the run.", unfinishedBefore(id, around));
    case "waiting":
      return waitingWhy(id, last, short, around);
    case "stale":
      return staleWhy(id, short, around);
    case "skipped":
      return skippedWhy(id, last, short, around);
    case "cancelled":
      return why(
        last?.startedAt == null ? "The run ended before its turn." : "The run was stopped meanwhile.",
      );
    case "interrupted":
      return why(
        last?.startedAt == null
          ? "It did not run: the server ended before its turn. Its run can go on, under Runs."
          : "The server ended while it ran. Its run can go on, under Runs.",
      );
    case "failed":
      return why("It failed.", last?.error?.port ? portCause(id, last.error.port, around) : null);
    case "pinned":
    case "muted":
    case "bypassed":
      return why(RAN[state]?.[1] ?? "");
    case "unknown":
      return why("Its type is not installed here.");
    default:
      return last?.waiting ? waitingWhy(id, last, short, around) : ranWhy(id, last, short, around);
  }
}

/** How long until `until` (unix seconds), in words; null when it has come. */
export function countdown(until: number, now: number): string | null {
  const left = Math.ceil(until - now);
  if (left <= 0) return null;
  if (left < 60) return `${left} s`;
  if (left < 3_600) return `${Math.floor(left / 60)} min ${left % 60} s`;
  return `${Math.floor(left / 3_600)} h ${Math.round((left % 3_600) / 60)} min`;
}

function ranWhy(id: string, last: NodeRun | undefined, short: string | null, around: Surroundings): Why {
  if (!last?.why) return { short, full: "", cause: null };
  const port = portOf(last.why);
  return { short, full: ranWords(last.why)[1], cause: port === null ? null : portCause(id, port, around) };
}

/** `input changed (x)` and `triggered (x)` name the port. */
function ranWords(why: string): readonly [short: string, full: string] {
  const known = RAN[why];
  if (known) return known;
  const port = portOf(why);
  if (port !== null && why.startsWith("input changed"))
    return [`“${port}” changed`, `It ran because its input “${port}” had changed.`];
  if (port !== null && why.startsWith("triggered"))
    return [`triggered by “${port}”`, `It ran because something came in at “${port}”.`];
  return [why, `It ran because: ${why}.`];
}

function portOf(why: string): string | null {
  return /^(?:input changed|triggered) \((.+)\)$/s.exec(why)?.[1] ?? null;
}

function waitingWhy(id: string, last: NodeRun | undefined, short: string | null, around: Surroundings): Why {
  const kind = last?.waiting?.for ?? "";
  const known = WAITS[kind]?.[1];
  const said = last?.message;
  const full = [known, said && said !== known ? sentence(said) : null].filter(Boolean).join(" ");
  const reader = kind === "stream" ? readerOf(id, around.spell) : null;
  return { short, full: full || "It waits.", cause: reader };
}

function staleWhy(id: string, short: string | null, around: Surroundings): Why {
  const { gone } = around.statuses[id] ?? {};
  if (gone !== undefined) return { short, full: goneWords(gone)[1], cause: null };
  const origin = firstBefore(id, around, (state, its) => state === "stale" && its?.gone === undefined);
  if (origin === id)
    return { short, full: "It was changed since its last run. Run it again to renew it.", cause: null };
  const full = `“${around.title(origin)}”, which it is made from, was changed since. Run it again to renew it.`;
  return { short, full, cause: { kind: "node", id: origin } };
}

const GONE: Readonly<Record<string, readonly [short: string, full: string]>> = {
  "worker restarted": [
    "its worker started anew",
    "What it gave lived in its worker, which has started anew since. Run the node again to have it there.",
  ],
  "value dropped": [
    "let go by its worker",
    "Its worker let go of what it gave, to have memory for newer values. Run the node again to have it there.",
  ],
};

/** Why a value in a worker is there no more: a few words, and a sentence or two. */
export function goneWords(why: string): readonly [short: string, full: string] {
  return (
    GONE[why] ?? ["value gone", "What it gave is in its worker no more. Run the node again to have it there."]
  );
}

const PASSED_ON: ReadonlySet<NodeState> = new Set(["failed", "skipped", "muted"]);

function skippedWhy(id: string, last: NodeRun | undefined, short: string | null, around: Surroundings): Why {
  const said = last?.message
    ? `It did not run: ${withTitles(last.message, around)}.`
    : "It did not run: nothing came in.";
  const origin = firstBefore(id, around, (state) => PASSED_ON.has(state));
  if (origin !== id) return { short, full: said, cause: { kind: "node", id: origin } };
  const empty = /gave nothing on '(.+)'/s.exec(last?.message ?? "")?.[1];
  const wire = wiresInto(around.spell, id).find(([, edge]) => edge.output === empty);
  const cause: Cause | null = wire ? { kind: "wire", id: wire[0], node: id, port: wire[1].input } : null;
  return { short, full: said, cause };
}

function unfinishedBefore(id: string, around: Surroundings): Cause | null {
  const origin = firstBefore(id, around, (state) => UNDER_WAY.has(state));
  return origin === id ? null : { kind: "node", id: origin };
}

/** Go up the wires as long as `follows` holds; return where that ends, which is `id` itself if nowhere else. */
function firstBefore(
  id: string,
  around: Surroundings,
  follows: (state: NodeState, status: Surroundings["statuses"][string]) => boolean,
): string {
  const seen = new Set([id]);
  for (let at = id; ; ) {
    const next = wiresInto(around.spell, at)
      .map(([, edge]) => edge.source)
      .find(
        (source) =>
          !seen.has(source) && follows(around.statuses[source]?.state ?? "done", around.statuses[source]),
      );
    if (next === undefined) return at;
    seen.add(next);
    at = next;
  }
}

function portCause(id: string, port: string, { spell }: Surroundings): Cause {
  const wire = wiresInto(spell, id).find(([, edge]) => edge.input === port);
  return wire ? { kind: "wire", id: wire[0], node: id, port } : { kind: "port", node: id, port };
}

function readerOf(id: string, spell: Spell): Cause | null {
  const reader = Object.values(spell.edges).find((edge) => edge.source === id)?.target;
  return reader === undefined ? null : { kind: "node", id: reader };
}

function wiresInto(spell: Spell, id: string): readonly (readonly [string, SpellEdge])[] {
  return incomingEdges(spell.edges, id);
}

/** A text that begins and ends as a sentence does. */
export function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}

/** How a run went: the tone of a node's state, and the word. */
export function runWords(run: RunState): { readonly tone: ShownState; readonly word: string } {
  const failures = Object.values(run.nodes).filter((node) => node.state === "failed").length;
  return wordsOfRun(run.status, failures);
}

/** The same of a run whose nodes are not at hand. */
export function wordsOfRun(
  status: RunStatus,
  failedNodes: number | null | undefined,
): { readonly tone: ShownState; readonly word: string } {
  const tone = wentWrong(status, failedNodes) ? "failed" : RUN_TONES[status];
  return { tone, word: statusWords(status, failedNodes) };
}

const RUN_TONES: Readonly<Record<RunStatus, ShownState>> = {
  queued: "queued",
  running: "running",
  paused: "waiting",
  waiting: "waiting",
  completed: "done",
  failed: "failed",
  cancelled: "skipped",
  interrupted: "interrupted",
};

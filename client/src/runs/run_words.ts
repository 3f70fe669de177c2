/** The words for how a run stands, and why it waits. */
import type { RunStatus, RunView } from "../protocol";
import type { RunRow } from "./run_list";

export const STATUSES: readonly RunStatus[] = [
  "queued",
  "running",
  "paused",
  "waiting",
  "completed",
  "failed",
  "cancelled",
  "interrupted",
];

export const STATUS_WORDS: Readonly<Record<RunStatus, string>> = {
  queued: "queued",
  running: "running",
  paused: "paused",
  waiting: "waits for people",
  completed: "completed",
  failed: "failed",
  cancelled: "stopped",
  interrupted: "interrupted",
};

/** How a run stands, in words: of one that came to its end though nodes failed, how many did. */
export function statusWords(status: RunStatus, failedNodes: number | null | undefined): string {
  return wentWrong(status, failedNodes) && status !== "failed"
    ? `failed nodes: ${failedNodes}`
    : STATUS_WORDS[status];
}

/** How long it took, after the words for how it went. */
export function lastedWords(words: string, time: string): string {
  return `${words}${/\d$/.test(words) ? "," : ""} in ${time}`;
}

/** Whether a run failed as people mean it: as a whole, or in some of its nodes. */
export function wentWrong(status: RunStatus, failedNodes: number | null | undefined): boolean {
  return status === "failed" || (status === "completed" && (failedNodes ?? 0) > 0);
}

/** Fields of a queue that say why its runs wait. */
export interface QueueState {
  readonly name: string;
  readonly state: string;
}

/** Why a run that has not ended does not run now; null where it does, or nothing is known. */
export function whyWaits(row: RunRow, queue: QueueState | undefined, now: number): string | null {
  const { view, status } = row;
  if (status === "paused") return "held until somebody lets it go on";
  if (status === "waiting") return "waits for an answer";
  if (status !== "queued") return null;
  if (view?.not_before && view.not_before > now) {
    const again = (view.attempt ?? 1) > 1;
    return `${again ? "tries again" : "starts"} in ${inWords(view.not_before - now)}`;
  }
  if (!view?.queue) return "waits for the run before it";
  if (queue?.state === "paused") return `queue “${view.queue}” is paused`;
  if (typeof view.ahead === "number")
    return view.ahead === 0 ? `next in “${view.queue}”` : `${view.ahead} before it in “${view.queue}”`;
  return `waits in “${view.queue}”`;
}

/** What else is to be said of a run in one line. */
export function factsOf(view: RunView | null): string[] {
  if (!view) return [];
  return [
    ...((view.attempt ?? 1) > 1 ? [`attempt ${view.attempt}`] : []),
    ...(view.durable && !view.queue && !view.trigger ? ["survives a restart"] : []),
    ...(view.queue ? [`queue ${view.queue}`] : []),
    ...(view.priority ? [`priority ${view.priority}`] : []),
    ...(view.trigger ? ["by a schedule"] : []),
    ...(view.forked_from ? ["forked"] : []),
    ...(view.parent ? ["call of a node"] : []),
    ...(view.deadline ? [`until ${new Date(view.deadline * 1000).toLocaleString()}`] : []),
  ];
}

/** A stretch of time, roughly. */
export function inWords(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.round(whole / 60)} min`;
  if (whole < 172_800) return `${Math.round(whole / 3_600)} h`;
  return `${Math.round(whole / 86_400)} days`;
}

/** What somebody sets of a worker, as it is typed: read, checked against what may be set, and asked for. */
import type { Bound, ChangeWorker, NewWorker, OwnLimits, WorkerBounds } from "../protocol/generated";
import { readRequirements, writeRequirements } from "./requirements";
import type { Worker } from "./types";

export type { Bound, WorkerBounds } from "../protocol/generated";

export type LimitName = keyof OwnLimits;

/** The limits, in the order in which they are shown: what each is called, and in what it counts. */
export const LIMITS: readonly { readonly name: LimitName; readonly label: string; readonly unit: string }[] =
  [
    { name: "memory_mb", label: "Memory", unit: "MB" },
    { name: "wall_seconds", label: "Time of a call", unit: "s" },
    { name: "cpu_seconds", label: "CPU time of a call", unit: "s" },
    { name: "processes", label: "Processes and threads", unit: "" },
    { name: "files_mb", label: "Files", unit: "MB" },
  ];

/** The fields of the form, as texts; an empty limit is the server's. */
export interface WorkerDraft {
  readonly name: string;
  /** Calls at once; empty is one. */
  readonly processes: string;
  readonly limits: Readonly<Record<LimitName, string>>;
  /** Whoever edits a canvas may put it there. */
  readonly open: boolean;
  /** As a requirements.txt. */
  readonly requirements: string;
}

/** Faults by field: `name`, `processes`, `requirements`, a limit as `limits.memory_mb`, and "" for all else. */
export type DraftFaults = Readonly<Record<string, string>>;

/** What a worker has set now; of none, what a new one begins with. */
export function draftOf(worker: Worker | null): WorkerDraft {
  const own = worker?.ownLimits ?? {};
  return {
    name: worker?.name ?? "",
    processes: String(worker?.processes ?? 1),
    limits: Object.fromEntries(LIMITS.map(({ name }) => [name, textOf(own[name])])) as WorkerDraft["limits"],
    open: worker?.open ?? true,
    requirements: writeRequirements(worker?.environment.requirements ?? {}).trim(),
  };
}

/** Say what is wrong with a draft; nothing where it can be asked for. */
export function whyNotDraft(draft: WorkerDraft, bounds: WorkerBounds): DraftFaults {
  const faults: Record<string, string> = {};
  if (draft.name.trim() === "") faults.name = "It needs a name";
  const calls = whyNotBound(draft.processes, bounds.processes, "");
  if (calls) faults.processes = calls;
  for (const { name, unit } of LIMITS) {
    const bound = bounds.limits[name];
    const why = bound && whyNotBound(draft.limits[name], bound, unit);
    if (why) faults[`limits.${name}`] = why;
  }
  const [refused] = readRequirements(draft.requirements).refused;
  if (refused) faults.requirements = `Line ${refused.line}, “${refused.text}”: ${refused.why}`;
  return faults;
}

/** Why a text cannot be set; null where it can. Empty leaves it to the server. */
export function whyNotBound(text: string, bound: Bound, unit: string): string | null {
  if (text.trim() === "") return null;
  const value = numberIn(text);
  if (value === null) return "Only digits, as 512";
  if (bound.whole && !Number.isInteger(value)) return "A whole number is needed";
  const inside = value >= bound.least && value <= bound.most && value > 0;
  return inside ? null : `It has to be ${rangeWords(bound, unit)}`;
}

/** `64 to 1,048,576 MB`. */
export function rangeWords({ least, most }: Bound, unit: string): string {
  const end = [most.toLocaleString("en"), unit].filter(Boolean).join(" ");
  return least > 0 ? `${least.toLocaleString("en")} to ${end}` : `more than 0, at most ${end}`;
}

/** What of a new worker is asked for. */
export function newWorkerOf(draft: WorkerDraft): NewWorker {
  return {
    name: draft.name.trim(),
    processes: numberIn(draft.processes) ?? 1,
    limits: limitsOf(draft),
    open: draft.open,
    requirements: requirementsOf(draft),
  };
}

/** What is changed of a worker; a canvas's own has neither requirements nor doors of its own. */
export function changeOf(draft: WorkerDraft, worker: Worker): ChangeWorker {
  const { id, kind } = worker;
  const { name, processes, limits, open, requirements } = newWorkerOf(draft);
  const common = { id, name, processes: processes ?? 1, limits: limits ?? {} };
  return kind === "shared" ? { ...common, open: open ?? false, requirements: requirements ?? {} } : common;
}

function limitsOf({ limits }: WorkerDraft): OwnLimits {
  return Object.fromEntries(
    LIMITS.flatMap(({ name }) => {
      const value = numberIn(limits[name]);
      return value === null ? [] : [[name, value]];
    }),
  );
}

function requirementsOf({ requirements }: WorkerDraft): Record<string, string> {
  return Object.fromEntries(
    readRequirements(requirements).found.map(({ name, specifier }) => [name, specifier]),
  );
}

function textOf(value: number | null | undefined): string {
  return typeof value === "number" ? String(value) : "";
}

/** The number a text says; null where it says none. */
function numberIn(text: string): number | null {
  const plain = text.trim();
  return /^\d+(\.\d+)?$/.test(plain) ? Number(plain) : null;
}

/** The console panel, as a plugin: what nodes logged, what runs did, and what plugins did wrong. */
import { isHandle, isRef, type Json, type PortValue, type RunEvent, type ValueRef } from "../../protocol";
import { Store } from "../../store";
import type { ConsoleEntry, ConsoleLines, Plugin, PluginError, ReplayRun, ReplayStep } from "../types";

const LINES = 5_000;
const VALUE_CHARACTERS = 120;

type Line = Omit<ConsoleEntry, "id">;

/** Writes a line for every node of a replay, in graph order, and the logs of nodes as they come. */
export class ConsolePlugin implements Plugin, ConsoleLines {
  readonly name = "console";
  readonly entries = new Store<readonly ConsoleEntry[]>([]);
  #fresh: ConsoleEntry[] = [];
  #count = 0;

  /** Add a line. */
  write(line: Line): void {
    this.#count += 1;
    this.#fresh.push({ id: this.#count, ...line });
    if (this.#fresh.length === 1) queueMicrotask(() => this.#flush());
  }

  clear = (): void => {
    this.#fresh = [];
    this.entries.set([]);
  };

  /** Write what live events say: logs as they come, and how a run ended. */
  writeEvents(events: readonly RunEvent[]): void {
    for (const event of events) {
      const where = { at: event.at, run: event.run, node: event.node ?? null };
      if (event.kind === "node.log") {
        this.write({ ...where, level: levelOf(event.level), source: "log", text: event.message ?? "" });
      } else if (event.kind === "node.failed") {
        this.write({
          ...where,
          level: "error",
          source: "run",
          text: event.error?.message ?? "The node failed.",
        });
      } else if (event.kind === "run.failed") {
        this.write({
          ...where,
          level: "error",
          source: "run",
          text: event.error?.message ?? "The run failed.",
        });
      } else if (event.kind === "run.cancelled") {
        this.write({
          ...where,
          level: "warning",
          source: "run",
          text: event.message ?? "The run was cancelled.",
        });
      }
    }
  }

  /** Write what a plugin did wrong. */
  writeError({ plugin, phase, run, node, error }: PluginError): void {
    const text = `Plugin ${plugin} failed in ${phase}: ${error instanceof Error ? error.message : String(error)}`;
    this.write({ at: Date.now() / 1000, level: "error", run, node, source: "plugin", text });
  }

  onRunStart(run: ReplayRun): void {
    const how = run.failed.length > 0 ? `Run ended, failed nodes: ${run.failed.length}.` : "Run completed.";
    const text = run.live ? how : `Replay of the run that ended ${when(run.endedAt)}.`;
    const level = run.live && run.failed.length > 0 ? "warning" : "info";
    this.write({ ...replayLine(run.id, null), level, at: run.live ? (run.endedAt ?? now()) : now(), text });
  }

  onNode(step: ReplayStep): void {
    const { state, error, run } = step;
    // A live failure has its line already, from its event.
    if (state === "failed" && run.live) return;
    const level = state === "failed" ? "error" : state === "skipped" ? "warning" : "info";
    const outcome =
      error?.message ?? (state === "skipped" ? (step.why ?? "skipped") : describe(step.outputs));
    const time = step.duration === null ? "" : ` in ${duration(step.duration)}`;
    this.write({ ...replayLine(run.id, step.node), level, text: `${state}${time}: ${outcome}` });
  }

  #flush(): void {
    const fresh = this.#fresh;
    this.#fresh = [];
    if (fresh.length > 0) this.entries.update((entries) => [...entries, ...fresh].slice(-LINES));
  }
}

function replayLine(run: string, node: string | null): Omit<Line, "text"> {
  return { at: now(), level: "info", run, node, source: "replay" };
}

function now(): number {
  return Date.now() / 1000;
}

function when(at: number | null): string {
  return at === null ? "before" : `at ${new Date(at * 1000).toLocaleTimeString()}`;
}

function duration(seconds: number): string {
  return seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${seconds.toFixed(1)} s`;
}

function levelOf(level: string | null | undefined): ConsoleEntry["level"] {
  return level === "debug" || level === "warning" || level === "error" ? level : "info";
}

function describe(outputs: Readonly<Record<string, PortValue>>): string {
  const parts = Object.entries(outputs).map(
    ([port, value]) =>
      `${port} = ${isHandle(value) ? `${value.kind} in the worker` : isRef(value) ? large(value) : short(value)}`,
  );
  return parts.join(", ") || "nothing";
}

function large({ size, preview }: ValueRef): string {
  const kind = Array.isArray(preview) ? "list" : typeof preview === "string" ? "text" : "value";
  return `${kind} of ${Math.ceil(size / 1000).toLocaleString()} kB`;
}

function short(value: Json): string {
  if (Array.isArray(value) && value.length > 3) return `list of ${value.length}`;
  const text = JSON.stringify(value) ?? "null";
  return text.length > VALUE_CHARACTERS ? `${text.slice(0, VALUE_CHARACTERS)}…` : text;
}

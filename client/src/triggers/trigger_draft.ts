/** What is typed into the form of a trigger, and what it means. */
import type { Json } from "../protocol";
import type { NewTrigger, PreviewTrigger } from "../protocol/generated";
import type { Faults } from "./trigger_desk";
import type { Missed, Trigger, TriggerKind } from "./types";
import { inUnits, UNITS } from "./words";

/** One input of the spell: a value as JSON or text, or, with `from`, a path into what came. */
export interface InputDraft {
  readonly port: string;
  readonly from: boolean;
  readonly text: string;
}

export interface TriggerDraft {
  readonly name: string;
  readonly kind: TriggerKind;
  readonly expression: string;
  readonly zone: string;
  readonly count: string;
  readonly unit: string;
  readonly anchor: number | null;
  readonly proof: "signature" | "bearer";
  readonly headers: string;
  readonly url: string;
  readonly pointer: string;
  readonly sent: string;
  readonly canvas: string;
  readonly on: readonly ("completed" | "failed")[];
  readonly missed: Missed;
  readonly overlap: "allow" | "skip";
  readonly queue: string;
  readonly inputs: readonly InputDraft[];
}

/** What each kind brings, as paths begin. */
export const OFFERED: Readonly<Record<TriggerKind, readonly string[]>> = {
  cron: ["due"],
  interval: ["due"],
  webhook: ["body", "headers", "id", "due"],
  poll: ["value", "previous", "due"],
  event: ["outputs", "status", "errors", "run", "canvas", "due"],
};

/** What the form begins with: an existing trigger's, or an empty one's. */
export function triggerDraft(trigger: Trigger | null, zone: string): TriggerDraft {
  const empty: TriggerDraft = {
    name: "",
    kind: "cron",
    expression: "0 9 * * MON-FRI",
    zone,
    count: "1",
    unit: "hour",
    anchor: null,
    proof: "signature",
    headers: "",
    url: "",
    pointer: "",
    sent: "",
    canvas: "",
    on: ["completed"],
    missed: "once",
    overlap: "allow",
    queue: "",
    inputs: [],
  };
  if (!trigger) return empty;
  const { settings } = trigger;
  const every = settings.kind === "interval" || settings.kind === "poll" ? inUnits(settings.every) : null;
  return {
    ...empty,
    name: trigger.name,
    kind: trigger.kind,
    missed: trigger.missed,
    overlap: trigger.run.overlap,
    queue: trigger.run.queue ?? "",
    inputs: Object.entries(trigger.inputs).map(inputDraft),
    ...(every && { count: String(every[0]), unit: every[1] }),
    ...(settings.kind === "cron" && { expression: settings.expression, zone: settings.zone }),
    ...(settings.kind === "interval" && { anchor: settings.anchor }),
    ...(settings.kind === "webhook" && { proof: settings.proof, headers: settings.headers.join(", ") }),
    ...(settings.kind === "poll" && {
      url: settings.url,
      pointer: settings.pointer ?? "",
      sent: Object.entries(settings.headers)
        .map(([name, value]) => `${name}: ${value}`)
        .join("\n"),
    }),
    ...(settings.kind === "event" && { canvas: settings.canvas, on: settings.on }),
  };
}

/** What cannot be right, by field, without asking the server. */
export function whyNotTrigger(draft: TriggerDraft): Faults {
  const faults: Record<string, string> = {};
  if (draft.name.trim() === "") faults.name = "Give it a name";
  if (draft.kind === "interval" || draft.kind === "poll") {
    const least = draft.kind === "poll" ? 10 : 1;
    if (!(seconds(draft) >= least))
      faults.every = `A number, ${least} ${least === 1 ? "second" : "seconds"} at least`;
  }
  if (draft.kind === "poll" && draft.url.trim() === "") faults.url = "Give the address to look at";
  if (draft.kind === "poll" && headersOf(draft.sent) === null)
    faults.headers = "One on each line: Name: value";
  if (draft.kind === "event" && draft.canvas === "") faults.canvas = "Choose a canvas";
  if (draft.kind === "event" && draft.on.length === 0) faults.on = "Choose one at least";
  for (const [place, { port }] of draft.inputs.entries())
    if (!/^[^.\s]+\.[^.\s]+$/.test(port.trim())) faults[`input.${place}`] = "Write it as NODE.PORT";
  return faults;
}

/** What the server is asked to keep. The draft has no fault of its own. */
export function fieldsOf(
  draft: TriggerDraft,
  before: Trigger | null,
): Omit<NewTrigger, "canvas" | "enabled"> {
  return {
    name: draft.name.trim(),
    settings: settingsOf(draft),
    inputs: Object.fromEntries(
      draft.inputs.map(({ port, from, text }) => [
        port.trim(),
        from ? { $from: text.trim() } : jsonOrText(text),
      ]),
    ) as NewTrigger["inputs"] & object,
    run: {
      ...before?.run,
      overlap: draft.overlap,
      queue: draft.queue.trim() || null,
      // These are for runs in a queue alone.
      ...(draft.queue.trim() === "" && { priority: 0, retry: null }),
    },
    missed: draft.missed,
  };
}

/** The settings of which the next times are shown; null where they have none. */
export function timedOf(draft: TriggerDraft): PreviewTrigger["settings"] | null {
  if (draft.kind === "cron" && draft.expression.trim() !== "")
    return { kind: "cron", expression: draft.expression, zone: draft.zone };
  if (draft.kind === "interval" && seconds(draft) >= 1)
    return { kind: "interval", every: seconds(draft), anchor: draft.anchor };
  return null;
}

function settingsOf(draft: TriggerDraft): NewTrigger["settings"] {
  switch (draft.kind) {
    case "cron":
      return { kind: "cron", expression: draft.expression, zone: draft.zone };
    case "interval":
      return { kind: "interval", every: seconds(draft), anchor: draft.anchor };
    case "webhook":
      return { kind: "webhook", proof: draft.proof, headers: draft.headers.split(/[\s,]+/).filter(Boolean) };
    case "poll":
      return {
        kind: "poll",
        url: draft.url.trim(),
        every: seconds(draft),
        pointer: draft.pointer.trim() || null,
        headers: headersOf(draft.sent) ?? {},
      };
    case "event":
      return { kind: "event", canvas: draft.canvas, on: [...draft.on] };
  }
}

function inputDraft([port, value]: [string, unknown]): InputDraft {
  if (typeof value === "object" && value !== null && "$from" in value)
    return { port, from: true, text: String(value.$from) };
  return { port, from: false, text: typeof value === "string" ? textOf(value) : JSON.stringify(value) };
}

/** A text as it is typed: in quotes only where it would be read as something else. */
function textOf(value: string): string {
  return jsonOrText(value) === value ? value : JSON.stringify(value);
}

/** JSON where it is some, else the text itself. */
function jsonOrText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function seconds(draft: TriggerDraft): number {
  const size = UNITS.find(([unit]) => unit === draft.unit)?.[1] ?? 1;
  return draft.count.trim() === "" ? Number.NaN : Number(draft.count) * size;
}

function headersOf(text: string): Record<string, string> | null {
  const found: Record<string, string> = {};
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    const at = line.indexOf(":");
    if (at < 1) return null;
    found[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return found;
}

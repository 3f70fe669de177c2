/** How workers are told to people: their states, what is closed to their code, what they use. */
import type { Layer, WorkerKind, WorkerState } from "./types";

/** The one word of each state, and what it means. */
export const WORKER_STATES: Readonly<Record<WorkerState, readonly [word: string, meaning: string]>> = {
  absent: ["Not running", "It starts when a node needs it."],
  provisioning: ["Installing", "Its packages are being put in place."],
  starting: ["Starting", "Its process is starting."],
  ready: ["Ready", "It waits for work."],
  busy: ["Busy", "It runs code now."],
  stopped: ["Stopped", "Nodes that need it fail until somebody starts it."],
  failed: ["Failed", "It cannot run code until this is put right."],
};

/** The same of a worker whose program runs elsewhere. */
export const EXTERNAL_STATES: typeof WORKER_STATES = {
  ...WORKER_STATES,
  stopped: ["Not connected", "Its nodes fail until its program is started where it lives."],
};

/** States in which something goes on that ends by itself. */
export const UNDER_WAY: ReadonlySet<WorkerState> = new Set(["provisioning", "starting"]);

/** States in which there is a process. */
export const ALIVE: ReadonlySet<WorkerState> = new Set(["starting", "ready", "busy"]);

export const WORKER_KINDS: Readonly<Record<WorkerKind, string>> = {
  canvas: "Of this canvas alone",
  shared: "Shared by several canvases",
  external: "From outside this server",
};

/** What each layer closes, in plain words: while it is in force, and while it is not. */
const LAYERS: Readonly<Record<string, readonly [title: string, on: string, off: string]>> = {
  files: ["Files", "Code sees its own directory only.", "Code can read files of this machine."],
  network: ["Network", "Code reaches granted hosts only.", "Code can reach any address."],
  processes: [
    "Processes",
    "Code can neither see nor signal other processes.",
    "Code can see and signal other processes.",
  ],
  memory: [
    "Memory",
    "All its processes together are held to the limit.",
    "The limit holds for each of its processes alone.",
  ],
};

export interface LayerWords {
  readonly title: string;
  readonly words: string;
}

/** Say what a layer closes, or leaves open and why. */
export function layerWords({ name, on, why }: Layer): LayerWords {
  const [title, closed, open] = LAYERS[name] ?? [
    capital(name.replaceAll("_", " ")),
    "In force.",
    "Not in force.",
  ];
  return { title, words: on ? closed : [open, why && sentence(why)].filter(Boolean).join(" ") };
}

/** Isolation in one line: what is closed, and what is not. */
export function isolationWords(layers: readonly Layer[]): string {
  const named = (on: boolean) => layers.filter((layer) => layer.on === on).map(({ name }) => plain(name));
  const [closed, open] = [named(true), named(false)];
  if (closed.length + open.length === 0) return "Known once it has started";
  if (open.length === 0) return `Closed off: ${closed.join(", ")}`;
  return closed.length === 0 ? "Not closed off at all" : `Not closed off: ${open.join(", ")}`;
}

function plain(name: string): string {
  return (LAYERS[name]?.[0] ?? name.replaceAll("_", " ")).toLowerCase();
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? capital(text) : `${capital(text)}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

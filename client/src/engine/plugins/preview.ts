/** What is shown of nodes' outputs on the canvas, as a plugin. Nodes out of view cost nothing. */
import { isHandle, isRef, type Json, type PortValue, preview } from "../../protocol";
import type { Readable } from "../../store";
import { streamedValue } from "../streamed";
import type { NodeRun, NodeStatus, Plugin, Preview, Previews, ReplayStep } from "../types";

const NOTHING: readonly Preview[] = [];

interface Source {
  readonly run: string;
  readonly values: Readonly<Record<string, PortValue>>;
  /** What `values` was made of, to know it again. */
  readonly from: object;
}

/**
 * Keeps, of each node, where its last outputs are; turns them into previews only when asked by `watch(...).get`,
 * and once for the same outputs. Shows what a run under way has left so far, and during the replay of a past run
 * what that one left.
 */
export class PreviewPlugin implements Plugin, Previews {
  readonly name = "preview";
  readonly #sources = new Map<string, Source>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #watched = new Map<string, Readable<readonly Preview[]>>();

  watch(node: string): Readable<readonly Preview[]> {
    const known = this.#watched.get(node);
    if (known) return known;
    let made: { source: Source; previews: readonly Preview[] } | null = null;
    const watched: Readable<readonly Preview[]> = {
      get: () => {
        const source = this.#sources.get(node);
        if (!source) return NOTHING;
        if (made?.source !== source) made = { source, previews: previewsOf(source) };
        return made.previews;
      },
      subscribe: (listener) => this.#listen(node, listener),
    };
    this.#watched.set(node, watched);
    return watched;
  }

  /** The canvas shows other runs, or further. */
  setBoard(board: Readonly<Record<string, NodeStatus>>, before: Readonly<Record<string, NodeStatus>>): void {
    for (const [node, { last }] of Object.entries(board)) {
      if (last !== before[node]?.last) this.#setRun(node, last);
    }
  }

  onNode(step: ReplayStep): void {
    if (!step.run.live) this.#set(step.node, { run: step.run.id, values: step.outputs, from: step.outputs });
  }

  #setRun(node: string, { run, outputs, streamed }: NodeRun): void {
    const from = outputs ?? streamed;
    const before = this.#sources.get(node);
    if (before?.from === from) return;
    // Until the new run has something to show, the old stays.
    if (outputs === null && Object.keys(streamed).length === 0 && before) return;
    this.#set(node, { run, values: outputs ?? soFar(streamed), from });
  }

  #set(node: string, source: Source): void {
    this.#sources.set(node, source);
    for (const listener of [...(this.#listeners.get(node) ?? [])]) listener();
  }

  #listen(node: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(node) ?? new Set();
    this.#listeners.set(node, listeners);
    const entry = () => listener();
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
      if (listeners.size === 0) this.#listeners.delete(node);
    };
  }
}

/** What is streamed, put together only when somebody looks. */
function soFar(streamed: NodeRun["streamed"]): Readonly<Record<string, PortValue>> {
  const values: Record<string, PortValue> = {};
  for (const [port, stream] of Object.entries(streamed)) {
    Object.defineProperty(values, port, { enumerable: true, get: () => streamedValue(stream) });
  }
  return values;
}

const INTEREST: readonly Preview["kind"][] = [
  "image",
  "plot",
  "table",
  "markdown",
  "text",
  "json",
  "nothing",
];

function previewsOf({ run, values }: Source): readonly Preview[] {
  const previews = Object.entries(values).map(([port, value]): Preview => {
    const head = preview(value);
    return {
      run,
      port,
      kind: kindOf(head),
      value: head,
      partial: isRef(value) || isHandle(value),
      size: isRef(value) || isHandle(value) ? value.size : null,
    };
  });
  return previews.sort((a, b) => INTEREST.indexOf(a.kind) - INTEREST.indexOf(b.kind));
}

/** What a value is, by itself; whether a text is Markdown only its port can tell. */
export function kindOf(value: Json): Preview["kind"] {
  if (value === null) return "nothing";
  if (typeof value === "string") return value.startsWith("data:image/") ? "image" : "text";
  if (typeof value !== "object") return "json";
  if (Array.isArray(value)) return value.length > 0 && value.every(isRecord) ? "table" : "json";
  return typeof value.$schema === "string" && value.$schema.includes("vega-lite") ? "plot" : "json";
}

function isRecord(value: Json): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

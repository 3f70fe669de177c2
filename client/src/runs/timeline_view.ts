/** The timeline of a run: its rows as they are folded, and where times stand on the page. */
import type { RunTimeline, SpanView, TimelineNode } from "../protocol/generated";
import type { Connection } from "../session";
import { Store } from "../store";

/** A row that is shown: `depth` says how many nodes it is inside of. */
export interface ShownRow {
  readonly node: TimelineNode;
  readonly depth: number;
  readonly open: boolean;
}

/** The stretch of time that is drawn, in Unix seconds. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export type Timed =
  | { readonly state: "loading"; readonly run: string }
  | { readonly state: "failed"; readonly run: string; readonly message: string }
  | { readonly state: "open"; readonly run: string; readonly found: RunTimeline };

/** The path of the node that ran the one at a path, without the number of its round; null for one of the canvas. */
export function ownerOf(path: string): string | null {
  const end = path.lastIndexOf("/");
  return end < 0 ? null : path.slice(0, end).replace(/\[\d+\]$/, "");
}

/** The rows to show: those inside a node only where that is open. */
export function shownRows(nodes: readonly TimelineNode[], open: ReadonlySet<string>): ShownRow[] {
  const shown = new Set<string>();
  const rows: ShownRow[] = [];
  for (const node of nodes) {
    const owner = ownerOf(node.node);
    if (owner !== null && !(shown.has(owner) && open.has(owner))) continue;
    shown.add(node.node.replace(/\[\d+\]$/, ""));
    shown.add(node.node);
    rows.push({ node, depth: node.node.split("/").length - 1, open: open.has(node.node) });
  }
  return rows;
}

/** From the run's creation to its end, or to the last thing that is known. */
export function rangeOf(found: RunTimeline, now: number): Range {
  const ends = found.nodes.flatMap(({ spans }) => spans.map((span) => span.end ?? now));
  const to = found.ended_at ?? Math.max(now, ...ends.slice(-1));
  // A run may have waited in its queue for hours: then the drawing begins where it began to run.
  const began = found.started_at ?? found.created_at;
  const from = began - found.created_at > (to - began) * 2 ? began : found.created_at;
  return { from, to: Math.max(to, from + 0.001) };
}

/** Where a span stands, in hundredths of the range. */
export function placeOf(span: SpanView, { from, to }: Range): { left: number; width: number } {
  const share = (at: number) => (Math.min(Math.max(at, from), to) - from) / (to - from);
  const left = share(span.start);
  return { left: left * 100, width: Math.max(0, share(span.end ?? to) - left) * 100 };
}

/** Seconds of a row in each state. */
export function sums(spans: readonly SpanView[], now: number): Readonly<Record<SpanView["state"], number>> {
  const found = { queued: 0, waiting: 0, running: 0 };
  for (const span of spans) found[span.state] += Math.max(0, (span.end ?? now) - span.start);
  return found;
}

/** Reads timelines, one at a time; a further page as long as there is one. */
export class TimelineView {
  readonly now = new Store<Timed | null>(null);
  readonly open = new Store<ReadonlySet<string>>(new Set());
  readonly #session: Connection;

  constructor(session: Connection) {
    this.#session = session;
  }

  async load(run: string): Promise<void> {
    const before = this.now.get();
    const again = before?.run === run && before.state === "open";
    const loading: Timed = again ? before : { state: "loading", run };
    if (!again) this.open.set(new Set());
    this.now.set(loading);
    try {
      const found = await this.#session.request("runs.timeline", { id: run }, { timeout: 30_000 });
      if (this.now.get() === loading) this.now.set({ state: "open", run, found });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (this.now.get() === loading) this.now.set({ state: "failed", run, message });
    }
  }

  toggle(node: string): void {
    const open = new Set(this.open.get());
    if (!open.delete(node)) open.add(node);
    this.open.set(open);
  }

  close(): void {
    this.now.set(null);
  }
}

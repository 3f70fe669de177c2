/** What a person does with the runs of one canvas: find, step through, time, compare, run again. */
import type { Workbench } from "../engine";
import type { RunState } from "../engine/types";
import type { Json, RunView } from "../protocol";
import type { Usage } from "../protocol/generated";
import type { Connection } from "../session";
import { Store } from "../store";
import { Comparison } from "./comparison";
import { QueueDesk } from "./queue_desk";
import { RunList } from "./run_list";
import { Stepper } from "./stepper";
import { TimelineView } from "./timeline_view";

const EVENT_PAGE = 2_000;

/** How a run is begun anew from another. */
export interface Fork {
  /** Nodes that run again, and all that depends on them; from what failed or did not end when left out. */
  readonly from?: readonly string[];
  readonly inputs?: Readonly<Record<string, Json>>;
  /** The spell as it was then, or as it is now. */
  readonly spell?: "then" | "now";
}

/** What is shown below the canvas. */
export type Dock = "timeline" | "compare" | null;

export class RunDesk {
  readonly list: RunList;
  readonly stepper = new Stepper();
  readonly comparison: Comparison;
  readonly timeline: TimelineView;
  readonly queues: QueueDesk;
  /** The queue that this person put a run into last. */
  readonly lastQueue = new Store<string | null>(null);
  readonly dock = new Store<Dock>(null);
  readonly #session: Connection;
  readonly #workbench: Workbench;

  /** `everybody`: queues show the runs of all, as administrators see them. */
  constructor(session: Connection, workbench: Workbench, everybody = false) {
    this.#session = session;
    this.#workbench = workbench;
    this.list = new RunList(session, workbench.document.canvas, workbench.runs);
    this.comparison = new Comparison(session);
    this.timeline = new TimelineView(session);
    this.queues = new QueueDesk(session, everybody);
  }

  /** Step through a run from its beginning. */
  async stepThrough(run: RunState): Promise<void> {
    this.#workbench.replays.stop();
    await this.stepper.open(run, async (after_seq) => {
      const page = await this.#session.request("runs.events", { id: run.id, after_seq, limit: EVENT_PAGE });
      return { events: page.events as never, seq: page.seq, more: page.more ?? false };
    });
  }

  showTimeline(run: string): Promise<void> {
    this.dock.set("timeline");
    return this.timeline.load(run);
  }

  compare(before: string, after: string): Promise<void> {
    this.dock.set("compare");
    return this.comparison.open(before, after);
  }

  closeDock(): void {
    this.dock.set(null);
    this.timeline.close();
    if (this.comparison.now.get()?.state !== "choosing") this.comparison.close();
  }

  /** Let an interrupted run go on where it was. */
  resume(id: string): Promise<RunView> {
    return this.#session.request("runs.resume", { id }) as Promise<RunView>;
  }

  /** Begin a new run with what another left. */
  fork(id: string, how: Fork = {}): Promise<RunView> {
    const { from, inputs, spell } = how;
    return this.#session.request("runs.fork", {
      id,
      ...(from ? { from: [...from] as [string, ...string[]] } : {}),
      ...(inputs ? { inputs: { ...inputs } as never } : {}),
      ...(spell ? { spell } : {}),
    }) as Promise<RunView>;
  }

  async cancel(id: string): Promise<void> {
    await this.#session.request("runs.cancel", { id });
    await this.list.load();
  }

  async remove(id: string): Promise<void> {
    await this.#session.request("runs.remove", { id });
    this.list.drop(id);
  }

  inputs(id: string, node: string) {
    return this.#session.request("runs.inputs", { id, node });
  }

  usage(by: Usage["by"], canvas?: string): Promise<Usage> {
    return this.#session.request("runs.usage", { by, ...(canvas ? { canvas } : {}) });
  }
}

/** What a canvas did inside the last run of the canvas through which one came to it. */
import type { RunView } from "../protocol";
import type { Connection } from "../session";
import { InsideRun } from "./inside_run";
import { ended } from "./reduce";
import type { InsideView } from "./types";

/** A node of a canvas through which one went. */
interface Step {
  readonly canvas: string;
  readonly node: string;
}

const EVENTS = 500;

/** A run, and the node in it whose inside this canvas is. */
export interface ParentRun {
  readonly canvas: string;
  readonly run: RunView;
  /** The node's path in that run: `outer/inner` where the run began further out. */
  readonly node: string;
}

/**
 * The newest run in which the canvas at the end of a way ran: of the canvas that uses it, or of one that uses that.
 * Null where none is to be seen.
 */
export async function parentRun(session: Connection, way: readonly Step[]): Promise<ParentRun | null> {
  const found = await Promise.all(
    way.map(async (step, index): Promise<ParentRun | null> => {
      const { items } = await session.request("runs.find", { canvas: step.canvas, limit: 1 });
      const path = way.slice(index).map(({ node }) => node);
      return items[0] ? { canvas: step.canvas, run: items[0], node: path.join("/") } : null;
    }),
  );
  const runs = found.filter((each) => each !== null);
  return runs.sort((a, b) => b.run.created_at - a.run.created_at)[0] ?? null;
}

/** Read what ran inside the node. Nobody tells of other canvases' runs here: it is how that was when it was asked. */
export function insideOfParent(session: Connection, { run, node }: ParentRun): InsideView {
  return new InsideRun(run.id, node, {
    page: (after_seq) => session.request("runs.events", { id: run.id, node, after_seq, limit: EVENTS }),
    onEvents: () => () => {},
    onOpened: () => () => {},
  });
}

/** Whether more may come of it. */
export function goesOn({ run }: ParentRun): boolean {
  return !ended(run.status);
}

/** Values that stayed in workers and are there no more, as the server tells of them. */

import { isHandle } from "../protocol";
import type { Connection } from "../session";
import { Store } from "../store";
import type { NodeRun } from "./types";

/** Values that are asked about at once at most. */
const MOST = 1_000;

/** Why values are gone, by what stands for them (`$handle`): told while they go, and asked for after a lost connection. */
export class GoneValues {
  readonly known = new Store<Readonly<Record<string, string>>>({});
  readonly #session: Connection;

  constructor(session: Connection) {
    this.#session = session;
  }

  /** Follow what the server tells; returns what ends it. */
  open(): () => void {
    return this.#session.on("values.gone", ({ why, values }) =>
      this.add(Object.fromEntries(values.map(({ handle }) => [handle, why]))),
    );
  }

  /** Take over which values are gone; what is gone stays so. */
  add(gone: Readonly<Record<string, string>> | null | undefined): void {
    const known = this.known.get();
    const fresh = Object.entries(gone ?? {}).filter(([handle]) => !(handle in known));
    if (fresh.length > 0) this.known.set({ ...known, ...Object.fromEntries(fresh) });
  }

  /** Ask the server which of these are gone, for it told so while nobody listened. */
  async ask(handles: Iterable<string>): Promise<void> {
    const known = this.known.get();
    const open = [...new Set(handles)].filter((handle) => !(handle in known)).slice(0, MOST);
    if (open.length === 0) return;
    try {
      this.add((await this.#session.request("cache.gone", { handles: open })).gone);
    } catch {
      // Reading such a value says it as well; the next connection asks again.
    }
  }
}

const handles = new WeakMap<NodeRun, readonly string[]>();

/** What stands for the values that a node left in a worker; of the same run of a node the same list. */
export function handlesOf(node: NodeRun): readonly string[] {
  let found = handles.get(node);
  if (!found) {
    found = Object.values(node.outputs ?? {}).flatMap((value) => (isHandle(value) ? [value.$handle] : []));
    handles.set(node, found);
  }
  return found;
}

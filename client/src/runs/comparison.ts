/** Two runs beside each other. */
import type { NodeComparison, RunComparison } from "../protocol/generated";
import type { Connection } from "../session";
import { Store } from "../store";

export type Mark = NodeComparison["what"];

/** What is compared, and how far that is. */
export type Comparing =
  | { readonly state: "choosing"; readonly before: string }
  | { readonly state: "loading"; readonly before: string; readonly after: string }
  | { readonly state: "failed"; readonly before: string; readonly after: string; readonly message: string }
  | {
      readonly state: "open";
      readonly before: string;
      readonly after: string;
      readonly found: RunComparison;
      /** By node. */
      readonly marks: Readonly<Record<string, Mark>>;
    };

/** Compares one pair of runs at a time: the first is chosen, then the one to compare it with. */
export class Comparison {
  readonly now = new Store<Comparing | null>(null);
  readonly #session: Connection;

  constructor(session: Connection) {
    this.#session = session;
  }

  /** Choose the run that is compared with the one chosen next. */
  choose(before: string): void {
    this.now.set({ state: "choosing", before });
  }

  async open(before: string, after: string): Promise<void> {
    const loading: Comparing = { state: "loading", before, after };
    this.now.set(loading);
    try {
      const found = await this.#session.request("runs.compare", { id: before, other: after });
      if (this.now.get() !== loading) return;
      const marks = Object.fromEntries(found.nodes.map(({ node, what }) => [node, what]));
      this.now.set({ state: "open", before, after, found, marks });
    } catch (error) {
      if (this.now.get() !== loading) return;
      const message = error instanceof Error ? error.message : String(error);
      this.now.set({ state: "failed", before, after, message });
    }
  }

  close(): void {
    this.now.set(null);
  }
}

export const MARK_WORDS: Readonly<Record<Mark, string>> = {
  same: "same",
  changed: "changed",
  before: "only before",
  after: "only after",
};

/** Why a node came out otherwise, in a few words; empty where nothing of its own differs. */
export function reasons(node: NodeComparison): string[] {
  return [
    ...(node.code_changed ? ["code changed"] : []),
    ...(node.settings_changed ? ["settings changed"] : []),
    ...(node.inputs_changed.length > 0 ? [`given otherwise: ${node.inputs_changed.join(", ")}`] : []),
  ];
}

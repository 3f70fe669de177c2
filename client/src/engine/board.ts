/** What each node on the canvas shows: its last run, and whether that still holds. */
import type { Spell } from "../protocol";
import { Store } from "../store";
import { handlesOf } from "./gone_values";
import { type Recipes, recipesOf, sameRecipes } from "./stale";
import type { NodeRun, NodeStatus, RunState } from "./types";

const SETTLED: ReadonlySet<NodeRun["state"]> = new Set([
  "done",
  "cached",
  "pinned",
  "muted",
  "bypassed",
  "failed",
  "skipped",
]);

interface Shown {
  readonly node: NodeRun;
  /** When the run of `node` was created. */
  readonly createdAt: number;
}

/**
 * Merges the runs of a canvas into one picture: a node shows the newest run that touched it. A node that was
 * queued by a run that was stopped before its turn shows what it showed before; by one that was interrupted, that
 * it did not run: nobody meant that.
 */
export class Board {
  readonly statuses = new Store<Readonly<Record<string, NodeStatus>>>({});
  readonly #shown = new Map<string, Shown>();
  readonly #settled = new Map<string, Shown>();
  /** Run id -> what its nodes were made from. */
  readonly #madeFrom = new Map<string, Recipes>();
  /** Why values in workers are there no more. */
  #gone: Readonly<Record<string, string>> = {};
  #spell: Spell;
  #recipes: Recipes;

  constructor(spell: Spell) {
    this.#spell = spell;
    this.#recipes = recipesOf(spell);
  }

  /** The recipes of the canvas as it is now. */
  get recipes(): Recipes {
    return this.#recipes;
  }

  /** The recipes of a run that takes in just `running`: all else stands as it was made last. */
  recipesOf(running: ReadonlySet<string>): Recipes {
    return recipesOf(this.#spell, (id) => {
      const shown = running.has(id) ? undefined : this.#shown.get(id);
      return shown && this.#madeFrom.get(shown.node.run)?.get(id);
    });
  }

  /** Whether it is known what a run's nodes are made from. */
  knows(run: string): boolean {
    return this.#madeFrom.has(run);
  }

  /** Whether every node of the canvas has something to show. */
  get complete(): boolean {
    return Object.keys(this.#spell.nodes).every((id) => this.#shown.has(id));
  }

  /** The canvas was edited. */
  setSpell(spell: Spell): void {
    const same = sameRecipes(this.#spell, spell);
    this.#spell = spell;
    if (same) return;
    this.#recipes = recipesOf(spell);
    this.#publish();
  }

  /** Remember what a run's nodes are made from; `known` is not overruled by a later guess. */
  setMadeFrom(run: string, recipes: Recipes, known: boolean): void {
    if (!known && this.#madeFrom.has(run)) return;
    this.#madeFrom.set(run, recipes);
    if (known) this.#publish();
  }

  /** What the nodes of these runs were made from, where that is known. */
  madeFrom(runs: readonly string[]): [run: string, recipes: Recipes][] {
    return runs.flatMap((run): [string, Recipes][] => {
      const recipes = this.#madeFrom.get(run);
      return recipes ? [[run, recipes]] : [];
    });
  }

  /** Take over what a run's nodes did. */
  take(run: RunState, before: RunState | undefined): void {
    for (const [id, node] of Object.entries(run.nodes)) {
      if (node === before?.nodes[id]) continue;
      const shown = this.#shown.get(id);
      if (shown && shown.node.run !== run.id && shown.createdAt > run.createdAt) continue;
      this.#show(id, { node, createdAt: run.createdAt });
    }
    this.#publish();
  }

  /** Values in workers are there no more. */
  setGone(gone: Readonly<Record<string, string>>): void {
    this.#gone = gone;
    this.#publish();
  }

  /** What stands for the values in workers that nodes show. */
  handles(): string[] {
    return [...this.#shown.values()].flatMap(({ node }) => handlesOf(node));
  }

  /** Forget a run that is no longer kept. */
  drop(run: string): void {
    for (const map of [this.#shown, this.#settled]) {
      for (const [id, { node }] of map) if (node.run === run) map.delete(id);
    }
    this.#madeFrom.delete(run);
    this.#publish();
  }

  #show(id: string, fresh: Shown): void {
    const neverRan = fresh.node.state === "cancelled" && fresh.node.startedAt === null;
    const settled = this.#settled.get(id);
    const next = neverRan && settled ? settled : fresh;
    this.#shown.set(id, next);
    if (SETTLED.has(next.node.state)) this.#settled.set(id, next);
  }

  #publish(): void {
    const before = this.statuses.get();
    const after: Record<string, NodeStatus> = {};
    let changed = false;
    for (const id of Object.keys(this.#spell.nodes)) {
      const shown = this.#shown.get(id);
      if (!shown) continue;
      const fresh = this.#statusOf(id, shown.node);
      const old = before[id];
      const same = old && old.last === fresh.last && old.state === fresh.state && old.gone === fresh.gone;
      after[id] = same ? old : fresh;
      if (after[id] !== old) changed = true;
    }
    if (changed || Object.keys(before).length !== Object.keys(after).length) this.statuses.set(after);
  }

  #statusOf(id: string, last: NodeRun): NodeStatus {
    if (this.#isStale(id, last)) return { state: "stale", last };
    const gone = SETTLED.has(last.state) && handlesOf(last).find((handle) => handle in this.#gone);
    return gone ? { state: "stale", last, gone: this.#gone[gone] ?? "" } : { state: last.state, last };
  }

  #isStale(id: string, node: NodeRun): boolean {
    if (!SETTLED.has(node.state)) return false;
    const made = this.#madeFrom.get(node.run)?.get(id);
    return made !== undefined && made !== this.#recipes.get(id);
  }
}

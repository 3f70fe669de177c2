/** Walks the graph of a finished run over its cached outputs, through the page's plugins. */
import { isRef, type Json, type PortValue, type RunView, type Spell } from "../protocol";
import { type Readable, Store } from "../store";
import type { PluginRegistry } from "./plugin_registry";
import { orderOf, stepsOf, wholeSpell, withFullValues } from "./steps";
import type { Plugin, PluginError, ReplayRun, ReplayStep, Replays } from "./types";

/** Where the engine finds runs and values. */
export interface ReplaySource {
  /** A run with its outputs. */
  view(run: string): Promise<RunView>;
  /** The canvas as it is, for runs that do not say what they ran. */
  readonly spell: Readable<Spell>;
  /** A value whole. */
  load(value: PortValue): Promise<Json>;
}

interface Walk {
  readonly run: ReplayRun;
  readonly steps: readonly ReplayStep[];
}

/** A run that is stepped through: which of its nodes the plugins were shown. */
interface Stepped {
  readonly walk: Promise<Walk>;
  readonly id: string;
  readonly signal: AbortSignal;
  readonly shown: Set<string>;
  /** Done when the plugins saw all that was to be shown so far. */
  tail: Promise<void>;
}

/**
 * See `Replays`.
 *
 * Every plugin walks the whole graph by itself, so that a slow or hanging one holds up no other. One replay goes
 * on at a time: a newer one aborts the older. A plugin that is registered later is shown the last run at once.
 */
export class ReplayEngine implements Replays {
  readonly replaying = new Store<ReplayRun | null>(null);
  readonly #plugins: PluginRegistry;
  readonly #source: ReplaySource;
  readonly #end: () => void;
  #abort: AbortController | null = null;
  #last: Walk | null = null;
  #stepped: Stepped | null = null;

  constructor(plugins: PluginRegistry, source: ReplaySource) {
    this.#plugins = plugins;
    this.#source = source;
    this.#end = plugins.onAdded((plugin) => {
      const walk = this.#last;
      if (walk && !walk.run.signal.aborted) void this.#show(plugin, walk);
    });
  }

  replay(run: string): Promise<boolean> {
    return this.#replay(run, false);
  }

  /** Replay a run that has just completed. */
  completed(run: string): Promise<boolean> {
    return this.#replay(run, true);
  }

  stepTo(run: string, nodes: readonly string[]): Promise<void> {
    const wanted = new Set(nodes);
    const before = this.#stepped;
    const goesOn =
      before?.id === run && !before.signal.aborted && [...before.shown].every((node) => wanted.has(node));
    const stepped = goesOn ? before : this.#beginStepping(run);
    const fresh = nodes.filter((node) => !stepped.shown.has(node));
    for (const node of fresh) stepped.shown.add(node);
    const begins = !goesOn;
    stepped.tail = stepped.tail.then(async () => {
      const walk = await stepped.walk;
      await Promise.all(
        this.#plugins.all.map((plugin) => this.#showPart(plugin, walk, new Set(fresh), begins)),
      );
    });
    return stepped.tail;
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#stepped = null;
    this.replaying.set(null);
  }

  close(): void {
    this.stop();
    this.#end();
  }

  #beginStepping(id: string): Stepped {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.replaying.set(null);
    const walk = this.#source.view(id).then((view) => this.#walk(view, false, abort.signal, true));
    this.#stepped = { walk, id, signal: abort.signal, shown: new Set(), tail: Promise.resolve() };
    return this.#stepped;
  }

  async #replay(id: string, live: boolean): Promise<boolean> {
    this.#abort?.abort();
    this.#stepped = null;
    const abort = new AbortController();
    this.#abort = abort;
    this.replaying.set(null);
    const view = await this.#source.view(id);
    if (abort.signal.aborted) return false;
    const walk = this.#walk(view, live, abort.signal);
    this.#last = walk;
    this.replaying.set(walk.run);
    await Promise.all(this.#plugins.all.map((plugin) => this.#show(plugin, walk)));
    if (abort.signal.aborted) return false;
    this.replaying.set(null);
    return true;
  }

  #walk(view: RunView, live: boolean, signal: AbortSignal, stepping = false): Walk {
    const spell = view.spell ? wholeSpell(view.spell) : this.#source.spell.get();
    const run: ReplayRun = {
      id: view.id,
      status: view.status,
      failed: Object.keys(view.errors ?? {}),
      live,
      ...(stepping ? { stepping } : {}),
      order: orderOf(view, spell),
      startedAt: view.started_at ?? null,
      endedAt: view.ended_at ?? null,
      spell,
      signal,
    };
    return { run, steps: stepsOf(run, view, (value) => this.#source.load(value)) };
  }

  /** Show one plugin some nodes of a run that is stepped through, the end with the last. Never rejects. */
  async #showPart(plugin: Plugin, walk: Walk, nodes: ReadonlySet<string>, begins: boolean): Promise<void> {
    const { run, steps } = walk;
    const over = () => run.signal.aborted || !this.#plugins.has(plugin);
    const call = (phase: PluginError["phase"], node: string | null, work: () => void | Promise<void>) =>
      this.#call(plugin, { phase, node, run: run.id }, run.signal, work);
    if (over()) return;
    if (begins && plugin.onRunStart) await call("onRunStart", null, () => plugin.onRunStart?.(run));
    for (const step of plugin.onNode ? steps.filter(({ node }) => nodes.has(node)) : []) {
      if (over()) return;
      await call("onNode", step.node, () => this.#showStep(plugin, step, over));
    }
    const last = steps.at(-1)?.node;
    if (!over() && last !== undefined && nodes.has(last) && plugin.onRunEnd)
      await call("onRunEnd", null, () => plugin.onRunEnd?.(run));
  }

  /** Show one plugin the whole walk. Never rejects. */
  async #show(plugin: Plugin, { run, steps }: Walk): Promise<void> {
    const call = (phase: PluginError["phase"], node: string | null, work: () => void | Promise<void>) =>
      this.#call(plugin, { phase, node, run: run.id }, run.signal, work);
    const over = () => run.signal.aborted || !this.#plugins.has(plugin);
    if (plugin.onRunStart) await call("onRunStart", null, () => plugin.onRunStart?.(run));
    for (const step of plugin.onNode ? steps : []) {
      if (over()) return;
      await call("onNode", step.node, () => this.#showStep(plugin, step, over));
    }
    if (!over() && plugin.onRunEnd) await call("onRunEnd", null, () => plugin.onRunEnd?.(run));
  }

  /** Large values are fetched first where the plugin wants them; one that cannot be stays a reference. */
  #showStep(plugin: Plugin, step: ReplayStep, over: () => boolean): void | Promise<void> {
    if (plugin.values !== "full" || !hasRefs(step)) return plugin.onNode?.(step);
    const failed = (error: unknown) =>
      this.#plugins.report({
        plugin: plugin.name,
        phase: "onNode",
        run: step.run.id,
        node: step.node,
        error,
      });
    return withFullValues(step, this.#source.load, failed).then((whole) => {
      if (!over()) return plugin.onNode?.(whole);
    });
  }

  /** Call a plugin; settles when it does, or when the replay is over. */
  async #call(
    plugin: Plugin,
    where: Pick<PluginError, "phase" | "node" | "run">,
    signal: AbortSignal,
    work: () => void | Promise<void>,
  ): Promise<void> {
    const report = (error: unknown) => {
      if (!signal.aborted) this.#plugins.report({ plugin: plugin.name, ...where, error });
    };
    try {
      const called = work();
      if (called instanceof Promise) await unlessAborted(signal, called.catch(report));
    } catch (error) {
      report(error);
    }
  }
}

/** Wait for `work`, but no longer than until the signal is aborted. */
function unlessAborted(signal: AbortSignal, work: Promise<void>): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      signal.removeEventListener("abort", end);
      resolve();
    };
    signal.addEventListener("abort", end);
    void work.then(end);
  });
}

function hasRefs({ inputs, outputs }: ReplayStep): boolean {
  return [inputs, outputs].some((values) =>
    Object.values(values).some((value) => isRef(value) || (Array.isArray(value) && value.some(isRef))),
  );
}

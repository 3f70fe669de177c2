/** The plugins of this page. */
import { Store } from "../store";
import type { Plugin, PluginError, Plugins } from "./types";

const ERRORS = 100;

/** See `Plugins`. Plugins are told of a run in the order they were registered. */
export class PluginRegistry implements Plugins {
  readonly names = new Store<readonly string[]>([]);
  readonly errors = new Store<readonly PluginError[]>([]);
  readonly #plugins = new Map<string, Plugin>();
  readonly #addedListeners = new Set<(plugin: Plugin) => void>();

  /** The plugins as they are now. */
  get all(): readonly Plugin[] {
    return [...this.#plugins.values()];
  }

  register(plugin: Plugin): () => void {
    if (typeof plugin?.name !== "string" || plugin.name === "") {
      throw new TypeError("A plugin must be an object with a name.");
    }
    this.#remove(plugin.name);
    this.#plugins.set(plugin.name, plugin);
    this.#tell();
    for (const listener of [...this.#addedListeners]) listener(plugin);
    return () => {
      if (this.#plugins.get(plugin.name) === plugin) this.#remove(plugin.name);
    };
  }

  /** Whether this very plugin is registered. */
  has(plugin: Plugin): boolean {
    return this.#plugins.get(plugin.name) === plugin;
  }

  /** Call `listener` with each plugin that is added from now on. */
  onAdded(listener: (plugin: Plugin) => void): () => void {
    this.#addedListeners.add(listener);
    return () => {
      this.#addedListeners.delete(listener);
    };
  }

  /** Keep an error of a plugin. */
  report(error: PluginError): void {
    this.errors.update((errors) => [...errors.slice(1 - ERRORS), error]);
  }

  /** Take out all plugins. */
  close(): void {
    for (const name of [...this.#plugins.keys()]) this.#remove(name);
  }

  #remove(name: string): void {
    const plugin = this.#plugins.get(name);
    if (!plugin) return;
    this.#plugins.delete(name);
    try {
      plugin.dispose?.();
    } catch (error) {
      this.report({ plugin: name, phase: "dispose", run: null, node: null, error });
    }
    this.#tell();
  }

  #tell(): void {
    this.names.set([...this.#plugins.keys()]);
  }
}

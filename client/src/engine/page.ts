/** What scripts and extensions of the page find at `window.spellwork`. */
import type { CanvasDocument } from "../document";
import type { Connection } from "../session";
import { PluginRegistry } from "./plugin_registry";
import type { Plugin, RunState, Workbench } from "./types";

/**
 * The page's own interface to the open canvas, for the browser's console and for extensions.
 *
 * Plugins belong to the page: they stay when another canvas is opened.
 */
export class SpellworkPage {
  readonly plugins = new PluginRegistry();
  #workbench: Workbench | null = null;
  #session: Connection | null = null;

  /** The open canvas; null when none is. */
  get workbench(): Workbench | null {
    return this.#workbench;
  }

  /** The shared document of the open canvas. */
  get document(): CanvasDocument | null {
    return (this.#workbench?.document as CanvasDocument | undefined) ?? null;
  }

  /** The connection to the server. */
  get session(): Connection | null {
    return this.#session;
  }

  /** The runs of the open canvas, newest first. */
  get runs(): readonly RunState[] {
    return this.#workbench?.runs.past.get() ?? [];
  }

  /** Add a plugin (see the README of `src/engine`); returns the function that takes it out. */
  registerPlugin = (plugin: Plugin): (() => void) => this.plugins.register(plugin);

  /** Replay a run of the open canvas through all plugins; the newest one when no id is given. */
  replay = (run?: string): Promise<boolean> => {
    const id = run ?? this.runs[0]?.id;
    if (!this.#workbench || !id)
      return Promise.reject(new Error("There is no run to replay: open a canvas and run it."));
    return this.#workbench.replays.replay(id);
  };

  /** Stop the replay. */
  stop = (): void => this.#workbench?.replays.stop();

  /** Called by the workbench that was opened. */
  show(workbench: Workbench, session: Connection): void {
    this.#workbench = workbench;
    this.#session = session;
  }

  /** Called by the workbench that was closed. */
  hide(workbench: Workbench): void {
    if (this.#workbench === workbench) this.#workbench = null;
  }
}

/** This page's interface, also as `window.spellwork`. */
export const spellwork = new SpellworkPage();

declare global {
  interface Window {
    spellwork: SpellworkPage;
  }
}

if (typeof window !== "undefined") window.spellwork = spellwork;

/** The state of one open editor that is nobody else's: selection, panels, what is being drawn. */
import type { Workbench } from "../../engine";
import type { NodeRun, RunState } from "../../engine/types";
import type { Pair, User } from "../../protocol";
import { Store } from "../../store";
import { Commenting } from "./commenting";
import { framesAround } from "./folding";
import { Following } from "./following";
import { Insides } from "./insides";
import type { NodeLibrary, PortFilter } from "./library";
import { Toasts } from "./toasts";

/** One end of a wire that is being drawn. */
export interface WireEnd extends PortFilter {
  readonly node: string;
  readonly port: string;
}

/** What the palette was opened for. */
export interface PaletteRequest {
  /** `add` lists node types; `all` also commands and what is on the canvas. */
  readonly mode: "add" | "all";
  /** Where a chosen node goes, in canvas units; the middle of the view when left out. */
  readonly at?: Pair;
  /** The wire that was dropped: only types it fits are listed, and it is connected. */
  readonly wire?: WireEnd;
}

/** Where a context menu is open, in pixels of the page, and on what. */
export interface MenuRequest {
  readonly x: number;
  readonly y: number;
  readonly target: { kind: "canvas" } | { kind: "node" | "edge" | "group" | "note"; id: string };
}

export type SidePanel =
  | "library"
  | "outline"
  | "comments"
  | "history"
  | "tests"
  | "schedules"
  | "versions"
  | "worker";

/** `auto` shows the inspector while a node or a wire is selected, and leaves its room to the canvas otherwise. */
export type InspectorMode = "auto" | "open" | "closed";

const NOTHING: ReadonlySet<string> = new Set();

/** What the canvas offers to the rest of the editor; set while it is mounted. */
export interface CanvasView {
  center(): Pair;
  toCanvas(x: number, y: number): Pair;
  fit(ids?: readonly string[]): void;
  zoom(step: 1 | -1): void;
  /** Bring a place into the middle of the view, near enough to read there. */
  fly(to: Pair): void;
}

function isNarrow(): boolean {
  return globalThis.innerWidth !== undefined && globalThis.innerWidth < 1000;
}

function remembered(key: string, fallback: string): string {
  try {
    return localStorage.getItem(`spellwork.${key}`) ?? fallback;
  } catch {
    return fallback;
  }
}

/** One open editor. Everything in it is a store, so that a change renders only what reads it. */
export class Editor {
  readonly toasts = new Toasts();
  readonly commenting: Commenting;
  /** Ids of selected nodes, edges, groups and notes. */
  readonly selection = new Store<ReadonlySet<string>>(NOTHING);
  /** Panels are closed at first on a narrow page, where they would hide the canvas. */
  readonly panel = new Store<SidePanel | null>(
    isNarrow() ? null : (remembered("panel", "library") as SidePanel | null),
  );
  readonly inspector = new Store<InspectorMode>(isNarrow() ? "closed" : "auto");
  readonly console = new Store(false);
  readonly shortcuts = new Store(false);
  readonly find = new Store(false);
  readonly share = new Store(false);
  /** Whether the copies of refused work are listed. */
  readonly copies = new Store(false);
  readonly privately = new Store(false);
  readonly palette = new Store<PaletteRequest | null>(null);
  readonly menu = new Store<MenuRequest | null>(null);
  readonly connecting = new Store<WireEnd | null>(null);
  /** A past run whose states are on the canvas instead of the present ones. */
  readonly viewing = new Store<RunState | null>(null);
  /** The node whose name, or the note whose text, is being typed on the canvas. */
  readonly renaming = new Store<string | null>(null);
  /** The node whose code editor takes the focus as soon as it is there. */
  readonly writing = new Store<string | null>(null);
  /** The line of a node's code that is to be shown. */
  readonly pointed = new Store<{ readonly node: string; readonly line: number } | null>(null);
  /** How nodes stand in the iteration of their owner that is looked at. */
  readonly overlay = new Store<Readonly<Record<string, NodeRun>>>({});
  /** What is looked at of what nodes run inside themselves. */
  readonly insides: Insides;
  /** Folded frames that this tab looks into, while they stay folded for all. */
  readonly opened = new Store<ReadonlySet<string>>(NOTHING);
  readonly following: Following;
  view: CanvasView | null = null;

  constructor(
    readonly workbench: Workbench,
    readonly library: NodeLibrary,
    readonly user: User,
  ) {
    this.following = new Following(workbench.document, () => workbench.document.awareness.clientID);
    this.commenting = new Commenting(workbench.comments, this);
    this.insides = new Insides(workbench.runs);
    this.panel.subscribe(() => {
      try {
        localStorage.setItem("spellwork.panel", this.panel.get() ?? "");
      } catch {
        // A browser that keeps nothing still edits well.
      }
    });
  }

  get document() {
    return this.workbench.document;
  }

  select(ids: Iterable<string>): void {
    const next = new Set(ids);
    const before = this.selection.get();
    if (next.size === before.size && [...next].every((id) => before.has(id))) return;
    this.selection.set(next);
  }

  /** Select one thing and bring it into view; folded frames around it are looked into. */
  reveal(id: string): void {
    const spell = this.document.spell.get();
    const thing = spell.nodes[id] ?? spell.notes[id] ?? spell.groups[id];
    const folded = framesAround(spell, thing?.group).filter((frame) => spell.groups[frame]?.collapsed);
    const shut = folded.filter((frame) => !this.opened.get().has(frame));
    this.select([id]);
    if (shut.length === 0) {
      this.view?.fit([id]);
      return;
    }
    this.opened.set(new Set([...this.opened.get(), ...shut]));
    requestAnimationFrame(() => this.view?.fit([id])); // Once it is drawn.
  }

  /** Whether the inspector is to be seen now. */
  inspectorShown(): boolean {
    const mode = this.inspector.get();
    return mode === "open" || (mode === "auto" && this.#isInspectable());
  }

  /** Show what is selected, or the canvas itself. */
  showInspector(): void {
    this.inspector.set(this.#isInspectable() ? "auto" : "open");
  }

  /** Whether the selection has something to be told about: nodes, or one wire. */
  #isInspectable(): boolean {
    const [only, ...more] = this.selection.get();
    const isWire = only !== undefined && more.length === 0 && this.document.spell.get().edges[only];
    return Boolean(isWire) || this.selectedNodes().length > 0;
  }

  /** Open the code of a node, to be written in. */
  writeCode(id: string): void {
    this.select([id]);
    this.showInspector();
    this.writing.set(id);
  }

  toggleInspector(): void {
    if (this.inspectorShown()) this.inspector.set("closed");
    else this.showInspector();
  }

  /** Ids of the nodes among what is selected. */
  selectedNodes(): string[] {
    const { nodes } = this.document.spell.get();
    return [...this.selection.get()].filter((id) => nodes[id]);
  }

  togglePanel(panel: SidePanel): void {
    this.panel.update((open) => (open === panel ? null : panel));
  }
}

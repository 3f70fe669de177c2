/** What others may use of a shared canvas document. Implemented by `CanvasDocument`. */
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import type { RefusedWork } from "../offline";
import type {
  ErrorBody,
  Json,
  NodeSettings,
  Pair,
  Ports,
  Problem,
  Role,
  Spell,
  SpellEdge,
  SpellJson,
  SpellTest,
  Transform,
} from "../protocol";
import type { Readable } from "../store";

export type { RefusedWork } from "../offline";

/** Whether the document is there. Once `open` it stays so through lost connections. */
export type Loading =
  | { readonly state: "loading" }
  | { readonly state: "open" }
  | { readonly state: "failed"; readonly error: ErrorBody };

/** Whether this tab's edits are durable on the server; never says `saved` before the server did. */
export type SaveStatus =
  | { readonly state: "saved" }
  | { readonly state: "saving"; readonly pending: number }
  /**
   * Not connected (or the server's store refuses for now). Of the `pending` edits, `unkept` are in this tab only;
   * the others are kept in the browser, durably.
   */
  | {
      readonly state: "offline";
      readonly pending: number;
      readonly unkept: number;
      readonly reason: string;
    }
  /** All else is saved, but the server refused edits: they are undone here, and kept as `refused` copies. */
  | { readonly state: "rejected"; readonly copies: number; readonly error: ErrorBody }
  | { readonly state: "read-only"; readonly reason: string };

/** Somebody who looks at the canvas, one per tab. */
export interface Person {
  readonly clientId: number;
  readonly user: string;
  readonly name: string;
  readonly color: string;
  /** Where the pointer is, in canvas units; null when away. */
  readonly cursor: Pair | null;
  /** Ids of what is selected. */
  readonly selection: readonly string[];
  /** The node, group or note that the person is writing in. */
  readonly editing: string | null;
  /** What of it: `code`, `name`, `text`, `settings`, or `input NAME`. */
  readonly field: string | null;
  /** What of the canvas the person sees. */
  readonly view: ViewBox | null;
  /** Whether the tab is hidden. */
  readonly away: boolean;
  /** The client whose view this one follows. */
  readonly following: number | null;
  /** Where the person is dragging things just now. */
  readonly drag: Readonly<Record<string, Pair>> | null;
}

/** A part of the canvas: left, top, width and height, in canvas units. */
export type ViewBox = readonly [x: number, y: number, width: number, height: number];

/** What this tab tells of itself; what is left out stays. */
export interface OwnPresence {
  cursor?: Pair | null;
  selection?: readonly string[];
  editing?: string | null;
  field?: string | null;
  view?: ViewBox | null;
  away?: boolean;
  following?: number | null;
  drag?: Readonly<Record<string, Pair>> | null;
}

/** Who this tab is to the others. */
export interface Self {
  readonly id: string;
  readonly name: string;
  readonly color?: string;
}

/** What a node is made with. */
export interface NewNode {
  type: string;
  position: Pair;
  version?: number;
  name?: string;
  inputs?: Record<string, Json>;
  /** Give `""` for a node type with a language, so that its text is there to edit together. */
  code?: string;
  settings?: NodeSettings;
  size?: Pair;
  group?: string;
}

/** What a frame is made with. */
export interface NewGroup {
  name?: string;
  position: Pair;
  size: Pair;
  color?: string;
  group?: string;
}

/** What a note is made with. */
export interface NewNote {
  text?: string;
  position: Pair;
  size?: Pair;
  color?: string;
  group?: string;
}

/** What a test is made with. */
export type NewTest = Partial<SpellTest>;

/** What of a test is by key. */
export type TestPart = "inputs" | "record" | "expect";

/** What a paste brought in. */
export interface Pasted {
  readonly nodes: readonly string[];
  readonly edges: readonly string[];
  readonly groups: readonly string[];
  readonly notes: readonly string[];
}

/** How to paste. */
export interface PasteOptions {
  /** Where the top left corner of what is pasted goes; else 32 units down and right of where it was. */
  at?: Pair;
  /** Also connect the copies to what the originals were fed by (where it still exists). */
  keepIncoming?: boolean;
}

/** What can be undone and redone by this person. */
export interface History {
  readonly undo: boolean;
  readonly redo: boolean;
}

/** A part of a text that is replaced: from where to where in the old text. */
export interface TextPart {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** What a renaming comes to. */
export interface Renaming {
  readonly name: string;
  readonly to: string;
  /** The parts of each node's code that change, in their order. */
  readonly code: Readonly<Record<string, readonly TextPart[]>>;
  /** The ports between which wires lie then. */
  readonly wires: Readonly<Record<string, { readonly output: string; readonly input: string }>>;
}

/**
 * The edits a person can make. Each is one transaction and one step of undo (edits within 400 ms join, except
 * after `checkpoint`). Unknown ids are ignored: somebody may have just removed the thing. On a read-only
 * document every edit is ignored.
 */
export interface Edits {
  addNode(node: NewNode, id?: string): string;
  /** Remove nodes, edges, groups or notes by id, and the wires of removed nodes. */
  remove(ids: Iterable<string>): void;
  /** Set one literal input, or clear it with `undefined`. */
  setInput(node: string, port: string, value: Json | undefined): void;
  /** Name a node, or clear the name with null. */
  setName(node: string, name: string | null): void;
  /** Let a node be of a version of its type, as it is; null is the newest. */
  setVersion(node: string, version: number | null): void;
  /** Change some settings of a node; `undefined` or null clears one. */
  setSettings(
    node: string,
    settings: { [K in keyof NodeSettings]?: NodeSettings[K] | null | undefined },
  ): void;
  /** Make the node's code `code` by the smallest change. */
  setCode(node: string, code: string): void;
  /** Give a name of code another, in every cell that reads it, on the wires, values and pins. */
  renameInCode(renaming: Renaming): void;
  /** Move nodes, groups and notes to new positions. */
  move(positions: Readonly<Record<string, Pair>>): void;
  /** Give a node, group or note a size. */
  resize(id: string, size: Pair, position?: Pair): void;
  /**
   * Draw a wire; unless `many`, it replaces the one that ended there. Returns its id (the present one's if equal,
   * which takes over the transforms that are given).
   */
  connect(edge: SpellEdge, options?: { many?: boolean }): string;
  /** Say what a wire does to a value on its way, in order. */
  setTransform(edge: string, transform: readonly Transform[]): void;
  disconnect(edges: Iterable<string>): void;
  /** Put a frame around `members` (nodes, notes or groups). */
  addGroup(group: NewGroup, members?: Iterable<string>, id?: string): string;
  /** Change a frame's name or colour, or whether it is drawn as one box. */
  setGroup(id: string, change: { name?: string; color?: string | null; collapsed?: boolean | null }): void;
  /** Put things into a frame, or out of any with null. */
  assign(members: Iterable<string>, group: string | null): void;
  addNote(note: NewNote, id?: string): string;
  setNote(id: string, change: { text?: string; color?: string | null }): void;
  /** Add a test of the spell. */
  addTest(test: NewTest, id?: string): string;
  /** Change a test's name, time-out (seconds) or whether it calls what has side effects. */
  setTest(id: string, change: { name?: string; timeout?: number | null; live?: boolean | null }): void;
  /** Set one input, recorded node or expectation of a test; null takes it away. */
  setInTest<P extends TestPart>(id: string, part: P, key: string, value: SpellTest[P][string] | null): void;
  removeTest(id: string): void;
  /** Require a package, in some versions (`""` for any), or no longer with null. */
  setRequirement(name: string, version: string | null): void;
  /** Name the spell. */
  rename(name: string): void;
  /** The chosen things as plain JSON text, with the wires between them and into them. */
  copy(ids: Iterable<string>): string;
  /** Put copied things (or any spell as JSON text) on the canvas, under new ids; throws a PasteError on other text. */
  paste(text: string, options?: PasteOptions): Pasted;
  /** Copy and paste in one, without the clipboard. */
  duplicate(ids: Iterable<string>, options?: PasteOptions): Pasted;
  /** Do several edits as one transaction and one step of undo. */
  together<T>(work: () => T): T;
}

/** A canvas shared with others, its sync with the server, and who is there. */
export interface SharedDocument extends Edits {
  readonly canvas: string;
  readonly loading: Readable<Loading>;
  readonly spell: Readable<Spell>;
  readonly saving: Readable<SaveStatus>;
  /** Counts up each time the Y.Doc is replaced: rebuild whatever is bound to `doc`, `awareness` or `history`. */
  readonly generation: Readable<number>;
  readonly role: Readable<Role | null>;
  /** Whether this tab may edit now. */
  readonly editable: Readable<boolean>;
  /** Why edits do not outlive this tab while they are not saved; null when the browser keeps them. */
  readonly keepTrouble: Readable<string | null>;
  /** Copies of work that the server refused, oldest first; they stay until they are discarded. */
  readonly refused: Readable<readonly RefusedWork[]>;
  /** Forget a refused copy. */
  discard(id: string): Promise<void>;
  readonly problems: Readable<readonly Problem[]>;
  /** Ports of the nodes whose ports are dynamic, by node id. */
  readonly ports: Readable<Readonly<Record<string, Ports>>>;
  /** The others, without this tab. */
  readonly people: Readable<readonly Person[]>;
  /** Tell the others what this tab does; left-out fields stay. */
  setPresence(presence: OwnPresence): void;
  readonly history: Readable<History>;
  undo(): void;
  redo(): void;
  /** End the current step of undo: the next edit is a step of its own. */
  checkpoint(): void;
  /** The shared text of a node's code, for y-codemirror; null when the node has none. */
  codeText(node: string): Y.Text | null;
  /** The shared text of a note; null when there is no such note. */
  noteText(note: string): Y.Text | null;
  /** The document itself, of this generation. */
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly undoManager: Y.UndoManager;
  /** The spell as a file has it. */
  toJson(): SpellJson;
  /** Wait until every edit made so far is durable on the server; rejects when it was refused. */
  saved(): Promise<void>;
  /** Leave the canvas. What is not acknowledged is sent once more; what the server does not take stays kept. */
  close(): void;
}

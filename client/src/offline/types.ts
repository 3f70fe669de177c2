/** What a browser keeps of canvases, so that closing a tab loses nothing. */
import type { ErrorBody, Role, SpellJson } from "../protocol";

/** Work that the server refused, for the person to keep as a copy or to discard. */
export interface RefusedWork {
  readonly id: string;
  readonly canvas: string;
  /** The server's code and message. */
  readonly error: ErrorBody;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The whole spell with the refused edits in it. */
  readonly spell: SpellJson;
  /** Ids of the things that the refused edits touched. */
  readonly touched: readonly string[];
}

/** What is known of a canvas besides its content. */
export interface KeptHead {
  readonly epoch: string;
  readonly role: Role;
  readonly name: string;
  /** When the canvas was last open here; milliseconds since 1970. */
  readonly at: number;
}

/** An edit that the server has not acknowledged. Keys grow: an edit builds only on those with smaller keys. */
export interface KeptEdit {
  readonly key: number;
  /** The tab that sends it. */
  readonly tab: string;
  readonly update: Uint8Array;
}

/** All that is kept of one canvas for one user. */
export interface KeptCanvas {
  readonly head: KeptHead | null;
  /** What the server has acknowledged or sent, as Yjs updates. */
  readonly acked: readonly Uint8Array[];
  /** In the order of their keys. */
  readonly edits: readonly KeptEdit[];
  /** Oldest first. */
  readonly refused: readonly RefusedWork[];
}

/** One change of what is kept; all of it or nothing is written. */
export interface KeptChange {
  /** The epoch that the updates belong to; where the store has another by now, nothing is written. */
  readonly epoch: string;
  readonly head?: KeptHead;
  readonly acked?: readonly Uint8Array[];
  readonly add?: readonly { readonly tab: string; readonly update: Uint8Array }[];
  readonly remove?: readonly number[];
  /** Edits that were done again on another state. */
  readonly replace?: readonly { readonly key: number; readonly update: Uint8Array }[];
  readonly refuse?: readonly RefusedWork[];
}

/** What is kept of one canvas for one user. Every method rejects with a KeepError when the browser does not keep. */
export interface CanvasStore {
  load(): Promise<KeptCanvas>;
  /** Resolves with the keys of `add`, once all is durable; rejects with `other_epoch` when the life is another. */
  write(change: KeptChange): Promise<readonly number[]>;
  /** Write a change as the page ends: at once and without an answer, best effort; see `LastWords`. */
  leave(change: KeptChange): void;
  /** Give the edits of `tabs` to another tab, once: of two that ask, one gets them. */
  adopt(tabs: (tab: string) => boolean, by: string): Promise<readonly KeptEdit[]>;
  /** Forget content, edits and results, and keep `refuse`; only where the epoch still is `epoch` (null: any). */
  forget(epoch: string | null, refuse?: readonly RefusedWork[]): Promise<void>;
  /** Forget a refused copy. */
  discard(id: string): Promise<void>;
  /** Results of runs, as the run store wrote them; null when there are none. */
  loadResults(): Promise<unknown>;
  saveResults(results: unknown): Promise<void>;
}

/** What would be lost if a user's part of the store were cleared. */
export interface Unsent {
  readonly edits: number;
  readonly copies: number;
  readonly canvases: number;
}

/** What a browser keeps, for all its users. */
export interface BrowserStore {
  /** Why nothing outlives this tab; null when the browser keeps what is written. */
  readonly trouble: string | null;
  canvas(user: string, canvas: string): CanvasStore;
  /** The canvases that can be opened without the server, by id. */
  openable(user: string): Promise<ReadonlyMap<string, KeptHead>>;
  refused(user: string): Promise<readonly RefusedWork[]>;
  unsent(user: string): Promise<Unsent>;
  /** Forget all of a user. */
  clear(user: string): Promise<void>;
  /** Drop acknowledged content of canvases that were not open since `before` (ms), beyond the newest `most`. */
  evict(before: number, most: number): Promise<void>;
  /** Small facts of the page, such as who was signed in. */
  remember(name: string, value: unknown): Promise<void>;
  recall(name: string): Promise<unknown>;
}

/** The tabs of one browser that have a canvas open. */
export interface TabLine {
  /** This tab. */
  readonly id: string;
  /** Resolves once the others can tell that this tab lives. */
  readonly ready: Promise<void>;
  /** Tabs that live, this one included; null where the browser cannot tell. */
  alive(): Promise<ReadonlySet<string> | null>;
  /** Call `then` once when a tab is gone, however it went; never where the browser cannot tell. */
  whenGone(tab: string, then: () => void): void;
  /** Tell the other tabs. */
  send(message: unknown): void;
  listen(listener: (message: unknown) => void): void;
  close(): void;
}

/** What this page uses of its browser. */
export interface Browser {
  readonly store: Promise<BrowserStore>;
  line(user: string, canvas: string): TabLine;
}

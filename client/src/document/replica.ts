/** One life of the shared document in this tab, and all that is bound to it. */
import * as Y from "yjs";
import type { Spell } from "../protocol";
import { LOCAL } from "./edits";
import { Presence, type PresenceOptions } from "./presence";
import { REDONE } from "./salvage";
import { KINDS, root } from "./shape";
import { Snapshot } from "./snapshot";
import { keepSound } from "./sound_undo";
import type { History, Self } from "./types";

/** Marks transactions that came from the server: they are not sent back. */
export const SERVER = Symbol("from the server");
/** Marks transactions that came from this browser's store, or from another of its tabs: those are sent by others. */
export const KEPT = Symbol("from this browser");
const NOT_MADE_HERE: ReadonlySet<unknown> = new Set([SERVER, KEPT, REDONE]);

const CAPTURE_MS = 400;

/** What a replica tells its owner. */
export interface ReplicaOptions {
  self: Self;
  presence: PresenceOptions;
  /** What was shown before; kept until the replica has content of its own. */
  before: Spell;
  spell(spell: Spell): void;
  /** An edit was made here (also by undo). */
  edited(update: Uint8Array): void;
  history(history: History): void;
}

/** A Y.Doc with its undo manager, snapshot and presence; thrown away as a whole when the server's state wins. */
export class Replica {
  readonly doc = new Y.Doc();
  readonly undoManager: Y.UndoManager;
  readonly snapshot: Snapshot;
  readonly presence: Presence;
  /** The canvas's life that this replica belongs to; null until it was opened. */
  epoch: string | null = null;

  /** `clientId` is a fresh one unless the server was already told of it. */
  constructor(options: ReplicaOptions, clientId?: number) {
    if (clientId !== undefined) this.doc.clientID = clientId;
    const roots = [...KINDS, "meta" as const, "requirements" as const].map((kind) => root(this.doc, kind));
    this.undoManager = new Y.UndoManager(roots, {
      trackedOrigins: new Set([LOCAL]),
      captureTimeout: CAPTURE_MS,
    });
    const tell = () =>
      options.history({ undo: this.undoManager.canUndo(), redo: this.undoManager.canRedo() });
    keepSound(this.doc, this.undoManager, tell);
    this.snapshot = new Snapshot(this.doc, options.before, options.spell);
    this.presence = new Presence(this.doc, options.self, options.presence);
    this.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (!NOT_MADE_HERE.has(origin)) options.edited(update);
    });
    for (const change of ["stack-item-added", "stack-item-popped", "stack-cleared"] as const) {
      this.undoManager.on(change, tell);
    }
  }

  /** Apply edits that were not made here. */
  apply(updates: Iterable<Uint8Array>, origin: typeof SERVER | typeof KEPT = SERVER): void {
    this.doc.transact(() => {
      for (const update of updates) Y.applyUpdate(this.doc, update, origin);
    }, origin);
  }

  /** Whether edits are waiting for others that never came. */
  get gap(): boolean {
    return this.doc.store.pendingStructs !== null || this.doc.store.pendingDs !== null;
  }

  get stateVector(): Uint8Array {
    return Y.encodeStateVector(this.doc);
  }

  /** Whether this replica has what a server of that state vector lacks; of deletions that does not tell. */
  isAheadOf(stateVector: Uint8Array): boolean {
    return isAhead(this.doc, stateVector);
  }

  close(): void {
    this.snapshot.close();
    this.presence.close();
    this.undoManager.destroy();
    this.doc.destroy();
  }
}

/** What of `updates` a server of that state vector lacks; null when that is nothing. */
export function lackedBy(stateVector: Uint8Array, updates: readonly Uint8Array[]): Uint8Array | null {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  const lacked = isAhead(doc, stateVector) ? Y.encodeStateAsUpdate(doc, stateVector) : null;
  doc.destroy();
  return lacked;
}

function isAhead(doc: Y.Doc, stateVector: Uint8Array): boolean {
  const theirs = Y.decodeStateVector(stateVector);
  const ours = Y.decodeStateVector(Y.encodeStateVector(doc));
  return [...ours].some(([client, clock]) => clock > (theirs.get(client) ?? 0));
}

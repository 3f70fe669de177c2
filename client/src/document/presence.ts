/** Who else is on the canvas, and what this tab tells them of itself. */
import * as decoding from "lib0/decoding";
import {
  Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  modifyAwarenessUpdate,
  removeAwarenessStates,
} from "y-protocols/awareness";
import type * as Y from "yjs";
import type { Pair } from "../protocol";
import { shared } from "./shape";
import type { OwnPresence, Person, Self, ViewBox } from "./types";

/** At most 20 updates a second. */
const INTERVAL_MS = 50;
const REMOTE = "server";
/** Characters of ids, or of dragged places, that one state may hold; the server takes 8 KiB for all of it. */
const BUDGET = 2_500;

/** How presence is sent, and who is told when people come, go or move. */
export interface PresenceOptions {
  send(update: Uint8Array): void;
  changed(people: readonly Person[]): void;
}

/**
 * Presence over y-protocols' awareness. The pointer is kept as `pointer`: `cursor` is what y-codemirror calls
 * the caret in a text. Sends the latest state at most every 50 ms, and nothing while paused.
 */
export class Presence {
  readonly awareness: Awareness;
  readonly #options: PresenceOptions;
  #people: readonly Person[] = [];
  #running = false;
  #due = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(doc: Y.Doc, self: Self, options: PresenceOptions) {
    this.#options = options;
    this.awareness = new Awareness(doc);
    this.awareness.setLocalState({
      user: { id: self.id, name: self.name, ...(self.color ? { color: self.color } : {}) },
      pointer: null,
      selection: [],
      editing: null,
      field: null,
      view: null,
      away: false,
      following: null,
      drag: null,
    });
    this.awareness.on("update", this.#updated);
  }

  set(presence: OwnPresence): void {
    const state = this.awareness.getLocalState();
    if (!state) return;
    const { cursor, selection, drag, ...rest } = presence;
    const next = {
      ...state,
      ...rest,
      ...(cursor === undefined ? {} : { pointer: cursor }),
      ...(selection === undefined ? {} : { selection: affordable(selection, (id) => id.length + 3) }),
      ...(drag === undefined ? {} : { drag: drag && affordableDrag(drag) }),
    };
    if (shared(state, next) !== state) this.awareness.setLocalState(next);
  }

  /** Take what the server sends of others. */
  receive(update: Uint8Array): void {
    applyAwarenessUpdate(this.awareness, modifyAwarenessUpdate(update, withSoundCaret), REMOTE);
  }

  /** Begin again after a (re)connection: `everybody` is all who are there; tell them of this tab. */
  resume(everybody: Uint8Array | null): void {
    this.#running = true;
    const here = everybody ? clientsIn(everybody) : new Set<number>();
    const gone = [...this.awareness.getStates().keys()].filter(
      (client) => client !== this.awareness.clientID && !here.has(client),
    );
    removeAwarenessStates(this.awareness, gone, REMOTE);
    if (everybody) this.receive(everybody);
    this.awareness.setLocalState(this.awareness.getLocalState());
    this.#publish();
  }

  /** The connection is lost: nobody is known to be there. */
  pause(): void {
    this.#running = false;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#publish();
  }

  close(): void {
    this.pause();
    this.awareness.off("update", this.#updated);
    this.awareness.destroy();
  }

  readonly #updated = (_change: unknown, origin: unknown) => {
    if (origin === REMOTE) this.#publish();
    else this.#sendSoon();
  };

  #sendSoon(): void {
    this.#due = true;
    if (!this.#running || this.#timer) return;
    this.#sendNow();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#due) this.#sendSoon();
    }, INTERVAL_MS);
  }

  #sendNow(): void {
    this.#due = false;
    this.#options.send(encodeAwarenessUpdate(this.awareness, [this.awareness.clientID]));
  }

  #publish(): void {
    const others = this.#running ? [...this.awareness.getStates()] : [];
    const people = others.flatMap(([client, state]) =>
      client === this.awareness.clientID ? [] : [person(client, state)],
    );
    const next = shared(this.#people, people);
    if (next === this.#people) return;
    this.#people = next;
    this.#options.changed(next);
  }
}

function person(clientId: number, state: Record<string, unknown>): Person {
  const user = (state.user ?? {}) as { id?: string; name?: string; color?: string };
  const { pointer, selection, editing, field, view, following } = state;
  return {
    clientId,
    user: String(user.id ?? ""),
    name: String(user.name ?? "Somebody"),
    color: String(user.color ?? "#888888"),
    cursor: areNumbers(pointer, 2) ? (pointer as unknown as Pair) : null,
    selection: Array.isArray(selection) ? selection.filter((id) => typeof id === "string") : [],
    editing: typeof editing === "string" ? editing : null,
    field: typeof field === "string" ? field : null,
    view:
      areNumbers(view, 4) && view.every((side, at) => at < 2 || side > 0)
        ? (view as unknown as ViewBox)
        : null,
    away: state.away === true,
    following: typeof following === "number" ? following : null,
    drag: drags(state.drag),
  };
}

/** A state without a caret that is none: y-codemirror reads it from the awareness itself, and breaks on others. */
function withSoundCaret(state: Record<string, unknown> | null): Record<string, unknown> | null {
  if (!state || state.cursor === undefined || state.cursor === null) return state;
  const { anchor, head } = Object(state.cursor) as Record<string, unknown>;
  return isPlace(anchor) && isPlace(head) ? state : { ...state, cursor: null };
}

/** Whether a value is a Yjs relative position in a text that is no root. */
function isPlace(value: unknown): boolean {
  const { type, item, tname } = Object(value) as Record<string, unknown>;
  const ids = [type, item].filter((id) => id !== null);
  return tname === null && ids.length > 0 && ids.every(isId);
}

function isId(value: unknown): boolean {
  const { client, clock } = Object(value) as Record<string, unknown>;
  return [client, clock].every((number) => Number.isSafeInteger(number) && (number as number) >= 0);
}

function areNumbers(value: unknown, count: number): value is number[] {
  return Array.isArray(value) && value.length === count && value.every(Number.isFinite);
}

function drags(value: unknown): Person["drag"] {
  if (typeof value !== "object" || value === null) return null;
  const places = Object.entries(value).filter((entry): entry is [string, Pair] => areNumbers(entry[1], 2));
  return places.length > 0 ? Object.fromEntries(places) : null;
}

/** As many of the first as may be told. */
function affordable<T>(all: readonly T[], cost: (one: T) => number): T[] {
  let left = BUDGET;
  const some: T[] = [];
  for (const one of all) {
    left -= cost(one);
    if (left < 0) break;
    some.push(one);
  }
  return some;
}

/** Whole units are enough for a drag; its end is an edit. */
function affordableDrag(drag: Readonly<Record<string, Pair>>): Record<string, Pair> {
  const places = Object.entries(drag).map(([id, [x, y]]): [string, Pair] => [
    id,
    [Math.round(x), Math.round(y)],
  ]);
  return Object.fromEntries(affordable(places, ([id]) => id.length + 18));
}

/** The clients that an awareness update speaks of (count, then client, clock and state each). */
function clientsIn(update: Uint8Array): Set<number> {
  const decoder = decoding.createDecoder(update);
  const clients = new Set<number>();
  for (let left = decoding.readVarUint(decoder); left > 0; left -= 1) {
    clients.add(decoding.readVarUint(decoder));
    decoding.readVarUint(decoder);
    decoding.readVarString(decoder);
  }
  return clients;
}

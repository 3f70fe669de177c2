/** The database in the browser: one for all users of this server, told apart by key. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { KeptHead, RefusedWork } from "./types";

/** A user's id and a canvas's. */
export type Place = [user: string, canvas: string];

interface Placed {
  readonly user: string;
  readonly canvas: string;
}

/** What the database holds. */
export interface Schema extends DBSchema {
  canvases: { key: Place; value: Placed & KeptHead };
  /** Acknowledged updates. */
  states: { key: number; value: Placed & { update: Uint8Array }; indexes: { place: Place } };
  /** Edits that are not acknowledged. */
  edits: { key: number; value: Placed & { tab: string; update: Uint8Array }; indexes: { place: Place } };
  refused: { key: string; value: RefusedWork & { user: string }; indexes: { place: Place; user: string } };
  results: { key: Place; value: Placed & { results: unknown } };
  facts: { key: string; value: unknown };
}

export type Database = IDBPDatabase<Schema>;

const NAME = "spellwork";
const VERSION = 1;

/**
 * Open the database; rejects where the browser has none or forbids it. It closes itself when a newer version of
 * the page needs another shape, and `ended` is told whenever it is closed by others than this page.
 */
export async function openDatabase(ended: () => void, name = NAME): Promise<Database> {
  const db = await openDB<Schema>(name, VERSION, {
    upgrade: (fresh) => {
      const place = ["user", "canvas"];
      fresh.createObjectStore("canvases", { keyPath: place });
      for (const store of ["states", "edits"] as const) {
        fresh.createObjectStore(store, { autoIncrement: true }).createIndex("place", place);
      }
      const refused = fresh.createObjectStore("refused", { keyPath: "id" });
      refused.createIndex("place", place);
      refused.createIndex("user", "user");
      fresh.createObjectStore("results", { keyPath: place });
      fresh.createObjectStore("facts");
    },
    blocking: () => {
      db.close();
      ended();
    },
    terminated: ended,
  });
  return db;
}

/** All keys of one user. */
export function everyPlaceOf(user: string): IDBKeyRange {
  return IDBKeyRange.bound([user], [user, []]);
}

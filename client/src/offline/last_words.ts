/**
 * What a page had not finished writing when it was left.
 *
 * A browser drops the transactions that a page has under way when it is left, however short they are, and gives it
 * no time to wait for them. `localStorage` takes what it is given at once: there it waits for the next page, which
 * writes it to its place.
 */
import { newId } from "../ids";
import type { KeptChange } from "./types";

/** One thing that was to be written. */
export type LastWord =
  | { readonly kind: "change"; readonly user: string; readonly canvas: string; readonly change: KeptChange }
  | { readonly kind: "results"; readonly user: string; readonly canvas: string; readonly results: unknown }
  | { readonly kind: "fact"; readonly name: string; readonly value: unknown }
  /** All that is kept of the user is to be forgotten; whatever else was said of them. */
  | { readonly kind: "clear"; readonly user: string };

const PREFIX = "spellwork.left.";
/** Characters of one word at most: all of them share some five million. */
const LONGEST = 1_000_000;
const TOO_LONG = "It is too long.";

/** Tell apart what JSON does not. A key of others that begins as these do is written with one more of it. */
const MARK = "\u0001";
const BYTES = `${MARK}bytes`;
const MAP = `${MARK}map`;

/** See the top of the file. Where the browser has no `localStorage`, nothing is said. */
export class LastWords {
  readonly #shelf: Storage | null;
  /** What this page said, which it takes back when it goes on. */
  #said: string[] = [];
  #count = 0;

  constructor(shelf: Storage | null = pageStorage()) {
    this.#shelf = shelf;
  }

  /** Keep a word at once; one that is too long, or for which there is no room, is lost. */
  say(word: LastWord): void {
    const key = this.#put(word);
    if (key !== null) this.#said.push(key);
  }

  /** Leave a word that was taken to the next page. */
  leave(word: LastWord): void {
    this.#put(word);
  }

  /** Take what pages said, in the order of its saying. No other page is given it. */
  take(): LastWord[] {
    return this.#keys().flatMap((key) => {
      const word = this.#read(key);
      this.#shelf?.removeItem(key);
      return word ? [word] : [];
    });
  }

  /** The page goes on, and writes by itself what it said. */
  takeBack(): void {
    for (const key of this.#said) this.#shelf?.removeItem(key);
    this.#said = [];
  }

  /** Forget what was said for a user, about one canvas or at all. */
  forget(user: string, canvas?: string): void {
    for (const key of this.#keys()) {
      const word = this.#read(key);
      if (!word || isOf(word, user, canvas)) this.#shelf?.removeItem(key);
    }
  }

  /** Returns the key; null when it was not kept. */
  #put(word: LastWord): string | null {
    this.#count += 1;
    const order = `${Date.now()}.${String(this.#count).padStart(6, "0")}`;
    const key = `${PREFIX}${order}.${newId()}`;
    try {
      this.#shelf?.setItem(key, written(word));
      return key;
    } catch {
      return null; // The server has it, or the person was asked.
    }
  }

  #keys(): string[] {
    try {
      const shelf = this.#shelf;
      if (!shelf) return [];
      const keys = Array.from({ length: shelf.length }, (_, index) => shelf.key(index) ?? "");
      return keys.filter((key) => key.startsWith(PREFIX)).sort();
    } catch {
      return [];
    }
  }

  #read(key: string): LastWord | null {
    try {
      return JSON.parse(this.#shelf?.getItem(key) ?? "null", revive) as LastWord | null;
    } catch {
      return null;
    }
  }
}

function pageStorage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null; // A browser that keeps nothing for this page.
  }
}

/** Whether a word is of a user, and about one canvas or at all. A fact is a user's where its name says so. */
export function isOf(word: LastWord, user: string, canvas?: string): boolean {
  if (word.kind === "fact") return canvas === undefined && word.name.includes(user);
  if (word.kind === "clear") return canvas === undefined && word.user === user;
  return word.user === user && (canvas === undefined || word.canvas === canvas);
}

/** The word as JSON; throws as soon as it is clear that it is too long. */
function written(word: LastWord): string {
  let length = 0;
  return JSON.stringify(word, (key, value: unknown) => {
    const plain = flat(value);
    length += key.length + (typeof plain === "string" ? plain.length : 4);
    if (length > LONGEST) throw new Error(TOO_LONG);
    return plain;
  });
}

function flat(value: unknown): unknown {
  if (value instanceof Uint8Array && value.length > LONGEST) throw new Error(TOO_LONG);
  if (value instanceof Uint8Array)
    return { [BYTES]: btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join("")) };
  if (value instanceof Map) return { [MAP]: [...value] };
  return renamed(value, MARK, (key) => MARK + key);
}

/** The same with another name for each key that begins so. */
function renamed(value: unknown, beginning: string, name: (key: string) => string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const begins = (key: string) => key.startsWith(beginning);
  if (!Object.keys(value).some(begins)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [begins(key) ? name(key) : key, each]),
  );
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (BYTES in value) return Uint8Array.from(atob(String(value[BYTES])), (char) => char.charCodeAt(0));
  if (MAP in value) return new Map(value[MAP] as [unknown, unknown][]);
  return renamed(value, MARK + MARK, (key) => key.slice(MARK.length));
}

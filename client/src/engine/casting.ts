/**
 * Makes another type of a value, and never guesses: what has no one meaning is refused.
 *
 * The engine's `casting.py` does the same; `tests/cases/transforms.json` holds for both.
 */
import type { Json, Transform } from "../protocol";

export type CastTarget = Extract<Transform, { op: "cast" }>["to"];

/** A value that cannot be made into the type asked for. */
export class CastError extends Error {}

const NUMBER = /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
const YES = new Set(["true", "yes", "on", "1"]);
const NO = new Set(["false", "no", "off", "0"]);
const SHOWN = 60;
/** Characters of the text that a list or object is cast to. */
const TEXT_LIMIT = 1_000_000;

/** `value` as another type. Throws a CastError. */
export function cast(value: Json, to: CastTarget): Json {
  if (value === null) throw new CastError("null cannot be cast; put a default before it");
  return CASTS[to](value);
}

/** A value as short JSON text, for messages. */
export function shown(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 3)}...`;
}

/** Text without the blanks around it. */
export function stripped(text: string): string {
  return text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
}

function toText(value: Json): string {
  if (typeof value === "string") return value;
  const text = JSON.stringify(value);
  if (text.length <= TEXT_LIMIT) return text;
  throw new CastError(`${shown(value)} would be a text of more than 1,000,000 characters`);
}

function toNumber(value: Json): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  const text = typeof value === "string" ? stripped(value) : "";
  if (text.length <= 400 && NUMBER.test(text) && Number.isFinite(Number(text))) return Number(text);
  throw new CastError(`${shown(value)} is no number`);
}

function toInteger(value: Json): number {
  const number = toNumber(value);
  if (Number.isInteger(number)) return number;
  throw new CastError(`${shown(value)} is no whole number`);
}

function toBoolean(value: Json): boolean {
  if (typeof value === "boolean") return value;
  if (value === 0 || value === 1) return value === 1;
  const word = typeof value === "string" ? stripped(value).toLowerCase() : "";
  if (YES.has(word) || NO.has(word)) return YES.has(word);
  throw new CastError(`${shown(value)} is neither true nor false`);
}

function toObject(value: Json): Json {
  const read = typeof value === "string" ? parsed(value) : value;
  if (typeof read === "object" && read !== null && !Array.isArray(read)) return read;
  throw new CastError(`${shown(value)} is no object`);
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

const CASTS: Readonly<Record<CastTarget, (value: Json) => Json>> = {
  string: toText,
  number: toNumber,
  integer: toInteger,
  boolean: toBoolean,
  list: (value) => (Array.isArray(value) ? value : [value]),
  object: toObject,
};

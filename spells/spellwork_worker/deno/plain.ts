/**
 * Plain forms of values: null, booleans, numbers, texts, lists and objects.
 *
 * Dates become ISO 8601, bytes `data:` URLs, maps objects, sets lists; NaN, the
 * infinities and undefined null; a bigint the nearest number where it has over 64 bits.
 */

import type { Writer } from "./msgpack.ts";
import {
  binaryFromBytes,
  call,
  fieldNames,
  isArray,
  isFinite,
  isoOf,
  isView,
  itemsOf,
  join,
  minimum,
  NativeBuffer,
  NativeBytes,
  NativeClamped,
  NativeDate,
  NativeError,
  NativeMap,
  NativeNumber,
  NativePattern,
  NativePromise,
  NativeQuery,
  NativeSet,
  NativeShared,
  NativeSigned,
  NativeText,
  NativeTruth,
  NativeView,
  numberOf,
  ObjectPrototype,
  pairsOf,
  patternText,
  piece,
  prototypeOf,
  textOf,
  toJson,
} from "./primordials.ts";

export const MAX_DEPTH = 100;
const LARGEST = 2n ** 64n;
const SMALLEST = -(2n ** 63n);
const PIECE = 8190;
const fromCodes = String.fromCharCode;

/** A value has a type that cannot leave the worker. */
export class NotTransferable {
  constructor(readonly kind: string, readonly where: string, readonly reason = "") {}

  get message(): string {
    const article = match(this.kind) ? "an" : "a";
    return (
      `${this.where || "the result"} is ${article} ${this.kind}, which cannot leave the worker` +
      (this.reason ? `: ${this.reason}` : "")
    );
  }
}

function match(word: string): boolean {
  const first = word[0];
  return first === "A" || first === "E" || first === "I" || first === "O" || first === "a" || first === "o";
}

/** Return the name of a value's type as its author knows it. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  try {
    const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
    return typeof name === "string" && name ? name : "object";
  } catch {
    return "object";
  }
}

/** Return bytes as a `data:` URL. */
export function dataUrl(bytes: Uint8Array, mime = "application/octet-stream"): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) {
    const codes = piece(bytes, at, minimum(at + PIECE, bytes.length));
    parts[parts.length] = binaryFromBytes(call(fromCodes, null, codes as unknown as number[]) as string);
  }
  return `data:${mime};base64,${join(parts, "")}`;
}

/** Return the bytes of a value that is some; null for any other. */
export function bytesOf(value: unknown): Uint8Array | null {
  if (value instanceof NativeBytes) return value;
  if (value instanceof NativeBuffer || value instanceof NativeShared) return new NativeBytes(value);
  if (value instanceof NativeView || value instanceof NativeClamped || value instanceof NativeSigned) {
    return new NativeBytes(value.buffer, value.byteOffset, value.byteLength);
  }
  return null;
}

/** Writes values in their plain form; `where` is the place of the value, for the error. */
export class PlainWriter {
  private path: (string | number)[] = [];

  constructor(private readonly out: Writer, private readonly where: string) {}

  write(value: unknown): void {
    const out = this.out;
    switch (typeof value) {
      case "string":
        return out.text(value);
      case "number":
        return isFinite(value) ? out.number(value) : out.nil();
      case "boolean":
        return out.boolean(value);
      case "undefined":
        return out.nil();
      case "bigint":
        return this.large(value);
      case "object":
        return value === null ? out.nil() : this.object(value);
    }
    throw this.refused(value);
  }

  private large(value: bigint): void {
    if (value >= SMALLEST && value < LARGEST) this.out.large(value);
    else this.write(numberOf(value));
  }

  private object(value: object): void {
    if (this.path.length > MAX_DEPTH) {
      throw this.refused(value, `it is nested more than ${MAX_DEPTH} deep`);
    }
    if (isArray(value)) return this.list(value);
    const prototype = prototypeOf(value);
    if (prototype === null || prototype === ObjectPrototype) return this.fields(value);
    this.rare(value);
  }

  private list(value: ArrayLike<unknown>): void {
    this.out.array(value.length);
    const depth = this.path.length;
    for (let place = 0; place < value.length; place++) {
      this.path[depth] = place;
      this.write(value[place]);
    }
    this.path.length = depth;
  }

  private fields(value: object): void {
    const json = (value as { toJSON?: unknown }).toJSON;
    if (typeof json === "function") return this.inside(call(json as never, value, [""]));
    const names = fieldNames(value);
    let count = 0;
    const found: unknown[] = [];
    for (let place = 0; place < names.length; place++) {
      const field = (value as Record<string, unknown>)[names[place]];
      if (field === undefined) continue;
      names[count] = names[place];
      found[count++] = field;
    }
    this.pairs(names, found, count);
  }

  private pairs(names: string[], values: unknown[], count: number): void {
    this.out.map(count);
    const depth = this.path.length;
    for (let place = 0; place < count; place++) {
      this.path[depth] = names[place];
      this.out.text(names[place]);
      this.write(values[place]);
    }
    this.path.length = depth;
  }

  private rare(value: object): void {
    if (value instanceof NativeDate) return this.write(isoOf(value));
    if (value instanceof NativeMap) return this.map(value);
    if (value instanceof NativeSet) return this.list(itemsOf(value));
    const bytes = bytesOf(value);
    if (bytes !== null) return this.out.text(dataUrl(bytes));
    if (isView(value)) return this.list(value as unknown as ArrayLike<unknown>);
    if (value instanceof NativePromise) throw this.refused(value, "write `await` before it");
    if (value instanceof NativeError) return this.fields({ name: value.name, message: value.message });
    if (value instanceof NativePattern) return this.write(patternText(value));
    if (value instanceof NativeText || value instanceof NativeNumber || value instanceof NativeTruth) {
      return this.inside((value as { valueOf(): unknown }).valueOf());
    }
    const json = (value as { toJSON?: unknown }).toJSON;
    if (typeof json === "function") return this.inside(call(json as never, value, [""]));
    if (value instanceof NativeQuery) return this.write(textOf(value));
    throw this.refused(value);
  }

  private map(value: Map<unknown, unknown>): void {
    const pairs = pairsOf(value);
    const names: string[] = [];
    const values: unknown[] = [];
    for (let place = 0; place < pairs.length; place++) {
      names[place] = this.key(pairs[place][0]);
      values[place] = pairs[place][1];
    }
    this.pairs(names, values, names.length);
  }

  private key(key: unknown): string {
    if (typeof key === "string") return key;
    if (key === null || typeof key === "number" || typeof key === "boolean" || typeof key === "bigint") {
      return textOf(key);
    }
    if (key instanceof NativeDate) return isoOf(key) ?? "null";
    throw new NotTransferable(kindOf(key), `a key of ${this.place()}`);
  }

  /** Write what stands for a value, one level deeper: it may stand for itself. */
  private inside(value: unknown): void {
    const depth = this.path.length;
    this.path[depth] = "toJSON";
    this.write(value);
    this.path.length = depth;
  }

  private refused(value: unknown, reason = ""): NotTransferable {
    return new NotTransferable(kindOf(value), this.place(), reason);
  }

  private place(): string {
    let text = this.where || "the result";
    for (let at = 0; at < this.path.length && at < 8; at++) text += `[${toJson(this.path[at])}]`;
    return text;
  }
}

/** The values that stay in this process, by number: what they are, how they may leave, and what is shown of them. */

import { TooLarge, Writer } from "./msgpack.ts";
import { bytesOf, dataUrl, kindOf, MAX_DEPTH, NotTransferable, PlainWriter } from "./plain.ts";
import {
  fieldNames,
  firstKey,
  fromJson,
  fromUtf8,
  hasOwn,
  indexOf,
  isArray,
  isFinite,
  isView,
  itemsOf,
  lower,
  minimum,
  NativeBigInt,
  NativeDate,
  NativeMap,
  NativeSet,
  ObjectPrototype,
  pairsOf,
  prototypeOf,
  rounded,
  slice,
  sort,
  split,
  Table,
  textOf,
  toJson,
  utf8,
} from "./primordials.ts";
import { Reader } from "./msgpack.ts";

/** Bytes, about, up to which plain values go to the server as they are, and so outlive this process. */
export const PLAIN = 4 * 1024 * 1024;
const ITEMS = 50;
const CHARACTERS = 2_000;
const PAGE_BYTES = 1024 * 1024;
const shown = Deno.inspect;

interface Held {
  value: unknown;
  size: number;
}

/** Values by number. When they take more than `budget` bytes, about, the oldest go first. */
export class Store {
  private readonly held = new Table<number, Held>();
  private size = 0;
  private last = 0;
  /** What went to make room, and was not yet told. */
  let_: number[] = [];

  constructor(private readonly budget: number) {}

  keep(value: unknown, size: number): number {
    this.held.set(++this.last, { value, size });
    this.size += size;
    while (this.size > this.budget && this.held.size > 1) {
      const oldest = firstKey(this.held)!;
      this.drop([oldest]);
      this.let_[this.let_.length] = oldest;
    }
    return this.last;
  }

  has(number: number): boolean {
    return this.held.has(number);
  }

  get(number: number): unknown {
    return this.held.get(number)?.value;
  }

  drop(numbers: number[]): void {
    for (let place = 0; place < numbers.length; place++) {
      const held = this.held.get(numbers[place]);
      if (held) this.size -= held.size;
      this.held.delete(numbers[place]);
    }
  }
}

/** Return the bytes of plain JSON values, about, up to a budget; -1 where JSON would not give them back as they are. */
export function plainSize(value: unknown, budget = PLAIN, depth = 0): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value === "number") return isFinite(value) ? 8 : -1;
  if (value === null || typeof value === "boolean") return 5;
  if (typeof value !== "object" || depth > MAX_DEPTH) return -1;
  let total = 2;
  if (isArray(value)) {
    for (let place = 0; place < value.length && total <= budget; place++) {
      const size = plainSize(value[place], budget - total, depth + 1);
      if (size < 0) return -1;
      total += size;
    }
    return total;
  }
  const prototype = prototypeOf(value);
  if (prototype !== null && prototype !== ObjectPrototype) return -1;
  const names = fieldNames(value);
  for (let place = 0; place < names.length && total <= budget; place++) {
    const size = plainSize((value as Record<string, unknown>)[names[place]], budget - total, depth + 1);
    if (size < 0) return -1;
    total += names[place].length + 3 + size;
  }
  return total;
}

/** Return how much memory a value takes, about: of large lists and objects by their first items. */
export function sizeOf(value: unknown, depth = 3): number {
  if (typeof value === "string") return value.length * 2 + 16;
  if (value === null || typeof value !== "object") return 16;
  const bytes = bytesOf(value);
  if (bytes !== null) return bytes.length + 64;
  if (isView(value)) return value.byteLength + 64;
  const items = value instanceof NativeMap ? pairsOf(value) : value instanceof NativeSet ? itemsOf(value) : null;
  const list = items ?? (isArray(value) ? value : null);
  if (list !== null) return 32 + sampled(list.length, (place) => sizeOf(list[place], depth - 1), depth);
  const names = fieldNames(value);
  const fields = value as Record<string, unknown>;
  return 32 + sampled(names.length, (place) => 16 + sizeOf(fields[names[place]], depth - 1), depth);
}

function sampled(count: number, each: (place: number) => number, depth: number): number {
  if (depth <= 0 || !count) return count * 16;
  const some = minimum(count, 100);
  let total = 0;
  for (let place = 0; place < some; place++) total += each(place);
  return (total / some) * count;
}

/** Return the fields of a Kept, see `parcels.py`. */
export function keptOf(store: Store, value: unknown, previews: boolean): Record<string, unknown> {
  const size = rounded(sizeOf(value));
  return {
    value: store.keep(value, size),
    kind: kindOf(value),
    size,
    encodings: encodingsOf(value),
    preview: previews ? previewOf(value) : null,
  };
}

function encodingsOf(value: unknown): string[] {
  if (bytesOf(value) !== null) return ["bytes"];
  return typeof value !== "function" && typeof value !== "symbol" && canLeave(value, 0) ? ["json"] : [];
}

/** Whether a value seems to have a plain form; what is large is looked at by its first items. */
function canLeave(value: unknown, depth: number): boolean {
  if (typeof value === "function" || typeof value === "symbol") return false;
  if (value === null || typeof value !== "object" || depth > 3) return true;
  const items = value instanceof NativeMap ? pairsOf(value) : value instanceof NativeSet ? itemsOf(value) : value;
  if (isArray(items)) {
    for (let place = 0; place < minimum(items.length, 100); place++) {
      if (!canLeave(items[place], depth + 1)) return false;
    }
    return true;
  }
  const prototype = prototypeOf(value);
  if (prototype !== null && prototype !== ObjectPrototype) {
    try {
      new PlainWriter(new Writer(), "").write(value);
      return true;
    } catch {
      return false;
    }
  }
  const names = fieldNames(value);
  for (let place = 0; place < minimum(names.length, 100); place++) {
    if (!canLeave((value as Record<string, unknown>)[names[place]], depth + 1)) return false;
  }
  return true;
}

/** Return plain values that a value is in JSON. Throws NotTransferable. */
export function plain(value: unknown, where = ""): unknown {
  const out = new Writer();
  new PlainWriter(out, where).write(value);
  return new Reader(out.bytes).any();
}

/** Return a value's head, small. Never throws. */
export function previewOf(value: unknown): Record<string, unknown> {
  try {
    if (isArray(value) || value instanceof NativeSet) {
      const items = isArray(value) ? value : itemsOf(value);
      return { form: "list", values: head(items), total: items.length };
    }
    if (value instanceof NativeMap || isPlainObject(value)) {
      const pairs: [unknown, unknown][] = value instanceof NativeMap ? pairsOf(value) : fieldsOf(value as object);
      const found: Record<string, unknown> = {};
      for (let place = 0; place < minimum(pairs.length, ITEMS); place++) {
        found[slice(textOf(pairs[place][0]), 0, 200)] = item(pairs[place][1]);
      }
      return { form: "object", value: found, total: pairs.length };
    }
    const bytes = bytesOf(value);
    if (bytes === null && isView(value)) {
      const list = value as unknown as number[];
      return { form: "array", dtype: kindOf(value), shape: [list.length], values: head(list) };
    }
    if (typeof value === "string") return { form: "text", text: slice(value, 0, CHARACTERS) };
    return { form: "text", text: slice(shown(value), 0, CHARACTERS) };
  } catch {
    return { form: "text", text: `<${kindOf(value)}>` };
  }
}

function isPlainObject(value: unknown): boolean {
  if (value === null || typeof value !== "object") return false;
  const prototype = prototypeOf(value);
  return prototype === null || prototype === ObjectPrototype;
}

function fieldsOf(value: object): [unknown, unknown][] {
  const names = fieldNames(value);
  const pairs: [unknown, unknown][] = [];
  for (let place = 0; place < names.length; place++) {
    pairs[place] = [names[place], (value as Record<string, unknown>)[names[place]]];
  }
  return pairs;
}

function head(values: ArrayLike<unknown>): unknown[] {
  const found: unknown[] = [];
  for (let place = 0; place < minimum(values.length, ITEMS); place++) found[place] = item(values[place]);
  return found;
}

function item(value: unknown): unknown {
  if (typeof value === "string") return slice(value, 0, 200);
  try {
    const found = plain(value);
    const text = toJson(found);
    return text.length <= 1_000 ? found : slice(text, 0, 200);
  } catch {
    return slice(shown(value), 0, 200);
  }
}

/** Return a Parcel of a value in the first of the wanted encodings that it has. Throws NotTransferable, TooLarge. */
export function parcelOf(value: unknown, wanted: string[], limit: number): Record<string, unknown> {
  const bytes = bytesOf(value);
  let data: Uint8Array;
  let encoding = "json";
  if (bytes !== null && includes(wanted, "bytes")) {
    encoding = "bytes";
    data = bytes;
  } else {
    data = utf8(toJson(bytes === null ? plain(value, "the value") : dataUrl(bytes)));
  }
  if (limit && data.length > limit) throw new TooLarge(data.length);
  const mime = encoding === "bytes" ? "application/octet-stream" : "application/json";
  return { encoding, size: data.length, kind: kindOf(value), mime, data, memory: 0 };
}

function includes(words: string[], word: string): boolean {
  for (let place = 0; place < words.length; place++) if (words[place] === word) return true;
  return false;
}

/** Return the value in a Parcel, as what it was in another process of this kind. */
export function unpacked(parcel: Record<string, unknown>): unknown {
  const data = parcel.data as Uint8Array;
  if (parcel.encoding === "bytes") return data;
  if (parcel.encoding !== "json") throw new NotTransferable(textOf(parcel.kind), "an input", "TypeScript cannot read it");
  const value = fromJson(fromUtf8(data));
  if (parcel.kind === "Date") return new NativeDate(value);
  if (parcel.kind === "Set" && isArray(value)) return new NativeSet(value);
  if (parcel.kind === "Map") return new NativeMap(fieldsOf(value) as [string, unknown][]);
  if (parcel.kind === "bigint") return NativeBigInt(value);
  return value;
}

/** A page, or a part of a value, that is not there. */
export class NoSuchPart {
  constructor(readonly name: string) {}
}

/** Return the fields of a PageRead: a page of a value, or of its part at a path (a JSON Pointer). */
export function pageOf(value: unknown, request: Record<string, unknown>): Record<string, unknown> {
  const names = split(request.path as string, "/");
  for (let place = 1; place < names.length; place++) value = partOf(value, names[place]);
  if (value instanceof NativeSet) value = itemsOf(value);
  const { offset, limit } = request as { offset: number; limit: number };
  const size = rounded(sizeOf(value));
  const list = isArray(value) || (isView(value) && bytesOf(value) === null);
  if (list) {
    const rows = ordered(value as ArrayLike<unknown>, request);
    const total = rows === null ? (value as ArrayLike<unknown>).length : rows.length;
    const parts: unknown[] = [];
    const numbers: number[] = [];
    let written = 0;
    for (let at = offset; at < minimum(offset + limit, total) && written < PAGE_BYTES; at++) {
      const number = rows === null ? at : rows[at];
      parts[parts.length] = plain((value as ArrayLike<unknown>)[number]);
      numbers[numbers.length] = number;
      written += toJson(parts[parts.length - 1]).length;
    }
    const more = offset + parts.length < total && parts.length > 0;
    return page("list", total, size, more, parts, rows === null ? null : numbers);
  }
  if (typeof value === "string") {
    const end = offset + limit * 64;
    return page("text", value.length, size, end < value.length, slice(value, offset, end), null);
  }
  if (value instanceof NativeMap || isPlainObject(value)) {
    const pairs: [unknown, unknown][] = value instanceof NativeMap ? pairsOf(value) : fieldsOf(value as object);
    const found: Record<string, unknown> = {};
    for (let at = offset; at < minimum(offset + limit, pairs.length); at++) {
      found[textOf(pairs[at][0])] = plain(pairs[at][1]);
    }
    return page("object", pairs.length, size, offset + limit < pairs.length, found, null);
  }
  return page("value", 1, size, false, plain(value), null);
}

function page(shape: string, total: number, size: number, more: boolean, part: unknown, rows: number[] | null) {
  return { shape, total, size, more, body: utf8(toJson(part)), rows };
}

function partOf(value: unknown, coded: string): unknown {
  let name = "";
  for (let place = 0; place < coded.length; place++) {
    if (coded[place] === "~") name += coded[++place] === "1" ? "/" : "~";
    else name += coded[place];
  }
  const items = value instanceof NativeSet ? itemsOf(value) : value;
  if (items instanceof NativeMap) {
    const pairs = pairsOf(items);
    for (let place = 0; place < pairs.length; place++) if (textOf(pairs[place][0]) === name) return pairs[place][1];
  } else if (items !== null && typeof items === "object" && hasOwn(items, name)) {
    return (items as Record<string, unknown>)[name];
  }
  throw new NoSuchPart(name);
}

/** Return the numbers of the rows that pass the filter, in their order; null for all of them as they are. */
function ordered(values: ArrayLike<unknown>, request: Record<string, unknown>): number[] | null {
  const { sort: by, filter, descending } = request as { sort: string | null; filter: string | null; descending: boolean };
  if (by === null && filter === null) return null;
  const numbers: number[] = [];
  const wanted = lower(filter ?? "");
  for (let at = 0; at < values.length; at++) {
    if (filter === null || indexOf(lower(toJson(plain(values[at]))), wanted) >= 0) numbers[numbers.length] = at;
  }
  if (by === null) return numbers;
  const cell = (at: number): unknown => {
    const row = values[at];
    return by && row !== null && typeof row === "object" ? (row as Record<string, unknown>)[by] : row;
  };
  return sort(numbers, (a, b) => (descending ? -1 : 1) * compared(cell(a), cell(b)));
}

function compared(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const left = a === undefined || a === null ? "" : textOf(a);
  const right = b === undefined || b === null ? "" : textOf(b);
  return left < right ? -1 : left > right ? 1 : 0;
}


/**
 * What this program uses of the language, taken before any cell is loaded.
 *
 * Cells of a canvas share this process, and may change the language under each other;
 * what carries their calls must go on all the same. So the program calls no method by
 * its name on a prototype that a cell could have changed.
 */

const { apply, defineProperty, getPrototypeOf, ownKeys } = Reflect;

type Method = (...parts: never[]) => unknown;

/** Return a function that calls a method on its first argument. */
function uncurried<T>(method: unknown): T {
  return ((self: unknown, ...parts: unknown[]) => apply(method as Method, self, parts)) as T;
}

export const define = defineProperty;
export const prototypeOf = getPrototypeOf;
export const keysOf: (value: object) => (string | symbol)[] = ownKeys;
export const call = apply;
export const fieldNames = Object.keys;
export const freeze = Object.freeze;
export const isArray = Array.isArray;
export const isInteger = Number.isInteger;
export const isFinite = Number.isFinite;
export const isView = ArrayBuffer.isView;
export const textOf = String;
export const toJson = JSON.stringify;
export const fromJson = JSON.parse;
export const now = performance.now.bind(performance);
export const later = setTimeout;
export const never = clearTimeout;
export const numberOf = Number;
export const rounded = Math.round;
export const decoded = decodeURIComponent;
export const minimum = Math.min;
export const maximum = Math.max;
export const bytesFromBinary = atob;
export const binaryFromBytes = btoa;

export const NativeError = Error;
export const NativeTypeError = TypeError;
export const NativeDate = Date;
export const NativeMap = Map;
export const NativeSet = Set;
export const NativePromise = Promise;
export const NativeBigInt = BigInt;
export const NativeBytes = Uint8Array;
export const NativeBuffer = ArrayBuffer;
export const NativeView = DataView;
export const NativeShared = SharedArrayBuffer;
export const NativeClamped = Uint8ClampedArray;
export const NativeSigned = Int8Array;
export const NativePattern = RegExp;
export const NativeText = String;
export const NativeNumber = Number;
export const NativeTruth = Boolean;
export const NativeQuery = URLSearchParams;
export const NativeRangeError = RangeError;

export const ObjectPrototype = Object.prototype;
export const hasOwn = uncurried<(value: object, name: string) => boolean>(ObjectPrototype.hasOwnProperty);
export const tagOf = uncurried<(value: unknown) => string>(ObjectPrototype.toString);

const text = String.prototype;
export const slice = uncurried<(value: string, start: number, end?: number) => string>(text.slice);
export const indexOf = uncurried<(value: string, part: string, from?: number) => number>(text.indexOf);
export const lastIndexOf = uncurried<(value: string, part: string) => number>(text.lastIndexOf);
export const startsWith = uncurried<(value: string, part: string) => boolean>(text.startsWith);
export const endsWith = uncurried<(value: string, part: string) => boolean>(text.endsWith);
export const split = uncurried<(value: string, by: string) => string[]>(text.split);
export const trim = uncurried<(value: string) => string>(text.trim);
export const trimEnd = uncurried<(value: string) => string>(text.trimEnd);
export const lower = uncurried<(value: string) => string>(text.toLowerCase);
export const codeAt = uncurried<(value: string, place: number) => number>(text.charCodeAt);
export const match = uncurried<(pattern: RegExp, value: string) => RegExpExecArray | null>(
  RegExp.prototype.exec,
);
export const patternText = uncurried<(pattern: RegExp) => string>(RegExp.prototype.toString);

export const join = uncurried<(values: unknown[], by: string) => string>(Array.prototype.join);
export const sort = uncurried<<T>(values: T[], order: (a: T, b: T) => number) => T[]>(Array.prototype.sort);

export const set = uncurried<(target: Uint8Array, source: ArrayLike<number>, at: number) => void>(
  Uint8Array.prototype.set,
);
export const piece = uncurried<(value: Uint8Array, start: number, end: number) => Uint8Array>(
  Uint8Array.prototype.subarray,
);
export const copied = uncurried<(value: Uint8Array, start: number, end: number) => Uint8Array>(
  Uint8Array.prototype.slice,
);

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const encodeInto_ = uncurried<
  (self: TextEncoder, value: string, target: Uint8Array) => { read: number; written: number }
>(TextEncoder.prototype.encodeInto);
const encode_ = uncurried<(self: TextEncoder, value: string) => Uint8Array>(TextEncoder.prototype.encode);
const decode_ = uncurried<(self: TextDecoder, value: Uint8Array) => string>(TextDecoder.prototype.decode);
export const encodeInto = (value: string, target: Uint8Array) => encodeInto_(encoder, value, target);
export const utf8 = (value: string) => encode_(encoder, value);
export const fromUtf8 = (value: Uint8Array) => decode_(decoder, value);

const mapEach = uncurried<(self: ReadonlyMap<unknown, unknown>, each: (value: unknown, key: unknown) => void) => void>(
  Map.prototype.forEach,
);
const setEach = uncurried<(self: ReadonlySet<unknown>, each: (value: unknown) => void) => void>(
  Set.prototype.forEach,
);

/** Return the pairs of a map, whatever became of its prototype. */
export function pairsOf(map: ReadonlyMap<unknown, unknown>): [unknown, unknown][] {
  const pairs: [unknown, unknown][] = [];
  mapEach(map, (value, key) => {
    pairs[pairs.length] = [key, value];
  });
  return pairs;
}

/** Return the items of a set. */
export function itemsOf(set: ReadonlySet<unknown>): unknown[] {
  const items: unknown[] = [];
  setEach(set, (value) => {
    items[items.length] = value;
  });
  return items;
}

/** A map whose methods no cell can change. */
export class Table<K, V> extends Map<K, V> {}
for (const name of ["get", "set", "has", "delete", "forEach", "keys", "clear"] as const) {
  defineProperty(Table.prototype, name, { value: Map.prototype[name] });
}
defineProperty(Table.prototype, "size", Object.getOwnPropertyDescriptor(Map.prototype, "size")!);
Object.setPrototypeOf(Table.prototype, null);
freeze(Table.prototype);

/** Return the first key of a table. */
const nextKey = uncurried<(self: unknown) => IteratorResult<unknown>>(
  getPrototypeOf(new Map().keys())!["next" as never],
);
export function firstKey<K>(table: Table<K, unknown>): K | undefined {
  return nextKey(table.keys()).value as K | undefined;
}

const getTime = uncurried<(self: Date) => number>(Date.prototype.getTime);
const toIso = uncurried<(self: Date) => string>(Date.prototype.toISOString);

/** Whether a date is one at all. */
export function isDate(date: Date): boolean {
  return isFinite(getTime(date));
}

/** Return a date as ISO 8601; null for one that is none. */
export function isoOf(date: Date): string | null {
  return isFinite(getTime(date)) ? toIso(date) : null;
}

const then_ = uncurried<(self: Promise<unknown>, done: unknown, failed: unknown) => Promise<unknown>>(
  Promise.prototype.then,
);
export const then = then_;

/** What a node has streamed on one port, as far as a tab keeps it: the beginning, the end, and how much it was. */
import { isRef, type Json, type PortValue, preview } from "../protocol";

/**
 * Never changed in place, and bounded whatever comes: a chunk costs what the chunk is long, not what came before.
 * The whole is read by the page once the node is done.
 */
export interface Streamed {
  readonly kind: "text" | "items" | "bytes";
  /** The beginning: text, or items. Of bytes nothing is kept. */
  readonly head: string | readonly Json[];
  /** What came last, after `head`; between the two there may be a gap. */
  readonly tail: string | readonly Json[];
  /** Characters, items or bytes so far. */
  readonly size: number;
  readonly chunks: number;
  /** `size` per second over the last second or more; null until there is a second to speak of. */
  readonly rate: number | null;
  /** Where the present second of `rate` began: unix seconds, and the size then. */
  readonly mark: readonly [at: number, size: number];
}

export const HEAD_CHARACTERS = 32_000;
export const TAIL_CHARACTERS = 32_000;
export const HEAD_ITEMS = 100;
export const TAIL_ITEMS = 100;

/** Seconds over which a rate is taken. */
const SECOND = 1;

/** Return what is kept after `value`, which joins `chunks` chunks and came at `at` (unix seconds). */
export function withChunk(
  before: Streamed | undefined,
  value: PortValue,
  chunks: number,
  at: number,
): Streamed {
  const head = preview(value);
  if (typeof head === "string" && (before === undefined || before.kind === "text")) {
    // Of a text too long for its event only the head is here; its length is known by its bytes, near enough.
    const length = isRef(value) ? Math.max(head.length, value.size - 2) : head.length;
    return counted(before, withText(before, head), length, chunks, at);
  }
  const items = Array.isArray(head) ? head : [head];
  if (items.length > 0 && items.every(isBytes) && (before === undefined || before.kind === "bytes")) {
    const length = items.reduce((sum, item) => sum + byteLength(item), 0);
    return counted(before, { kind: "bytes", head: NO_ITEMS, tail: NO_ITEMS }, length, chunks, at);
  }
  const count = isRef(value) ? Math.max(items.length, chunks) : items.length;
  return counted(asItems(before), withItems(asItems(before), items), count, chunks, at);
}

/** Whether something between the head and the tail is no longer here. */
export function hasGap({ kind, head, tail, size }: Streamed): boolean {
  return kind !== "bytes" && size > head.length + tail.length;
}

const values = new WeakMap<Streamed, Json>();

/** What can be shown of it as one value: head and tail put together, once for the same object. */
export function streamedValue(streamed: Streamed): Json {
  const known = values.get(streamed);
  if (known !== undefined) return known;
  const { kind, head, tail } = streamed;
  const value =
    kind === "text"
      ? `${head as string}${hasGap(streamed) ? "\n…\n" : ""}${tail as string}`
      : [...(head as Json[]), ...(tail as Json[])];
  values.set(streamed, value);
  return value;
}

type Kept = Pick<Streamed, "kind" | "head" | "tail">;

const NO_ITEMS: readonly Json[] = [];

function counted(
  before: Streamed | undefined,
  kept: Kept,
  length: number,
  chunks: number,
  at: number,
): Streamed {
  const size = (before?.size ?? 0) + length;
  const mark = before?.mark ?? [at, 0];
  const seconds = at - mark[0];
  const over = seconds >= SECOND;
  return {
    ...kept,
    size,
    chunks: (before?.chunks ?? 0) + chunks,
    rate: over ? (size - mark[1]) / seconds : (before?.rate ?? null),
    mark: over ? [at, size] : mark,
  };
}

function withText(before: Streamed | undefined, text: string): Kept {
  const head = (before?.head as string | undefined) ?? "";
  const tail = (before?.tail as string | undefined) ?? "";
  const room = tail === "" ? Math.max(0, HEAD_CHARACTERS - head.length) : 0;
  const grown = tail + text.slice(room);
  return {
    kind: "text",
    head: room > 0 ? head + text.slice(0, room) : head,
    // Cut only now and then, so that a letter at a time costs a letter.
    tail: grown.length > 2 * TAIL_CHARACTERS ? grown.slice(-TAIL_CHARACTERS) : grown,
  };
}

function withItems(before: Streamed | undefined, items: readonly Json[]): Kept {
  const head = (before?.head as readonly Json[] | undefined) ?? NO_ITEMS;
  const tail = (before?.tail as readonly Json[] | undefined) ?? NO_ITEMS;
  const room = tail.length === 0 ? HEAD_ITEMS - head.length : 0;
  const rest = room > 0 ? items.slice(room) : items;
  return {
    kind: "items",
    head: room > 0 ? [...head, ...items.slice(0, room)] : head,
    tail: rest.length > 0 ? [...tail, ...rest].slice(-TAIL_ITEMS) : tail,
  };
}

/** A stream that began as text or bytes and goes on with other values is a list of both. */
function asItems(before: Streamed | undefined): Streamed | undefined {
  if (before === undefined || before.kind === "items") return before;
  const head = before.kind === "text" ? [streamedValue(before)] : NO_ITEMS;
  return { ...before, kind: "items", head, tail: NO_ITEMS, size: head.length, mark: [before.mark[0], 0] };
}

function isBytes(item: Json): item is string {
  return typeof item === "string" && /^data:[^,]{0,200};base64,/.test(item);
}

/** How many bytes a base64 `data:` URL stands for. */
function byteLength(url: string): number {
  const body = url.length - url.indexOf(",") - 1;
  const padding = url.endsWith("==") ? 2 : url.endsWith("=") ? 1 : 0;
  return Math.floor((body * 3) / 4) - padding;
}

/** A large value as its pages come, each put behind those before. */
import type { ValuePage } from "../hooks/useLoadValue";

/** What is here of a value. Never changed in place. */
export interface Paged {
  readonly value: unknown;
  /** Items, code points or fields that are here; the next page begins there. */
  readonly loaded: number;
  readonly total: number | null;
  readonly more: boolean;
}

/** Return what is here after one more page. A page with nothing in it is the last, whatever it says of more. */
export function withPage(before: Paged | null, page: ValuePage): Paged {
  const length = lengthOf(page);
  return {
    value: before ? joined(before.value, page.value) : page.value,
    loaded: (before?.loaded ?? 0) + length,
    total: page.total,
    more: page.more && length > 0,
  };
}

function joined(before: unknown, page: unknown): unknown {
  if (Array.isArray(before) && Array.isArray(page)) return [...before, ...page];
  if (typeof before === "string" && typeof page === "string") return before + page;
  if (isObject(before) && isObject(page)) return { ...before, ...page };
  return page;
}

/** How far a page goes, as the server counts: a text by code points. */
function lengthOf({ value }: ValuePage): number {
  if (typeof value === "string") return [...value].length;
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : 1;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON Pointer (RFC 6901) of what `key` names in what lies at `path`. */
export function pointer(path: string, key: string): string {
  return `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

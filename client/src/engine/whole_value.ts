/** Puts a large value together from its pages. */
import type { Json, ValuePage } from "../protocol";

/** Reads a page of a value. */
export type ReadPage = (hash: string, offset: number, options?: { limit: number }) => Promise<ValuePage>;

/** Items and fields asked for at a time, and the characters of a text. */
const ITEMS = 5_000;
const CHARACTERS = 1_000_000;

/** Return the whole value of a hash. */
export async function wholeValue(hash: string, read: ReadPage): Promise<Json> {
  const first = await read(hash, 0);
  const pages = [first.value];
  let { more } = first;
  for (let offset = lengthOf(first.value); more; ) {
    const page = await read(hash, offset, { limit: first.kind === "text" ? CHARACTERS : ITEMS });
    pages.push(page.value);
    offset += lengthOf(page.value);
    more = page.more && lengthOf(page.value) > 0;
  }
  if (pages.length === 1) return first.value;
  if (first.kind === "text") return pages.join("");
  return first.kind === "list" ? (pages.flat(1) as Json[]) : Object.assign({}, ...pages);
}

/** How far a page goes, as the server counts: a text by code points. */
function lengthOf(value: Json): number {
  if (typeof value === "string") return [...value].length;
  if (typeof value !== "object" || value === null) return 1;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

/** Makes of plain values what the types of a cell say they are, see `types.py`. */

import {
  bytesFromBinary,
  codeAt,
  decoded,
  fieldNames,
  indexOf,
  isArray,
  isDate,
  NativeBigInt,
  NativeBytes,
  NativeDate,
  NativeMap,
  NativeSet,
  slice,
  startsWith,
} from "./primordials.ts";
import { put } from "./msgpack.ts";

type Form = string | [kind: string, inner: unknown] | null;

/** Return a value in its form; one that is not what the form is made of stays as it is. */
export function formed(value: unknown, form: Form): unknown {
  if (form === null || value === null || value === undefined) return value;
  if (form === "date") return typeof value === "string" ? dateOf(value) : value;
  if (form === "bytes") return typeof value === "string" && startsWith(value, "data:") ? bytesIn(value) : value;
  if (form === "bigint") {
    return typeof value === "number" && value % 1 === 0 ? NativeBigInt(value) : value;
  }
  const kind = form[0];
  const inner = form[1] as Form | Record<string, Form>;
  if (kind === "list") return isArray(value) ? listOf(value, inner as Form) : value;
  if (kind === "set") return isArray(value) ? new NativeSet(listOf(value, inner as Form)) : value;
  if (typeof value !== "object" || value instanceof NativeMap) return value;
  const names = fieldNames(value);
  const found: Record<string, unknown> = {};
  const pairs: [string, unknown][] = [];
  for (let place = 0; place < names.length; place++) {
    const name = names[place];
    const each = kind === "fields" ? ((inner as Record<string, Form>)[name] ?? null) : (inner as Form);
    const field = formed((value as Record<string, unknown>)[name], each);
    pairs[place] = [name, field];
    put(found, name, field);
  }
  return kind === "map" ? new NativeMap(pairs) : found;
}

function listOf(values: unknown[], form: Form): unknown[] {
  const found: unknown[] = [];
  for (let place = 0; place < values.length; place++) found[place] = formed(values[place], form);
  return found;
}

function dateOf(text: string): unknown {
  const date = new NativeDate(text);
  return isDate(date) ? date : text;
}

/** Return the bytes of a `data:` URL; a text that is none stays as it is. */
export function bytesIn(url: string): unknown {
  const comma = indexOf(url, ",");
  if (comma < 0) return url;
  try {
    const coded = indexOf(slice(url, 0, comma), ";base64") >= 0;
    const binary = coded ? bytesFromBinary(slice(url, comma + 1)) : decoded(slice(url, comma + 1));
    const bytes = new NativeBytes(binary.length);
    for (let place = 0; place < binary.length; place++) bytes[place] = codeAt(binary, place);
    return bytes;
  } catch {
    return url;
  }
}


/**
 * What comes out of a wire's transforms, judged by JSON Schemas, and which one would make a wire fit.
 *
 * The engine's `transform_schemas.py` does the same; `tests/cases/compatibility.json` holds for both.
 */
import { EVERY, PathError, type PathPart, readPath } from "../../engine/paths";
import type { Transform } from "../../protocol";
import { formsOf, type JsonSchema, schemaWords, whyIncompatible } from "./schema";

/** No value that the schema describes can take the transform. */
class Unfit extends Error {}

const NUMBERS = ["number", "integer"];
const SCALARS = ["string", "boolean", ...NUMBERS];
const CASTABLE: Readonly<Record<string, readonly string[]>> = {
  string: [...SCALARS, "array", "object"],
  number: SCALARS,
  integer: SCALARS,
  boolean: SCALARS,
  list: [...SCALARS, "array", "object"],
  object: ["object", "string"],
};
const ORDER = ["string", "integer", "number", "boolean", "object"] as const;

/** What `transforms` make of values of a schema, or why none can take them. */
export function reshaped(
  schema: JsonSchema,
  transforms: readonly Transform[],
): { readonly schema: JsonSchema } | { readonly reason: string } {
  try {
    return { schema: transforms.reduce(after, schema) };
  } catch (error) {
    if (error instanceof Unfit) return { reason: error.message };
    throw error;
  }
}

/** Why an output, after the transforms of its wire, does not fit what is wanted; null when it may. */
export function whyIncompatibleAfter(
  source: JsonSchema,
  transforms: readonly Transform[],
  wanted: JsonSchema,
): string | null {
  const given = reshaped(source, transforms);
  return "reason" in given ? given.reason : whyIncompatible(given.schema, wanted);
}

/**
 * Transforms that would make `source` fit `wanted`: `before` and one more; null when none would.
 *
 * Tried in this order: the field called `name`, another field, the first item of a list, a list of the one value,
 * another type.
 */
export function suggestTransform(
  source: JsonSchema,
  wanted: JsonSchema,
  name = "",
  before: readonly Transform[] = [],
): readonly Transform[] | null {
  const given = reshaped(source, before);
  const [kept, schema] = "reason" in given ? [[], source] : [before, given.schema];
  for (const candidate of candidates(schema, wanted, name)) {
    if (whyIncompatibleAfter(schema, [candidate], wanted) === null) return [...kept, candidate];
  }
  return null;
}

function candidates(given: JsonSchema, wanted: JsonSchema, name: string): Transform[] {
  const forms = formsOf(given);
  const fields = [...new Set(forms.flatMap((form) => Object.keys(form.properties ?? {})))];
  const picks = [...fields.filter((field) => field === name), ...fields.filter((field) => field !== name)];
  const targets = formsOf(wanted).map((form) => form.type);
  return [
    ...picks.map((field): Transform => ({ op: "pick", path: pathTo(field) })),
    ...(forms.some((form) => form.type === "array") ? [{ op: "index", index: 0 } as const] : []),
    ...(targets.includes("array") ? [{ op: "cast", to: "list" } as const] : []),
    ...ORDER.filter((to) => targets.includes(to)).map((to): Transform => ({ op: "cast", to })),
  ];
}

/** The path to one field. */
export function pathTo(field: string): string {
  return field !== "" && !/[.[\]"]|^[ $]|[ $]$/.test(field) ? field : `["${field}"]`;
}

function after(schema: JsonSchema, transform: Transform): JsonSchema {
  return eachForm(schema, (form) => {
    switch (transform.op) {
      case "pick":
        return along(form, partsOf(transform.path));
      case "index":
        return items(form);
      case "default":
        return form.type === "null" ? { const: transform.value ?? null } : form;
      case "cast":
        return afterCast(form, transform.to);
      case "date":
        return afterDate(form, transform.format);
    }
  });
}

/** What becomes of each form of a schema, as one schema; forms that cannot take it fall out, unless none can. */
function eachForm(schema: JsonSchema, work: (form: JsonSchema) => JsonSchema): JsonSchema {
  const found: JsonSchema[] = [];
  let refused: Unfit | null = null;
  for (const form of formsOf(schema)) {
    try {
      found.push(work(form));
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      refused ??= error;
    }
  }
  if (found.length === 0 && refused) throw refused;
  return joined(found, schema);
}

function joined(found: readonly JsonSchema[], root: JsonSchema): JsonSchema {
  const unique = new Map(
    found.map(({ $defs: _defs, ...bare }) => [JSON.stringify(bare), bare as JsonSchema]),
  );
  if (unique.has("{}")) return {};
  const [only, ...more] = unique.values();
  const schema = more.length === 0 && only ? only : { anyOf: [...unique.values()] };
  return root.$defs ? { ...schema, $defs: root.$defs } : schema;
}

function partsOf(path: string): PathPart[] {
  try {
    return readPath(path);
  } catch (error) {
    if (error instanceof PathError) throw new Unfit(error.message);
    throw error;
  }
}

function along(schema: JsonSchema, parts: readonly PathPart[]): JsonSchema {
  const [part, ...rest] = parts;
  if (part === undefined || Object.keys(schema).length === 0) return schema;
  return eachForm(schema, (form) => {
    if (part !== EVERY) return along(partOf(form, part), rest);
    const inner = along(items(form), rest);
    return Object.keys(inner).length === 0 ? { type: "array" } : { type: "array", items: inner };
  });
}

function partOf(form: JsonSchema, part: string | number): JsonSchema {
  if (form.type === "object") return field(form, String(part));
  if (form.type === "array" && /^-?[0-9]+$/.test(String(part))) return items(form);
  if (form.type === undefined) return {};
  throw new Unfit(`${named(part)} leads nowhere in ${schemaWords(form)}`);
}

function named(part: string | number): string {
  return typeof part === "number" ? String(part) : `“${part}”`;
}

function field(form: JsonSchema, name: string): JsonSchema {
  const fields = form.properties ?? {};
  const found = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (found) return rooted(found, form);
  if (form.additionalProperties === false) {
    const there = Object.keys(fields).map((each) => `“${each}”`);
    throw new Unfit(`there is no “${name}”; there is ${there.join(", ") || "nothing"}`);
  }
  return typeof form.additionalProperties === "object"
    ? rooted(form.additionalProperties as JsonSchema, form)
    : {};
}

function items(form: JsonSchema): JsonSchema {
  if (form.type === undefined) return {};
  if (form.type !== "array") throw new Unfit(`${schemaWords(form)} is no list`);
  return typeof form.items === "object" ? rooted(form.items, form) : {};
}

function rooted(schema: JsonSchema, root: JsonSchema): JsonSchema {
  return root.$defs && Object.keys(schema).length > 0 ? { ...schema, $defs: root.$defs } : schema;
}

function afterCast(form: JsonSchema, to: string): JsonSchema {
  const kind = form.type as string | undefined;
  const type = to === "list" ? "array" : to;
  if (kind !== undefined && !CASTABLE[to]?.includes(kind))
    throw new Unfit(`${schemaWords(form)} cannot be cast to ${to}`);
  if (kind === type || (to === "number" && kind === "integer")) return form;
  return to === "list" && kind !== undefined ? { type, items: form } : { type };
}

function afterDate(form: JsonSchema, format: string | undefined): JsonSchema {
  const readable = format === undefined ? ["string", ...NUMBERS] : ["string"];
  if (form.type !== undefined && !readable.includes(form.type as string))
    throw new Unfit(`${schemaWords(form)} is no date`);
  return { type: "string" };
}

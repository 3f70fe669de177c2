/** Reading a port's JSON Schema: what it accepts in words, what colour it has, and whether a wire fits. */

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly title?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: JsonSchema | boolean;
  readonly prefixItems?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly examples?: readonly unknown[];
  readonly [keyword: string]: unknown;
}

export type PortKind =
  | "any"
  | "text"
  | "number"
  | "boolean"
  | "list"
  | "object"
  | "table"
  | "image"
  | "plot"
  | "nothing";

/** Follow a local `$ref` to what it names; any other schema is returned as it is. */
export function resolveSchema(schema: JsonSchema, root: JsonSchema = schema): JsonSchema {
  const name = schema.$ref?.startsWith("#/$defs/") ? schema.$ref.slice(8) : undefined;
  const found = name === undefined ? undefined : root.$defs?.[name];
  return found ? resolveSchema(found, root) : schema;
}

function branches(schema: JsonSchema, root: JsonSchema): JsonSchema[] {
  const here = resolveSchema(schema, root);
  const options = here.anyOf ?? here.oneOf;
  if (options) return options.flatMap((option) => branches(option, root));
  if (Array.isArray(here.type)) return here.type.map((type: string) => ({ ...here, type }));
  return [here];
}

/** Leave out the `null` branch of an optional value, so that its editor is that of the value. */
export function withoutNull(schema: JsonSchema): JsonSchema {
  const rest = branches(schema, schema).filter((branch) => branch.type !== "null");
  const [only] = rest;
  if (rest.length !== 1 || only === undefined) return schema;
  const { anyOf: _any, oneOf: _one, $ref: _ref, ...outer } = schema;
  return { ...outer, ...only, title: schema.title ?? only.title } as JsonSchema;
}

function branchKind(schema: JsonSchema): PortKind {
  if (schema.format === "table") return "table";
  if (schema.format === "plot" || schema.format === "vega-lite") return "plot";
  if (schema.format === "image" || schema.contentMediaType?.toString().startsWith("image/")) return "image";
  if (schema.enum?.every((entry) => typeof entry === "string")) return "text";
  if (typeof schema.const === "string") return "text";
  switch (schema.type) {
    case "string":
      return "text";
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return "list";
    case "object":
      return "object";
    case "null":
      return "nothing";
    default:
      return "any";
  }
}

/** The one kind that stands for a port, for its colour and its word. */
export function portKind(schema: JsonSchema): PortKind {
  const kinds = new Set(branches(schema, schema).map(branchKind));
  kinds.delete("nothing");
  const [only] = kinds;
  return kinds.size === 1 && only !== undefined ? only : "any";
}

/** Name a schema in one or two words: `text`, `list of number`, `text or number`. */
export function schemaWords(schema: JsonSchema): string {
  const words = branches(schema, schema).map((branch) => {
    const kind = branchKind(branch);
    if (kind === "number" && branch.type === "integer") return "whole number";
    if (kind === "list" && typeof branch.items === "object") {
      const inner = schemaWords({ ...branch.items, $defs: schema.$defs ?? {} });
      return inner === "any" ? "list" : `list of ${inner}`;
    }
    return kind;
  });
  const unique = [...new Set(words)].filter((word, _index, all) => word !== "nothing" || all.length === 1);
  return unique.includes("any") ? "any" : unique.join(" or ");
}

/** The forms a value may have, each with `$ref` followed and one type at most; each keeps the `$defs` of the whole. */
export function formsOf(schema: JsonSchema): JsonSchema[] {
  return branches(schema, schema).flatMap((form) => {
    const rooted = schema.$defs && Object.keys(form).length > 0 ? { ...form, $defs: schema.$defs } : form;
    if (typeof form.type === "string") return [rooted];
    const types = typesOf(form);
    return types.length === 0 ? [rooted] : types.map((type) => ({ ...rooted, type }));
  });
}

function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  return "const" in schema ? [schema.const] : schema.enum;
}

function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** The JSON types a form admits; none when it does not say. */
function typesOf(form: JsonSchema): string[] {
  if (typeof form.type === "string") return [form.type];
  const values = valuesOf(form);
  if (values) return [...new Set(values.map(typeOfValue))].sort();
  return form.properties ? ["object"] : [];
}

type Roots = readonly [source: JsonSchema, target: JsonSchema];

function formFits(source: JsonSchema, target: JsonSchema, roots: Roots, depth: number): boolean {
  const [given, wanted] = [typesOf(source), typesOf(target)];
  if (given.length === 0 || wanted.length === 0) return valuesFit(source, target);
  const common = given.filter(
    (type) => wanted.includes(type) || (type === "integer" && wanted.includes("number")),
  );
  if (common.length === 0 || !valuesFit(source, target)) return false;
  if (common.length > 1) return true;
  if (common[0] === "array" && typeof source.items === "object" && typeof target.items === "object")
    return branchesFit(source.items, target.items, roots, depth - 1);
  return common[0] !== "object" || fieldsFit(source, target, roots, depth);
}

function valuesFit(source: JsonSchema, target: JsonSchema): boolean {
  const [given, allowed] = [valuesOf(source), valuesOf(target)];
  return !given || !allowed || given.some((value) => allowed.includes(value));
}

function fieldsFit(source: JsonSchema, target: JsonSchema, roots: Roots, depth: number): boolean {
  return (target.required ?? []).every((name) => {
    const wanted = target.properties?.[name];
    const given = source.properties?.[name];
    if (!wanted) return true;
    if (!given) return source.additionalProperties !== false;
    return branchesFit(given, wanted, roots, depth - 1);
  });
}

/** How deep recursive schemas are compared before they count as fitting. */
const DEPTH = 20;

function branchesFit(source: JsonSchema, target: JsonSchema, roots: Roots, depth: number): boolean {
  if (depth <= 0) return true;
  const targets = branches(target, roots[1]);
  return branches(source, roots[0]).some((from) => targets.some((to) => formFits(from, to, roots, depth)));
}

/** What one wire into an input must bring: an item where it takes `many`, anything where it is a trigger. */
export function wantedOf(target: JsonSchema, many = false, trigger = false): JsonSchema {
  if (trigger) return {};
  if (!many) return target;
  const root = resolveSchema(target);
  return typeof root.items === "object" ? { ...root.items, $defs: target.$defs ?? {} } : {};
}

/**
 * Why a value of `source` can never be one of `target`; null when it may be.
 *
 * Refuses only what is certain: a wire is let through when any form of the source fits any form of the target. The
 * engine judges alike (`schemas.py`; `tests/cases/compatibility.json` holds for both), and has the last word.
 */
export function whyIncompatible(
  source: JsonSchema,
  target: JsonSchema,
  many = false,
  trigger = false,
): string | null {
  const wanted = wantedOf(target, many, trigger);
  if (branchesFit(source, wanted, [source, wanted], DEPTH)) return null;
  return `gives ${schemaWords(source)}, but ${schemaWords(wanted)} is needed`;
}

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

function typeFits(source: JsonSchema, target: JsonSchema, roots: [JsonSchema, JsonSchema]): boolean {
  if (target.type === undefined || source.type === undefined) return true;
  if (source.type === target.type) {
    if (target.type !== "array") return true;
    if (typeof source.items !== "object" || typeof target.items !== "object") return true;
    return branchesFit(source.items, target.items, roots);
  }
  return source.type === "integer" && target.type === "number";
}

function branchesFit(source: JsonSchema, target: JsonSchema, roots: [JsonSchema, JsonSchema]): boolean {
  const targets = branches(target, roots[1]);
  return branches(source, roots[0]).some((from) => targets.some((to) => typeFits(from, to, roots)));
}

/**
 * Why a value of `source` can never be one of `target`; null when it may be.
 *
 * Refuses only what is certain: a wire is let through when any form of the
 * source fits any form of the target. An input that takes `many` wires wants
 * one item of its list from each. The server has the last word.
 */
export function whyIncompatible(source: JsonSchema, target: JsonSchema, many = false): string | null {
  const root = resolveSchema(target);
  const wanted = !many
    ? target
    : typeof root.items === "object"
      ? { ...root.items, $defs: target.$defs ?? {} }
      : {};
  if (branchesFit(source, wanted, [source, wanted])) return null;
  return `gives ${schemaWords(source)}, but ${schemaWords(wanted)} is needed`;
}

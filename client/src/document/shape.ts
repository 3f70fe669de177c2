/**
 * How a spell lies in the shared document, and how it is read from there.
 *
 * Root maps `meta`, `nodes`, `edges`, `groups`, `notes`, `requirements`, `tests`; each thing is a Y.Map, a requirement
 * a text. Of a node, `inputs` and `settings` are Y.Maps and `code` is a Y.Text; of a note, `text` is a Y.Text; of a
 * test, `inputs`, `record` and `expect` are Y.Maps of plain values; all else are plain values, and a
 * position is one value, so that two people's drags never mix their x and y.
 */
import * as Y from "yjs";
import type {
  Json,
  Pair,
  SpellEdge,
  SpellGroup,
  SpellNode,
  SpellNote,
  SpellTest,
  Transform,
} from "../protocol";

/** The roots of what lies on the canvas. */
export const DRAWN = ["nodes", "edges", "groups", "notes"] as const;

/** The roots whose keys are ids of things. */
export const KINDS = [...DRAWN, "tests"] as const;
export type Kind = (typeof KINDS)[number];

/** The thing of each root, as read. */
export interface Things {
  nodes: SpellNode;
  edges: SpellEdge;
  groups: SpellGroup;
  notes: SpellNote;
  tests: SpellTest;
}

/** The fields of each kind that are Y.Maps of plain values, so that two people may change different ones at once. */
export const INNER: { readonly [K in Kind]: readonly string[] } = {
  nodes: ["inputs", "settings"],
  edges: [],
  groups: [],
  notes: [],
  tests: ["inputs", "record", "expect"],
};

/** A shared map of unknown content. */
export type Shared = Y.Map<unknown>;

/** A root map of the document. */
export function root(doc: Y.Doc, kind: Kind | "meta" | "requirements"): Shared {
  return doc.getMap(kind);
}

/** The packages that code needs, by name; `before` where nothing differs. */
export function readRequirements(doc: Y.Doc, before: Readonly<Record<string, string>>) {
  const texts = [...root(doc, "requirements").entries()].filter(([, version]) => typeof version === "string");
  const sorted = texts.sort(([one], [other]) => (one < other ? -1 : 1));
  return shared(before, Object.fromEntries(sorted) as Record<string, string>);
}

const FIELDS: { [K in Kind]: readonly (keyof Things[K] & string)[] } = {
  nodes: ["type", "version", "name", "inputs", "code", "settings", "position", "size", "group"],
  edges: ["source", "output", "target", "input", "transform"],
  groups: ["name", "position", "size", "color", "group", "collapsed"],
  notes: ["text", "position", "size", "color", "group"],
  tests: ["name", "inputs", "record", "expect", "timeout", "live"],
};

/** Make the shared map of a thing from plain fields; unknown ones and those not set are left out. */
export function toShared(kind: Kind, thing: object): Shared {
  const map: Shared = new Y.Map();
  const fields = thing as Record<string, unknown>;
  for (const name of FIELDS[kind]) {
    const value = fields[name];
    if (value !== undefined && value !== null) map.set(name, sharedField(kind, name, value));
  }
  for (const name of INNER[kind]) if (!fields[name]) map.set(name, new Y.Map());
  return map;
}

function sharedField(kind: Kind, name: string, value: unknown): unknown {
  const text = (kind === "nodes" && name === "code") || (kind === "notes" && name === "text");
  if (text) return new Y.Text(String(value));
  if (!INNER[kind].includes(name)) return value;
  return new Y.Map(Object.entries(value as object).filter(([, inner]) => inner !== undefined));
}

const GROUP_SIZE: Pair = [400, 300];
const NOTE_SIZE: Pair = [240, 160];

/**
 * Read one thing; parts equal to those of `before` are the same objects, and `before` itself is returned when
 * nothing differs. What a thing lacks or has malformed is read as its default: the server refuses such edits,
 * but one look at a broken document must not break the page.
 */
export function readThing<K extends Kind>(kind: K, map: unknown, before: Things[K] | undefined): Things[K] {
  const fields = map instanceof Y.Map ? (map.toJSON() as Record<string, unknown>) : {};
  const thing = READERS[kind](fields) as Things[K];
  return before ? shared(before, thing) : thing;
}

const READERS: { [K in Kind]: (fields: Record<string, unknown>) => Things[K] } = {
  nodes: (fields) => ({
    type: text(fields.type),
    inputs: object(fields.inputs) as Record<string, Json>,
    settings: object(fields.settings),
    position: pair(fields.position) ?? [0, 0],
    ...optional("version", typeof fields.version === "number" ? fields.version : undefined),
    ...optional("name", optionalText(fields.name)),
    ...optional("code", optionalText(fields.code)),
    ...optional("size", pair(fields.size)),
    ...optional("group", optionalText(fields.group)),
  }),
  edges: (fields) => ({
    source: text(fields.source),
    output: text(fields.output),
    target: text(fields.target),
    input: text(fields.input),
    ...optional("transform", list(fields.transform) as Transform[] | undefined),
  }),
  groups: (fields) => ({
    name: text(fields.name),
    ...frame(fields, GROUP_SIZE),
    ...optional("collapsed", fields.collapsed === true || undefined),
  }),
  notes: (fields) => ({ text: text(fields.text), ...frame(fields, NOTE_SIZE) }),
  tests: (fields) => ({
    inputs: object(fields.inputs) as SpellTest["inputs"],
    record: object(fields.record) as SpellTest["record"],
    expect: object(fields.expect) as SpellTest["expect"],
    ...optional("name", optionalText(fields.name)),
    ...optional("timeout", typeof fields.timeout === "number" ? fields.timeout : undefined),
    ...optional("live", fields.live === true || undefined),
  }),
};

function frame(fields: Record<string, unknown>, size: Pair) {
  return {
    position: pair(fields.position) ?? ([0, 0] as Pair),
    size: pair(fields.size) ?? size,
    ...optional("color", optionalText(fields.color)),
    ...optional("group", optionalText(fields.group)),
  };
}

function optional<N extends string, V>(name: N, value: V | undefined): { [K in N]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [K in N]?: V };
}

function list(value: unknown): unknown[] | undefined {
  return Array.isArray(value) && value.length > 0 ? value : undefined;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function pair(value: unknown): Pair | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  return value.every((number) => Number.isFinite(number)) ? [value[0], value[1]] : undefined;
}

/** Return `after`, with every part that equals its counterpart in `before` replaced by that. */
export function shared<T>(before: T, after: T): T {
  if (Object.is(before, after)) return before;
  if (typeof before !== "object" || typeof after !== "object" || !before || !after) return after;
  if (Array.isArray(before) !== Array.isArray(after)) return after;
  const old = before as Record<string, unknown>;
  const fresh = after as Record<string, unknown>;
  const names = Object.keys(fresh);
  let equal = names.length === Object.keys(old).length;
  const merged: Record<string, unknown> = Array.isArray(after) ? (Array(names.length) as never) : {};
  for (const name of names) {
    const value = Object.hasOwn(old, name) ? shared(old[name], fresh[name]) : fresh[name];
    merged[name] = value;
    if (!Object.hasOwn(old, name) || !Object.is(value, old[name])) equal = false;
  }
  return equal ? before : (merged as T);
}

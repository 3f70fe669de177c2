/** Doing an edit again, at the level of things, on a document that lacks what the edit was first made on. */
import * as Y from "yjs";
import type { Spell } from "../protocol";
import { INNER, KINDS, type Kind, root, toShared } from "./shape";
import { type TextChange, textChange } from "./text_change";

/** The ids of what differs between two spells. */
export function touched(before: Spell, after: Spell): string[] {
  return KINDS.flatMap((kind) => differing(before[kind], after[kind]));
}

/**
 * Do on `doc` what made `after` of `before`: things are added, taken away, or changed field by field, and texts
 * where they were changed. Returns the ids of things for which that was not wholly possible, because they (or
 * what they name) are not in `doc`, or because their text was changed at the same place.
 */
export function redo(doc: Y.Doc, before: Spell, after: Spell): string[] {
  const left = new Set<string>();
  if (before.name !== after.name) root(doc, "meta").set("name", after.name);
  redoRequirements(doc, before.requirements, after.requirements);
  for (const kind of ["groups", "nodes", "notes", "edges", "tests"] as const) {
    for (const id of differing(before[kind], after[kind])) {
      if (!redoThing(doc, kind, id, before[kind][id], after[kind][id])) left.add(id);
    }
  }
  return [...left];
}

/** Of two who changed the same package the one whose work is done again wins, as when two set one field. */
function redoRequirements(doc: Y.Doc, before: Spell["requirements"], after: Spell["requirements"]): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (before[name] !== after[name]) put(root(doc, "requirements"), name, after[name]);
  }
}

function differing(
  before: Readonly<Record<string, object>>,
  after: Readonly<Record<string, object>>,
): string[] {
  if (before === after) return [];
  const ids = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...ids].filter((id) => before[id] !== after[id]);
}

function redoThing(doc: Y.Doc, kind: Kind, id: string, before?: object, after?: object): boolean {
  const things = root(doc, kind);
  const here = things.get(id);
  if (!after) {
    if (here) things.delete(id);
    return true;
  }
  if (before && !(here instanceof Y.Map)) return false;
  if (kind === "edges" && !endsAreHere(doc, after)) return false;
  const whole = withoutLostGroup(doc, after);
  if (here instanceof Y.Map) return redoFields(here, kind, before ?? {}, whole) && whole === after;
  things.set(id, toShared(kind, whole));
  return whole === after;
}

function endsAreHere(doc: Y.Doc, edge: object): boolean {
  const { source, target } = edge as { source?: string; target?: string };
  const nodes = root(doc, "nodes");
  return [source, target].every((end) => end !== undefined && nodes.has(end));
}

/** The thing itself, or as it is out of a group that is not here. */
function withoutLostGroup(doc: Y.Doc, thing: object): object {
  const { group, ...rest } = thing as { group?: string };
  return group === undefined || root(doc, "groups").has(group) ? thing : rest;
}

function redoFields(map: Y.Map<unknown>, kind: Kind, before: object, after: object): boolean {
  const old = before as Record<string, unknown>;
  const fresh = after as Record<string, unknown>;
  let all = true;
  for (const name of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
    if (same(old[name], fresh[name])) continue;
    if (INNER[kind].includes(name)) redoInner(map, name, old[name], fresh[name]);
    else if (isText(kind, name)) all = redoText(map, name, old[name], fresh[name]) && all;
    else put(map, name, fresh[name]);
  }
  return all;
}

function redoInner(map: Y.Map<unknown>, name: string, before: unknown, after: unknown): void {
  const old = (before ?? {}) as Record<string, unknown>;
  const fresh = (after ?? {}) as Record<string, unknown>;
  if (!(map.get(name) instanceof Y.Map)) map.set(name, new Y.Map());
  const inner = map.get(name) as Y.Map<unknown>;
  for (const key of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
    if (!same(old[key], fresh[key])) put(inner, key, fresh[key]);
  }
}

function redoText(map: Y.Map<unknown>, name: string, before: unknown, after: unknown): boolean {
  const text = map.get(name);
  const [old, fresh] = [String(before ?? ""), String(after ?? "")];
  if (!(text instanceof Y.Text)) {
    if (fresh !== "") map.set(name, new Y.Text(fresh));
    return true;
  }
  const mine = textChange(old, fresh);
  if (!mine) return true;
  const moved = besides(mine, textChange(old, text.toString()));
  if (!moved) return false;
  if (moved.removed > 0) text.delete(moved.at, moved.removed);
  if (moved.inserted) text.insert(moved.at, moved.inserted);
  return true;
}

/** `mine` on a text in which `theirs` was done already; null where they meet. */
function besides(mine: TextChange, theirs: TextChange | null): TextChange | null {
  if (!theirs || mine.at + mine.removed < theirs.at) return mine;
  if (mine.at <= theirs.at + theirs.removed) return null;
  return { ...mine, at: mine.at + theirs.inserted.length - theirs.removed };
}

function put(map: Y.Map<unknown>, name: string, value: unknown): void {
  if (value !== undefined && value !== null) map.set(name, value);
  else if (map.has(name)) map.delete(name);
}

function isText(kind: Kind, name: string): boolean {
  return (kind === "nodes" && name === "code") || (kind === "notes" && name === "text");
}

function same(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || JSON.stringify(a) === JSON.stringify(b);
}

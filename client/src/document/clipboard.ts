/** What is copied: a spell as JSON text, so that it can be pasted into a mail, a file or another canvas. */

import { newId, wireId } from "../ids";
import type { Pair, Spell, SpellEdge, SpellGroup, SpellJson, SpellNode, SpellNote } from "../protocol";
import { PasteError } from "./errors";
import type { PasteOptions } from "./types";

/** A piece of a spell under the ids it will have. */
export interface Fragment {
  nodes: Record<string, Partial<SpellNode> & { type: string }>;
  edges: Record<string, SpellEdge>;
  groups: Record<string, Partial<SpellGroup>>;
  notes: Record<string, Partial<SpellNote>>;
}

const NUDGE = 32;

/** Of the grid for things that come without a place: how many in a row, and the room of each. */
const [IN_ROW, CELL_WIDTH, CELL_HEIGHT] = [4, 320, 220];

/** The chosen things, all that lies in chosen groups, and the wires between them and into them, as text. */
export function copyText(spell: Spell, ids: Iterable<string>): string {
  const chosen = withMembers(spell, new Set(ids));
  const pick = <T>(things: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(things).filter(([id]) => chosen.has(id)));
  const edges = Object.entries(spell.edges).filter(([, edge]) => chosen.has(edge.target));
  const piece: SpellJson = {
    schema: 1,
    name: spell.name,
    nodes: pick(spell.nodes),
    edges: Object.fromEntries(edges),
    groups: pick(spell.groups),
    notes: pick(spell.notes),
  };
  return JSON.stringify(piece, null, 2);
}

function withMembers(spell: Spell, chosen: Set<string>): Set<string> {
  const things = [spell.nodes, spell.groups, spell.notes];
  for (let grown = true; grown; ) {
    grown = false;
    for (const [id, thing] of things.flatMap((map) => Object.entries<{ group?: string }>(map))) {
      if (!chosen.has(id) && thing.group !== undefined && chosen.has(thing.group)) {
        chosen.add(id);
        grown = true;
      }
    }
  }
  return chosen;
}

/** Read pasted text and give its things new ids and places; throws a PasteError. */
export function pasteFragment(text: string, spell: Spell, options: PasteOptions = {}): Fragment {
  const piece = placed(readPiece(text));
  const ids = new Map<string, string>();
  for (const things of [piece.nodes, piece.groups, piece.notes]) {
    for (const id of Object.keys(things)) ids.set(id, newId());
  }
  const shift = shiftTo(piece, options.at);
  const place = <T extends { position?: Pair; group?: string }>(thing: T): T => {
    const [x, y] = thing.position ?? [0, 0];
    const { group, ...rest } = thing;
    const inside =
      group === undefined ? undefined : (ids.get(group) ?? (group in spell.groups ? group : undefined));
    return {
      ...rest,
      position: [x + shift[0], y + shift[1]],
      ...(inside ? { group: inside } : {}),
    } as unknown as T;
  };
  return {
    nodes: renamed(piece.nodes, ids, (node) => withBody(place(node), ids)),
    edges: pastedEdges(piece, ids, options.keepIncoming ? spell : null),
    groups: renamed(piece.groups, ids, place),
    notes: renamed(piece.notes, ids, place),
  };
}

/** A node whose group came along runs the new one. */
function withBody(node: Fragment["nodes"][string], ids: ReadonlyMap<string, string>): typeof node {
  const body = node.settings?.body;
  const group = body?.group === undefined ? undefined : ids.get(body.group);
  return group === undefined ? node : { ...node, settings: { ...node.settings, body: { group } } };
}

function renamed<T>(
  things: Record<string, T>,
  ids: Map<string, string>,
  place: (thing: T) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(things).map(([id, thing]) => [ids.get(id) ?? id, place(thing)]));
}

/** Wires among the pasted nodes; those from outside too where `spell` (if given) still has their source. */
function pastedEdges(
  piece: Fragment,
  ids: Map<string, string>,
  spell: Spell | null,
): Record<string, SpellEdge> {
  const edges: Record<string, SpellEdge> = {};
  for (const { source, output, target, input, ...rest } of Object.values(piece.edges)) {
    const to = piece.nodes[target] && ids.get(target);
    const from = piece.nodes[source] ? ids.get(source) : spell && source in spell.nodes ? source : undefined;
    if (!to || !from) continue;
    edges[wireId(from, output, to, input)] = { source: from, output, target: to, input, ...rest };
  }
  return edges;
}

/** Things without a place get one in a grid below the others: piled up, all but the last would be hidden. */
function placed(piece: Fragment): Fragment {
  const all = [piece.groups, piece.nodes, piece.notes].flatMap((things) =>
    Object.values<{ position?: Pair }>(things),
  );
  const known = all.flatMap(({ position }) => (position ? [position] : []));
  const left = known.length > 0 ? Math.min(...known.map(([x]) => x)) : 0;
  const top = known.length > 0 ? Math.max(...known.map(([, y]) => y)) + CELL_HEIGHT : 0;
  let next = 0;
  const spread = <T extends { position?: Pair }>(things: Record<string, T>) =>
    Object.fromEntries(
      Object.entries(things).map(([id, thing]) => {
        if (thing.position) return [id, thing];
        const [column, row] = [next % IN_ROW, Math.floor(next / IN_ROW)];
        next += 1;
        return [id, { ...thing, position: [left + column * CELL_WIDTH, top + row * CELL_HEIGHT] as Pair }];
      }),
    );
  return { ...piece, groups: spread(piece.groups), nodes: spread(piece.nodes), notes: spread(piece.notes) };
}

function shiftTo(piece: Fragment, at: Pair | undefined): Pair {
  if (!at) return [NUDGE, NUDGE];
  const places = [piece.nodes, piece.groups, piece.notes]
    .flatMap((things) => Object.values<{ position?: Pair }>(things))
    .map((thing) => thing.position ?? ([0, 0] as Pair));
  if (places.length === 0) return [0, 0];
  return [at[0] - Math.min(...places.map(([x]) => x)), at[1] - Math.min(...places.map(([, y]) => y))];
}

function readPiece(text: string): Fragment {
  let piece: unknown;
  try {
    piece = JSON.parse(text);
  } catch {
    throw new PasteError("It is not JSON. Copy nodes on a canvas, or a spell's file.");
  }
  if (!isObject(piece)) throw new PasteError("It is not a spell, which is a JSON object.");
  const fragment = {
    nodes: things(piece, "nodes"),
    edges: things(piece, "edges"),
    groups: things(piece, "groups"),
    notes: things(piece, "notes"),
  };
  const count = Object.values(fragment).reduce((sum, map) => sum + Object.keys(map).length, 0);
  if (count === 0) throw new PasteError("It is a JSON object without nodes, groups or notes.");
  for (const [id, node] of Object.entries(fragment.nodes)) {
    if (typeof node.type !== "string") throw new PasteError(`Node ${id} has no type.`);
    if (node.code != null && typeof node.code !== "string")
      throw new PasteError(`Node ${id}: code must be text.`);
    for (const part of ["inputs", "settings"]) {
      if (node[part] != null && !isObject(node[part]))
        throw new PasteError(`Node ${id}: ${part} must be an object.`);
    }
  }
  for (const [id, edge] of Object.entries(fragment.edges)) {
    const whole = ["source", "output", "target", "input"].every((end) => typeof edge[end] === "string");
    if (!whole) throw new PasteError(`Wire ${id} must have source, output, target and input as text.`);
    const list = edge.transform == null || (Array.isArray(edge.transform) && edge.transform.every(isObject));
    if (!list) throw new PasteError(`Wire ${id}: transform must be a list of objects.`);
  }
  return fragment as unknown as Fragment;
}

function things(piece: Record<string, unknown>, kind: string): Record<string, Record<string, unknown>> {
  const map = piece[kind] ?? {};
  if (!isObject(map)) throw new PasteError(`${kind} must be an object of id to thing.`);
  for (const [id, thing] of Object.entries(map)) {
    if (!isObject(thing)) throw new PasteError(`${kind}.${id} must be an object.`);
    const { position } = thing;
    const pair = Array.isArray(position) && position.length === 2 && position.every(Number.isFinite);
    if (position != null && !pair) throw new PasteError(`${kind}.${id}: position must be [x, y].`);
  }
  return map as Record<string, Record<string, unknown>>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Makes a spell of its own of a part of a spell: what goes into the child, and what stays. Pure. */
import { wireId } from "../../ids";
import type { Port, Spell, SpellEdge, SpellJson, SpellNode } from "../../protocol";
import { bodyKind } from "./bodies";
import { insideOf } from "./folding";
import { NODE_WIDTH } from "./geometry";

/** A wire to or from the node that takes the part's place; its own end is `port`. */
export interface OuterWire {
  readonly node: string;
  readonly port: string;
  /** The name of the child's input or output. */
  readonly name: string;
  readonly transform?: SpellEdge["transform"];
}

export interface Subspell {
  readonly child: SpellJson;
  /** What leaves the canvas. */
  readonly moved: ReadonlySet<string>;
  readonly inputs: readonly OuterWire[];
  readonly outputs: readonly OuterWire[];
}

/** Why a part cannot be a spell of its own, in words. */
export class NoSubspell extends Error {}

const GAP = 120;

/**
 * Split `chosen` off. Each output outside that the part reads becomes an input of the child, and each output of the
 * part that is read outside an output; transforms of wires in stay with the child's wires, those of wires out with
 * the canvas's. What code reads by name across the border (`named`, as wires that nobody drew) is drawn from then on:
 * no name reaches into another canvas. `portOf` says what is known of an input of a node. Throws NoSubspell.
 */
export function splitOff(
  spell: Spell,
  chosen: ReadonlySet<string>,
  name: string,
  portOf: (node: string, input: string) => Port | undefined,
  named: Iterable<SpellEdge> = [],
): Subspell {
  const moved = withBodies(spell, new Set([...chosen].filter((id) => !spell.edges[id])));
  const pick = <T>(things: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(things).filter(([id]) => moved.has(id)));
  const nodes: Record<string, SpellNode> = pick(spell.nodes);
  if (Object.keys(nodes).length === 0) throw new NoSubspell("Select the nodes that it is to be made of.");
  refuseTornBodies(spell, moved);
  const edges: Record<string, SpellEdge> = {};
  const markers = new Markers(spell, nodes, edges);
  for (const [id, edge] of Object.entries(spell.edges)) {
    const [from, to] = [moved.has(edge.source), moved.has(edge.target)];
    if (from && to) edges[id] = edge;
    else if (to && spell.nodes[edge.source]) markers.into(edge, portOf(edge.target, edge.input));
    else if (from && spell.nodes[edge.target]) markers.outOf(edge);
  }
  for (const edge of named) {
    const [from, to] = [moved.has(edge.source), moved.has(edge.target)];
    const drawn = isWired(spell, edge.target, edge.input);
    if (from === to || drawn || !spell.nodes[edge.source] || !spell.nodes[edge.target]) continue;
    if (to) markers.into(edge, portOf(edge.target, edge.input));
    else markers.outOf(edge);
  }
  const outside = ({ group, ...thing }: { group?: string }) =>
    group !== undefined && moved.has(group) ? { ...thing, group } : thing;
  const loose = <T extends object>(things: Record<string, T>) =>
    Object.fromEntries(Object.entries(things).map(([id, thing]) => [id, outside(thing) as T]));
  return {
    child: {
      schema: 1,
      name,
      nodes: loose(nodes),
      edges,
      groups: loose(pick(spell.groups)),
      notes: loose(pick(spell.notes)),
      ...(Object.keys(spell.requirements).length > 0 ? { requirements: { ...spell.requirements } } : {}),
    },
    moved,
    inputs: markers.inputs,
    outputs: markers.outputs,
  };
}

/** Whether a wire was drawn meanwhile to what was read by name. */
function isWired(spell: Spell, node: string, input: string): boolean {
  return Object.values(spell.edges).some((edge) => edge.target === node && edge.input === input);
}

/** What lies in chosen groups, and the groups that chosen nodes run. */
function withBodies(spell: Spell, chosen: Set<string>): Set<string> {
  for (let size = -1; size !== chosen.size; ) {
    size = chosen.size;
    for (const id of insideOf(spell, chosen)) chosen.add(id);
    for (const id of [...chosen]) {
      const group = spell.nodes[id]?.settings.body?.group;
      if (group !== undefined && spell.groups[group]) chosen.add(group);
    }
  }
  return chosen;
}

function refuseTornBodies(spell: Spell, moved: ReadonlySet<string>): void {
  for (const [id, node] of Object.entries(spell.nodes)) {
    if (moved.has(id) || bodyKind(node.settings.body) !== "group") continue;
    const group = node.settings.body?.group ?? "";
    const members = insideOf(spell, new Set([group]));
    if (moved.has(group) || [...members].some((member) => moved.has(member) && spell.nodes[member]))
      throw new NoSubspell(`“${node.name ?? id}” runs some of these nodes: select it with its whole group.`);
  }
}

/** The input and output nodes of the child, made as wires across its border are met. */
class Markers {
  readonly inputs: OuterWire[] = [];
  readonly outputs: OuterWire[] = [];
  readonly #made = new Map<string, string>();
  readonly #names = { input: new Set<string>(), output: new Set<string>() };
  readonly #rows = { input: 0, output: 0 };
  readonly #left: number;
  readonly #right: number;
  readonly #top: number;

  constructor(
    readonly spell: Spell,
    readonly nodes: Record<string, SpellNode>,
    readonly edges: Record<string, SpellEdge>,
  ) {
    const places = Object.values(nodes).map(({ position }) => position);
    this.#left = Math.min(...places.map(([x]) => x)) - NODE_WIDTH - GAP;
    this.#right = Math.max(...places.map(([x]) => x)) + NODE_WIDTH + GAP;
    this.#top = Math.min(...places.map(([, y]) => y));
    for (const node of Object.values(nodes)) {
      const side = node.type === "core.input" ? "input" : node.type === "core.output" ? "output" : null;
      if (side) this.#names[side].add(String(node.inputs.name ?? node.name ?? ""));
    }
  }

  into(edge: SpellEdge, port: Port | undefined): void {
    const marker = this.#marker("input", edge, edge.input, (name) => {
      this.inputs.push({ node: edge.source, port: edge.output, name });
      const schema = port && !port.many && !port.trigger && !edge.transform ? port.schema : undefined;
      return schema && Object.keys(schema).length > 0 ? { schema } : {};
    });
    const wire = { source: marker, output: "value", target: edge.target, input: edge.input };
    this.edges[wireId(wire.source, wire.output, wire.target, wire.input)] = {
      ...wire,
      ...(edge.transform ? { transform: edge.transform } : {}),
    };
  }

  outOf(edge: SpellEdge): void {
    const wanted = GENERIC.has(edge.output) ? (this.nodes[edge.source]?.name ?? edge.output) : edge.output;
    const marker = this.#marker("output", edge, wanted, () => ({}));
    const wire = { source: edge.source, output: edge.output, target: marker, input: "value" };
    this.edges[wireId(wire.source, wire.output, wire.target, wire.input)] = wire;
    this.outputs.push({
      node: edge.target,
      port: edge.input,
      name: String(this.nodes[marker]?.inputs.name),
      ...(edge.transform ? { transform: edge.transform } : {}),
    });
  }

  /** The marker for the wire's outer or inner output; `made` says what a new one has beside its name. */
  #marker(
    side: "input" | "output",
    edge: SpellEdge,
    wanted: string,
    made: (name: string) => Record<string, SpellNode["inputs"][string]>,
  ): string {
    const key = `${side} ${edge.source} ${edge.output}`;
    const before = this.#made.get(key);
    if (before !== undefined) return before;
    const name = free(wanted, this.#names[side]);
    this.#names[side].add(name);
    const id = free(`${side}_${this.#rows[side] + 1}`, new Set(Object.keys(this.nodes)));
    this.#made.set(key, id);
    this.nodes[id] = {
      type: `core.${side}`,
      inputs: { name, ...made(name) },
      settings: {},
      position: [side === "input" ? this.#left : this.#right, this.#top + this.#rows[side] * 220],
    };
    this.#rows[side] += 1;
    return id;
  }
}

/** Names of outputs that say nothing of what they are. */
const GENERIC: ReadonlySet<string> = new Set(["value", "result", "items", "all"]);

function free(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number += 1) name = `${wanted}_${number}`;
  return name;
}

/** Questions about the drawn graph that many components ask; answers are kept per snapshot. */
import type { NodeType, Port, Ports, Problem, Spell, SpellEdge, SpellNode } from "../../protocol";
import { schemaOf } from "./library";
import { whyIncompatible } from "./schema";

/** The ports of a node that have wires. */
export interface Wired {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const NONE: Wired = { inputs: [], outputs: [] };
const wiredBy = new WeakMap<object, Map<string, { inputs: string[]; outputs: string[] }>>();

/** Which ports of `node` have wires. */
export function wiredPorts(edges: Spell["edges"], node: string): Wired {
  let index = wiredBy.get(edges);
  if (!index) {
    index = new Map();
    const at = (id: string) => {
      const found = index?.get(id) ?? { inputs: [], outputs: [] };
      index?.set(id, found);
      return found;
    };
    for (const edge of Object.values(edges)) {
      at(edge.source).outputs.push(edge.output);
      at(edge.target).inputs.push(edge.input);
    }
    wiredBy.set(edges, index);
  }
  return index.get(node) ?? NONE;
}

export function sameWired(a: Wired, b: Wired): boolean {
  return (
    a === b || (a.inputs.join("\n") === b.inputs.join("\n") && a.outputs.join("\n") === b.outputs.join("\n"))
  );
}

const NO_PROBLEMS: readonly Problem[] = [];
const problemsBy = new WeakMap<object, Map<string, Problem[]>>();

/** The problems of one node or edge. */
export function problemsOf(problems: readonly Problem[], id: string): readonly Problem[] {
  let index = problemsBy.get(problems);
  if (!index) {
    index = new Map();
    for (const problem of problems) {
      const owners = new Set([problem.node, problem.edge].filter((owner) => typeof owner === "string"));
      for (const owner of owners) index.set(owner, [...(index.get(owner) ?? []), problem]);
    }
    problemsBy.set(problems, index);
  }
  return index.get(id) ?? NO_PROBLEMS;
}

/** Ports as they are shown: those of the type, then those that only wires speak of (broken). */
export interface ShownPorts {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly broken: ReadonlySet<string>;
  readonly extraInputs: boolean;
}

function withWired(ports: readonly Port[], wired: readonly string[]): readonly Port[] {
  const known = new Set(ports.map((port) => port.name));
  const missing = [...new Set(wired)].filter((name) => !known.has(name));
  return missing.length === 0 ? ports : [...ports, ...missing.map((name) => ({ name, schema: {} }))];
}

/**
 * The ports of a node: the server's word for dynamic ones, else the type's.
 *
 * Named inputs beyond those (of nodes that take any) appear because a wire or a
 * literal names them; where the type takes no such input they are broken.
 */
export function shownPorts(
  node: SpellNode,
  type: NodeType | undefined,
  dynamic: Ports | undefined,
  wired: Wired,
): ShownPorts {
  const ports = dynamic ?? type ?? { inputs: [], outputs: [] };
  const extra = ports.extra_inputs ?? false;
  const given = extra || !type ? Object.keys(node.inputs) : [];
  const inputs = withWired(ports.inputs, [...wired.inputs, ...given]);
  const outputs = withWired(ports.outputs, wired.outputs);
  const waiting = type?.dynamic === true && dynamic === undefined;
  const broken = new Set<string>();
  if (!waiting && !extra) for (const port of inputs.slice(ports.inputs.length)) broken.add(`in:${port.name}`);
  if (!waiting) for (const port of outputs.slice(ports.outputs.length)) broken.add(`out:${port.name}`);
  return { inputs, outputs, broken, extraInputs: extra };
}

/** The nodes from `target` forward that lead to `source`: drawing source -> target would close this circle. */
export function pathBetween(
  edges: Readonly<Record<string, SpellEdge>>,
  from: string,
  to: string,
): string[] | null {
  const next = new Map<string, string[]>();
  for (const edge of Object.values(edges))
    next.set(edge.source, [...(next.get(edge.source) ?? []), edge.target]);
  const cameFrom = new Map<string, string | null>([[from, null]]);
  const queue = [from];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    if (node === to) {
      const path: string[] = [];
      for (let at: string | null | undefined = node; at; at = cameFrom.get(at)) path.unshift(at);
      return path;
    }
    for (const target of next.get(node) ?? []) {
      if (!cameFrom.has(target)) {
        cameFrom.set(target, node);
        queue.push(target);
      }
    }
  }
  return null;
}

/** What a new wire joins. */
export interface WireEnds {
  readonly source: string;
  readonly target: string;
  readonly output: Port;
  readonly input: Port;
}

/** Why a wire may not be drawn, in words for the person who draws it. */
export interface WireRefusal {
  readonly code: "cycle" | "incompatible_types" | "unknown_port";
  readonly reason: string;
}

/** Why this wire may not be drawn; null when it may. `title` says what a node is called on the canvas. */
export function whyNoWire(spell: Spell, ends: WireEnds, title: (id: string) => string): WireRefusal | null {
  if (ends.source === ends.target) return { code: "cycle", reason: "A node cannot feed itself" };
  const why = whyIncompatible(schemaOf(ends.output), schemaOf(ends.input), ends.input.many);
  if (why) return { code: "incompatible_types", reason: `“${ends.output.name}” ${why}` };
  const circle = pathBetween(spell.edges, ends.target, ends.source);
  if (!circle) return null;
  const names = [...circle, ends.target].map(title);
  return { code: "cycle", reason: `This would make a circle: ${names.join(" → ")}` };
}

/** Values by port in the order of the ports; those of no known port come last. */
export function inPortOrder<T>(
  values: Readonly<Record<string, T>>,
  ports: readonly Port[],
): [name: string, value: T][] {
  const rank = new Map(ports.map((port, index) => [port.name, index]));
  const place = (name: string) => rank.get(name) ?? ports.length;
  return Object.entries(values).sort(([a], [b]) => place(a) - place(b));
}

/** How loudly a problem is told: a value that is not there yet is no fault. */
export function problemTone(problem: Problem): "error" | "warning" {
  return problem.code === "missing_input" ? "warning" : problem.severity;
}

/** What a problem says, without the name of the node it is shown at. */
export function shortMessage(message: string): string {
  return message.replace(/^node '[^']*'( \([^)]*\))?: /, "").replace(/^./, (first) => first.toUpperCase());
}

type Incident = Map<string, [id: string, edge: SpellEdge][]>;
const incidentBy = new WeakMap<object, { into: Incident; from: Incident }>();

/** The wires of every node, read once for the same edges. */
function incident(edges: Spell["edges"]): { into: Incident; from: Incident } {
  const known = incidentBy.get(edges);
  if (known) return known;
  const made = { into: new Map() as Incident, from: new Map() as Incident };
  const put = (map: Incident, node: string, entry: [string, SpellEdge]) => {
    const wires = map.get(node);
    if (wires) wires.push(entry);
    else map.set(node, [entry]);
  };
  for (const [id, edge] of Object.entries(edges)) {
    put(made.into, edge.target, [id, edge]);
    put(made.from, edge.source, [id, edge]);
  }
  incidentBy.set(edges, made);
  return made;
}

const NO_WIRES: readonly [string, SpellEdge][] = [];

/** The wires that end at `node`. */
export function incomingEdges(edges: Spell["edges"], node: string): readonly [id: string, edge: SpellEdge][] {
  return incident(edges).into.get(node) ?? NO_WIRES;
}

/** The wires that begin at `node`. */
export function outgoingEdges(edges: Spell["edges"], node: string): readonly [id: string, edge: SpellEdge][] {
  return incident(edges).from.get(node) ?? NO_WIRES;
}

/** All that `node` depends on or that depends on it, the node included; each wire is looked at once. */
export function reachable(spell: Spell, node: string, direction: "up" | "down"): Set<string> {
  const seen = new Set([node]);
  const queue = [node];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    const wires = direction === "up" ? incomingEdges(spell.edges, at) : outgoingEdges(spell.edges, at);
    for (const [, edge] of wires) {
      const there = direction === "up" ? edge.source : edge.target;
      if (seen.has(there)) continue;
      seen.add(there);
      queue.push(there);
    }
  }
  return seen;
}

/** What a node is called where it has no name of its own. */
export function nodeTitle(node: SpellNode | undefined, type: NodeType | undefined): string {
  return node?.name || type?.title || node?.type || "";
}

/** Questions about the drawn graph that many components ask; answers are kept per snapshot. */
import type {
  NodeFailure,
  NodeType,
  Port,
  Ports,
  Problem,
  Spell,
  SpellEdge,
  SpellNode,
  Transform,
} from "../../protocol";
import { markerName } from "./bodies";
import { schemaOf } from "./library";
import { wantedOf } from "./schema";
import { suggestTransform, whyIncompatibleAfter } from "./transform_schemas";

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
      const owners = new Set(
        [problem.node, problem.edge, ...namedIn(problem)].filter((owner) => typeof owner === "string"),
      );
      for (const owner of owners) index.set(owner, [...(index.get(owner) ?? []), problem]);
    }
    problemsBy.set(problems, index);
  }
  return index.get(id) ?? NO_PROBLEMS;
}

/** The nodes whose code closes a circle by a name. */
function namedIn({ details }: Problem): unknown[] {
  return Array.isArray(details?.names)
    ? (details.names as { node?: unknown }[]).map((name) => name?.node)
    : [];
}

/** Ports as they are shown: those of the type, then those that only wires speak of (broken). */
export interface ShownPorts {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly broken: ReadonlySet<string>;
  readonly extraInputs: boolean;
  /** The outputs that every node has, but for those whose names its type took for its own. */
  readonly reserved: readonly Port[];
}

const TEXT = { type: "string" };

/** A failure; what is read of it most comes first, for that is what a wire into a text is offered. */
const FAILURE = {
  type: "object",
  properties: { message: TEXT, code: TEXT, node: TEXT, port: TEXT, attempts: { type: "integer" } },
};

const RESERVED: readonly Port[] = [
  {
    name: "error",
    role: "error",
    schema: FAILURE,
    description: "Why the node failed; nothing where it did not. With a wire here, a failure skips nobody.",
  },
  { name: "all", role: "all", schema: { type: "object" }, description: "All outputs of the node, by name." },
];

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
  const told = dynamic ?? type ?? { inputs: [], outputs: [] };
  const ports = told.outputs.some(({ role }) => role)
    ? { ...told, outputs: told.outputs.filter(({ role }) => !role) }
    : told;
  const own = new Set(ports.outputs.map(({ name }) => name));
  const reserved = RESERVED.filter(({ name }) => !own.has(name));
  const extra = ports.extra_inputs ?? false;
  const given = extra || !type ? Object.keys(node.inputs) : [];
  const inputs = withWired(ports.inputs, [...wired.inputs, ...given]);
  const outputs = withWired(
    ports.outputs,
    wired.outputs.filter((name) => !reserved.some((port) => port.name === name)),
  );
  const waiting = type?.dynamic === true && dynamic === undefined;
  const broken = new Set<string>();
  if (!waiting && !extra) for (const port of inputs.slice(ports.inputs.length)) broken.add(`in:${port.name}`);
  if (!waiting) for (const port of outputs.slice(ports.outputs.length)) broken.add(`out:${port.name}`);
  return { inputs, outputs, broken, extraInputs: extra, reserved };
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

/** What a new wire joins, and what it does to a value on its way. */
export interface WireEnds {
  readonly source: string;
  readonly target: string;
  readonly output: Port;
  readonly input: Port;
  readonly transform?: readonly Transform[];
}

/** Why a wire may not be drawn, in words for the person who draws it. */
export interface WireRefusal {
  readonly code: "cycle" | "incompatible_types" | "unknown_port";
  readonly reason: string;
  /** Transforms with which the wire would fit. */
  readonly suggest?: readonly Transform[];
}

/** Why this wire may not be drawn; null when it may. `title` says what a node is called on the canvas. */
export function whyNoWire(spell: Spell, ends: WireEnds, title: (id: string) => string): WireRefusal | null {
  if (ends.source === ends.target) return { code: "cycle", reason: "A node cannot feed itself" };
  const circle = pathBetween(spell.edges, ends.target, ends.source);
  if (circle) {
    const names = [...circle, ends.target].map(title);
    return { code: "cycle", reason: `This would make a circle: ${names.join(" → ")}` };
  }
  return whyNoFit(ends);
}

/** Why an output, after the transforms of its wire, does not fit an input, and what would make it; null when it does. */
export function whyNoFit({
  output,
  input,
  transform = [],
}: Omit<WireEnds, "source" | "target">): WireRefusal | null {
  const wanted = wantedOf(schemaOf(input), input.many, input.trigger);
  const why = whyIncompatibleAfter(schemaOf(output), transform, wanted);
  if (!why) return null;
  const suggest = suggestTransform(schemaOf(output), wanted, input.name, transform);
  return {
    code: "incompatible_types",
    reason:
      transform.length === 0 ? `“${output.name}” ${why}` : `After its transforms “${output.name}” ${why}`,
    ...(suggest ? { suggest } : {}),
  };
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

/** What a problem says, without the name of the node it is shown at; a dotted name that it begins with stays. */
export function shortMessage(message: string): string {
  const plain = message.replace(/^node '[^']*'( \([^)]*\))?: /, "");
  return /^\w+\.\w/.test(plain) ? plain : plain.replace(/^./, (first) => first.toUpperCase());
}

/** A failure in words; of a node inside, the path in it gives way to what the node is called. */
export function failureText({ message, details }: NodeFailure): string {
  const { path, label } = details ?? {};
  if (typeof path !== "string" || typeof label !== "string" || !message.startsWith(path))
    return shortMessage(message);
  return `“${label}”: ${shortMessage(message.slice(path.length).replace(/^( \('[^']*'\))?: /, ""))}`;
}

const intoBy = new WeakMap<object, Map<string, [id: string, edge: SpellEdge][]>>();
const NO_WIRES: readonly [string, SpellEdge][] = [];

/** The wires that end at `node`; all are read once for the same edges. */
export function incomingEdges(edges: Spell["edges"], node: string): readonly [id: string, edge: SpellEdge][] {
  let into = intoBy.get(edges);
  if (!into) {
    into = new Map();
    for (const [id, edge] of Object.entries(edges)) {
      const wires = into.get(edge.target);
      if (wires) wires.push([id, edge]);
      else into.set(edge.target, [[id, edge]]);
    }
    intoBy.set(edges, into);
  }
  return into.get(node) ?? NO_WIRES;
}

/** What a node is called where it has no name of its own. */
export function nodeTitle(node: SpellNode | undefined, type: NodeType | undefined): string {
  return node?.name || markerTitle(node, type) || type?.title || node?.type || "";
}

/** `Input city`: what is written there is what its owner's port is called. */
function markerTitle(node: SpellNode | undefined, type: NodeType | undefined): string | null {
  const name = markerName(node);
  return name === undefined ? null : `${type?.title ?? "Port"} ${name}`;
}

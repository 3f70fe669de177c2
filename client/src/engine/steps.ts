/** A finished run as the steps that plugins are shown, in graph order. */
import {
  isRef,
  type Json,
  type Outputs,
  type PortValue,
  type RunView,
  type Spell,
  type SpellEdge,
  type SpellJson,
  type Transform,
} from "../protocol";
import { graphOrder } from "./graph_order";
import { reshape, reshapeNothing, TransformError } from "./transform";
import type { ReplayRun, ReplayStep } from "./types";

/**
 * The steps of a run. The order is the server's; where it does not name one, it follows from the spell.
 * Nodes of which the run left nothing (it was cancelled before their turn) are left out.
 */
export function stepsOf(
  run: ReplayRun,
  view: RunView,
  load: (value: PortValue) => Promise<Json>,
): readonly ReplayStep[] {
  const { spell } = run;
  const incoming = incomingWires(spell);
  const told = run.order.filter((node) => leftSomething(view, node));
  return told.map((node, index) => {
    const outputs = view.outputs?.[node] ?? {};
    return {
      run,
      node,
      type: spell.nodes[node]?.type ?? "unknown",
      name: spell.nodes[node]?.name ?? null,
      inputs: inputsOf(node, spell, incoming.get(node) ?? [], view),
      outputs,
      ...stateOf(view, node),
      duration: view.durations?.[node] ?? null,
      index,
      total: told.length,
      signal: run.signal,
      load: (port) => load(outputs[port] ?? null),
    };
  });
}

/** The order in which a run is walked. */
export function orderOf(view: RunView, spell: Spell): readonly string[] {
  return view.order && view.order.length > 0 ? view.order : graphOrder(spell);
}

function leftSomething(view: RunView, node: string): boolean {
  return [view.outputs, view.errors, view.skipped].some((part) => part?.[node] !== undefined);
}

function stateOf(view: RunView, node: string): Pick<ReplayStep, "state" | "error" | "why"> {
  const error = view.errors?.[node];
  if (error) return { state: "failed", error, why: view.why?.[node] ?? null };
  const skipped = view.skipped?.[node];
  if (skipped !== undefined) return { state: "skipped", error: null, why: skipped };
  const why = view.why?.[node] ?? null;
  return { state: why === "cached" ? "cached" : "done", error: null, why };
}

function incomingWires(spell: Spell): Map<string, SpellEdge[]> {
  const incoming = new Map<string, SpellEdge[]>();
  for (const [, edge] of Object.entries(spell.edges).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const edges = incoming.get(edge.target);
    if (edges) edges.push(edge);
    else incoming.set(edge.target, [edge]);
  }
  return incoming;
}

function inputsOf(
  node: string,
  spell: Spell,
  wires: readonly SpellEdge[],
  view: RunView,
): Record<string, PortValue> {
  const inputs: Record<string, PortValue> = { ...spell.nodes[node]?.inputs };
  const byPort = new Map<string, Brought[]>();
  for (const { source, output, input, transform } of wires) {
    const brought = { value: view.outputs?.[source]?.[output], transform: transform ?? [] };
    if (carried(brought) !== undefined) byPort.set(input, [...(byPort.get(input) ?? []), brought]);
  }
  for (const [port, all] of byPort) {
    inputs[port] = asInput(all.map((each) => carried(each) ?? null));
    if (all.some(({ value, transform }) => isRef(value) && transform.length > 0)) {
      const partial = unshaped.get(inputs) ?? new Map<string, readonly Brought[]>();
      unshaped.set(inputs, partial.set(port, all));
    }
  }
  return inputs;
}

/** What a wire has at its beginning, and what it does to that. */
interface Brought {
  readonly value: PortValue | undefined;
  readonly transform: readonly Transform[];
}

/** By a step's inputs: the ports where a large value was changed on its way, of which only the beginning was at hand. */
const unshaped = new WeakMap<object, Map<string, readonly Brought[]>>();

function asInput(values: readonly PortValue[]): PortValue {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : (values as Json[]);
}

/**
 * What a wire brought: of a large value that it changed, what its beginning becomes. Where a transform could not
 * take the value, the node failed and says so: the wire brought nothing.
 */
function carried({ value, transform }: Brought): PortValue | undefined {
  if (transform.length === 0) return value;
  try {
    if (value === undefined) return reshapeNothing(transform);
    return reshape(isRef(value) ? value.preview : value, transform);
  } catch (error) {
    if (error instanceof TransformError) return isRef(value) ? value : undefined;
    throw error;
  }
}

/** A spell as REST gives it, with what was left out filled in. */
export function wholeSpell(spell: SpellJson): Spell {
  const nodes = Object.entries(spell.nodes ?? {}).map(([id, node]) => [
    id,
    { inputs: {}, settings: {}, position: [0, 0] as const, ...node },
  ]);
  return {
    schema: 1,
    name: spell.name ?? "Untitled",
    nodes: Object.fromEntries(nodes),
    edges: spell.edges ?? {},
    groups: {},
    notes: {},
    requirements: {},
    tests: {},
  };
}

/** The same step with its inputs and outputs whole; what cannot be fetched stays as it is, and `failed` is told. */
export async function withFullValues(
  step: ReplayStep,
  load: (value: PortValue) => Promise<Json>,
  failed: (error: unknown) => void,
): Promise<ReplayStep> {
  const one = async (value: PortValue): Promise<PortValue> => {
    try {
      return await load(value);
    } catch (error) {
      failed(error);
      return value;
    }
  };
  // A list may be what several wires brought, each by reference.
  const some = async (value: PortValue) =>
    Array.isArray(value) && value.some(isRef) ? ((await Promise.all(value.map(one))) as Json[]) : one(value);
  const whole = async (values: Outputs) => {
    const pairs = Object.entries(values).map(async ([port, value]) => [port, await some(value)] as const);
    return Object.fromEntries(await Promise.all(pairs));
  };
  const [inputs, outputs] = await Promise.all([whole(step.inputs), whole(step.outputs)]);
  for (const [port, all] of unshaped.get(step.inputs) ?? []) {
    const values = await Promise.all(
      all.map(async (each) => shapedWhole(each, await one(each.value ?? null))),
    );
    inputs[port] = asInput(values);
  }
  return { ...step, inputs, outputs };
}

/** What a wire brought, now that its value is whole; the value itself where it could not be fetched. */
function shapedWhole({ value, transform }: Brought, whole: PortValue): PortValue {
  if (isRef(whole)) return whole;
  return carried({ value: value === undefined ? undefined : whole, transform }) ?? null;
}

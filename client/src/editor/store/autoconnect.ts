/** Draws the wires that nodes lack: between two nodes, or into one by looking back over the canvas. */
import type { Spell, SpellEdge } from "../../protocol";
import { portsNow } from "../hooks/useConnect";
import type { Editor } from "./editor";
import { nodeTitle, pathBetween } from "./graph";
import { suggestBack, suggestWires } from "./suggestion";

/** Nodes that are looked back over. */
const MOST = 200;

/**
 * Connect the selected nodes: one looks back over the canvas; of several, each looks to the nearest selected nodes
 * before it, from left to right. Says what was drawn, or that nothing fits.
 */
export function connectAutomatically(editor: Editor, nodes: readonly string[]): number {
  const spell = editor.document.spell.get();
  const [only, ...more] = nodes.filter((id) => spell.nodes[id]);
  if (only === undefined) return 0;
  const left = (id: string) => spell.nodes[id]?.position[0] ?? 0;
  const chosen = [only, ...more].sort((a, b) => left(a) - left(b));
  editor.document.checkpoint();
  const drawn = editor.document.together(() =>
    more.length === 0
      ? connectBack(editor, only)
      : chosen
          .slice(1)
          .reduce((count, id, at) => count + connectBack(editor, id, chosen.slice(0, at + 1)), 0),
  );
  editor.toasts.show({ tone: drawn > 0 ? "done" : "info", title: told(editor, drawn, chosen) });
  return drawn;
}

function told(editor: Editor, drawn: number, nodes: readonly string[]): string {
  if (drawn > 0) return drawn === 1 ? "One wire drawn" : `${drawn} wires drawn`;
  const [only] = nodes;
  const node = only === undefined ? undefined : editor.document.spell.get().nodes[only];
  return nodes.length > 1 || !node
    ? "Nothing of these fits together"
    : `Nothing here fits what “${nodeTitle(node, editor.library.of(node))}” needs`;
}

/** Feed what a new node needs from another: nothing is drawn into one that needs nothing. */
export function feedNeeds(editor: Editor, source: string, target: string): void {
  const [from, to] = [portsNow(editor, source), portsNow(editor, target)];
  if (!from || !to) return;
  const needed = new Set(to.inputs.filter((port) => port.required).map(({ name }) => name));
  const wires = suggestWires(from.outputs, to.inputs);
  if (!wires.some(([, input]) => needed.has(input))) return;
  for (const [output, input] of wires) {
    if (needed.has(input) || input === output) draw(editor, { source, output, target, input });
  }
}

/** Draw the wires into a node that looking back suggests, over `among` or all that come before it; returns how many. */
export function connectBack(editor: Editor, target: string, among?: readonly string[]): number {
  const spell = editor.document.spell.get();
  const node = spell.nodes[target];
  const ports = portsNow(editor, target);
  if (!node || !ports) return 0;
  const nearest = among ? [...among].reverse() : nearestFirst(spell, target);
  const earlier = nearest
    .filter((id) => pathBetween(spell.edges, target, id) === null)
    .slice(0, MOST)
    .map((id) => ({ id, outputs: portsNow(editor, id)?.outputs ?? [] }));
  const fed = new Set([...inputsOf(spell.edges, target), ...Object.keys(node.inputs)]);
  const wires = suggestBack(earlier, ports.inputs, fed).filter(([, , input]) => !fed.has(input));
  for (const [source, output, input] of wires) draw(editor, { source, output, target, input });
  return wires.length;
}

function draw(editor: Editor, edge: SpellEdge): void {
  const input = portsNow(editor, edge.target)?.inputs.find((port) => port.name === edge.input);
  editor.document.connect(edge, { many: input?.many ?? false });
}

function inputsOf(edges: Spell["edges"], target: string): string[] {
  return Object.values(edges).flatMap((edge) => (edge.target === target ? [edge.input] : []));
}

/** Other nodes: those that feed `target` first, by the wires between, then by how far away they lie. */
function nearestFirst(spell: Spell, target: string): string[] {
  const feeders = new Map<string, string[]>();
  for (const edge of Object.values(spell.edges)) {
    const known = feeders.get(edge.target);
    if (known) known.push(edge.source);
    else feeders.set(edge.target, [edge.source]);
  }
  const steps = new Map([[target, 0]]);
  for (const [id, count] of steps) // grows as it goes
    for (const source of feeders.get(id) ?? []) if (!steps.has(source)) steps.set(source, count + 1);
  const [x, y] = spell.nodes[target]?.position ?? [0, 0];
  const rank = (id: string) => {
    const [left, top] = spell.nodes[id]?.position ?? [0, 0];
    return [steps.get(id) ?? Number.POSITIVE_INFINITY, Math.hypot(left - x, top - y)] as const;
  };
  return Object.keys(spell.nodes)
    .filter((id) => id !== target)
    .map((id) => [id, rank(id)] as const)
    .sort(([a, [stepsA, farA]], [b, [stepsB, farB]]) =>
      stepsA === stepsB ? farA - farB || (a < b ? -1 : 1) : stepsA - stepsB,
    )
    .map(([id]) => id);
}

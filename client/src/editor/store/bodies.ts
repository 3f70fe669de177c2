/** What nodes run inside themselves, as the canvas tells it: pure questions about the drawn spell. */
import type { NodeBody, NodeType, Spell, SpellNode } from "../../protocol";

const NOBODY: readonly string[] = [];
const ownersBy = new WeakMap<Spell["nodes"], Map<string, string[]>>();

/** The nodes whose body is the group. */
export function ownersOf(nodes: Spell["nodes"], group: string): readonly string[] {
  let owners = ownersBy.get(nodes);
  if (!owners) {
    owners = new Map();
    for (const [id, node] of Object.entries(nodes)) {
      const body = node.settings.body?.group;
      if (body !== undefined) owners.set(body, [...(owners.get(body) ?? []), id]);
    }
    ownersBy.set(nodes, owners);
  }
  return owners.get(group) ?? NOBODY;
}

/** Which of the three a body is; null for none. */
export function bodyKind(body: NodeBody | undefined): keyof NodeBody | null {
  if (body?.group !== undefined) return "group";
  if (body?.spell !== undefined) return "spell";
  return body?.type !== undefined ? "type" : null;
}

/** Whether a node may run something inside it, or says that it does. */
export function mayHaveBody(node: SpellNode, type: NodeType | undefined): boolean {
  return type?.body === true || node.settings.body !== undefined;
}

/** The canvas that a node runs. */
export function childOf(node: SpellNode | undefined): string | undefined {
  return node?.settings.body?.spell;
}

const MARKERS: ReadonlySet<string> = new Set(["core.input", "core.output"]);

/** What an input or output of a spell is called; undefined for all other nodes. */
export function markerName(node: SpellNode | undefined): string | undefined {
  const name = node && MARKERS.has(node.type) ? node.inputs.name : undefined;
  return typeof name === "string" && name !== "" ? name : undefined;
}

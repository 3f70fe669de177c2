/** Whether what a node left still holds: compares what it was made from with what it would be made from. */
import type { Json, Spell, SpellEdge, SpellJson, SpellNode } from "../protocol";
import { namedInCode } from "./code_names";
import { graphOrder } from "./graph_order";

/** What each node of a spell is made from, itself and all that feeds it, as comparable texts. */
export type Recipes = ReadonlyMap<string, string>;

type AnyNode = Partial<SpellNode> & { type: string };

const ownRecipes = new WeakMap<object, string>();

/**
 * Return the recipe of every node: its type, version, code and literal inputs, the settings that decide what leaves
 * it (mode, pins, body), its wires with their transforms, and the recipes of what feeds it, by wire or by a name in
 * its code. Places, sizes and other settings do not count, and a name only where code speaks of it.
 *
 * A recipe stands as a hash of 64 bits: enough to say "changed", never used to look anything up. Where `kept` gives
 * one, the node is not made anew: what it was made from stands.
 */
export function recipesOf(
  spell: Spell | SpellJson,
  kept: (id: string) => string | undefined = () => undefined,
): Recipes {
  const nodes = (spell.nodes ?? {}) as Readonly<Record<string, AnyNode>>;
  const incoming = incomingOf(nodes, Object.values(spell.edges ?? {}));
  const named = namedInCode(nodes, incoming);
  for (const edge of named) add(incoming, edge);
  const bodies = bodiesOf(nodes);
  const taken = takenOf(Object.values(spell.edges ?? {}));
  const recipes = new Map<string, string>();
  const drawn = Object.entries(spell.edges ?? {});
  const edges = Object.fromEntries([
    ...drawn,
    ...named.map((edge, index) => [`name ${index}`, edge] as const),
  ]);
  for (const id of graphOrder({ nodes: nodes as Spell["nodes"], edges })) {
    const node = nodes[id];
    if (!node) continue;
    const standing = kept(id);
    if (standing !== undefined) {
      recipes.set(id, standing);
      continue;
    }
    const wires = cutOff(node, taken.get(id))
      ? []
      : (incoming.get(id) ?? []).map((edge) => wireRecipe(edge, recipes));
    const body = node.settings?.body?.group;
    const inside = body === undefined ? "" : (bodies.get(body)?.sort().join("|") ?? "");
    recipes.set(id, hash64(`${ownRecipe(node)}|${wires.sort().join("|")}|${inside}`));
  }
  return recipes;
}

function incomingOf(nodes: Readonly<Record<string, AnyNode>>, edges: readonly SpellEdge[]) {
  const incoming = new Map<string, SpellEdge[]>();
  for (const edge of edges) if (edge.source in nodes) add(incoming, edge);
  return incoming;
}

function add(incoming: Map<string, SpellEdge[]>, edge: SpellEdge): void {
  const edges = incoming.get(edge.target);
  if (edges) edges.push(edge);
  else incoming.set(edge.target, [edge]);
}

function wireRecipe({ source, output, input, transform }: SpellEdge, recipes: Recipes): string {
  const change = transform?.length ? `~${JSON.stringify(sorted(transform))}` : "";
  return `${input}<${output}@${recipes.get(source) ?? source}${change}`;
}

/** Of each group that is some node's body: what its nodes are, each by itself. */
function bodiesOf(nodes: Readonly<Record<string, AnyNode>>): ReadonlyMap<string, string[]> {
  const bodies = new Map<string, string[]>();
  for (const { settings } of Object.values(nodes))
    if (settings?.body?.group) bodies.set(settings.body.group, []);
  if (bodies.size === 0) return bodies;
  for (const [id, node] of Object.entries(nodes))
    bodies.get(node.group ?? "")?.push(`${id}=${ownRecipe(node)}`);
  return bodies;
}

/** The outputs of each node that have a wire. */
function takenOf(edges: readonly SpellEdge[]): ReadonlyMap<string, ReadonlySet<string>> {
  const taken = new Map<string, Set<string>>();
  for (const { source, output } of edges) {
    const outputs = taken.get(source);
    if (outputs) outputs.add(output);
    else taken.set(source, new Set([output]));
  }
  return taken;
}

/** Whether nothing before a node decides what leaves it: it is muted, or hands gave all that is taken from it. */
function cutOff({ settings }: AnyNode, taken: ReadonlySet<string> | undefined): boolean {
  if (settings?.mode === "mute") return true;
  const pins = settings?.pins;
  if (!pins || Object.keys(pins).length === 0) return false;
  for (const output of taken ?? []) if (output !== "error" && !(output in pins)) return false;
  return true;
}

function ownRecipe(node: AnyNode): string {
  const known = ownRecipes.get(node);
  if (known !== undefined) return known;
  const recipe = hash64(JSON.stringify(madeOf(node)));
  ownRecipes.set(node, recipe);
  return recipe;
}

function madeOf(node: AnyNode): unknown[] {
  const { mode, pins, body } = node.settings ?? {};
  if (mode === "mute") return [mode];
  const made = [node.type, node.version ?? null, node.code ?? null, sorted(node.inputs ?? {})];
  if (mode !== undefined) made.push(mode);
  if (pins !== undefined && Object.keys(pins).length > 0) made.push("pins", sorted(pins));
  if (body !== undefined) made.push("body", sorted(body));
  return made;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Record<string, Json>;
  return Object.keys(fields)
    .sort()
    .map((name) => [name, sorted(fields[name])]);
}

/** Whether two spells are surely made from the same: what was only moved or sized does not count. */
export function sameRecipes(before: Spell, after: Spell): boolean {
  if (before.edges !== after.edges) return false;
  const ids = Object.keys(after.nodes);
  if (ids.length !== Object.keys(before.nodes).length) return false;
  return ids.every((id) => {
    const [old, node] = [before.nodes[id], after.nodes[id]];
    if (old === node) return true;
    // Names matter where code speaks of them, and groups where they are a body: then recipes are made anew.
    return old?.name === node?.name && old?.group === node?.group && own(old) === own(node);
  });
}

function own(node: SpellNode | undefined): string | undefined {
  return node && ownRecipe(node);
}

/** Two lanes of FNV-1a over UTF-16 units, as text: 64 bits. */
function hash64(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x2f0b4a27;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 16777619);
    b = Math.imul(b ^ unit, 0x5bd1e995) ^ (b >>> 15);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36).padStart(7, "0");
}

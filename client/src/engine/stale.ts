/** Whether what a node left still holds: compares what it was made from with what it would be made from. */
import type { Json, Spell, SpellEdge, SpellJson, SpellNode } from "../protocol";
import { graphOrder } from "./graph_order";

/** What each node of a spell is made from, itself and all that feeds it, as comparable texts. */
export type Recipes = ReadonlyMap<string, string>;

type AnyNode = Partial<SpellNode> & { type: string };

const ownRecipes = new WeakMap<object, string>();

/**
 * Return the recipe of every node: its type, version, code and literal inputs, its wires, and the recipes of
 * what feeds it. Places, sizes, names and settings do not count.
 *
 * A recipe stands as a hash of 64 bits: enough to say "changed", never used to look anything up.
 */
export function recipesOf(spell: Spell | SpellJson): Recipes {
  const nodes = (spell.nodes ?? {}) as Readonly<Record<string, AnyNode>>;
  const incoming = new Map<string, SpellEdge[]>();
  for (const edge of Object.values(spell.edges ?? {})) {
    if (!(edge.source in nodes)) continue;
    const edges = incoming.get(edge.target);
    if (edges) edges.push(edge);
    else incoming.set(edge.target, [edge]);
  }
  const recipes = new Map<string, string>();
  for (const id of graphOrder(spell)) {
    const node = nodes[id];
    if (!node) continue;
    const wires = (incoming.get(id) ?? []).map(
      ({ source, output, input }) => `${input}<${output}@${recipes.get(source) ?? source}`,
    );
    recipes.set(id, hash64(`${ownRecipe(node)}|${wires.sort().join("|")}`));
  }
  return recipes;
}

function ownRecipe(node: AnyNode): string {
  const known = ownRecipes.get(node);
  if (known !== undefined) return known;
  const made = [node.type, node.version ?? null, node.code ?? null, sorted(node.inputs ?? {})];
  const recipe = hash64(JSON.stringify(made));
  ownRecipes.set(node, recipe);
  return recipe;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Record<string, Json>;
  return Object.keys(fields)
    .sort()
    .map((name) => [name, sorted(fields[name])]);
}

/** Whether two spells are made from the same: what was moved, sized or named does not count. */
export function sameRecipes(before: Spell, after: Spell): boolean {
  if (before.edges !== after.edges) return false;
  const ids = Object.keys(after.nodes);
  if (ids.length !== Object.keys(before.nodes).length) return false;
  return ids.every((id) => {
    const [old, node] = [before.nodes[id], after.nodes[id]];
    return old === node || (old && node && ownRecipe(old) === ownRecipe(node));
  });
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

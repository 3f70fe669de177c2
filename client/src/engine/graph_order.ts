/** The order in which a graph is walked. */
import type { Spell, SpellJson } from "../protocol";

/** What an order needs of a spell. */
type Graph = Pick<Spell, "nodes" | "edges"> | Pick<SpellJson, "nodes" | "edges">;

/**
 * Node ids in graph order: each after all that feed it (Kahn's algorithm; among those that could come next the
 * smaller id does, so the order is the same in every tab). Nodes on a cycle, and those behind one, come last in
 * the order of their ids. Wires with an end that is not there do not count.
 */
export function graphOrder(graph: Graph): string[] {
  const nodes = graph.nodes ?? {};
  const needs = new Map(Object.keys(nodes).map((id) => [id, 0]));
  const feeds = new Map<string, string[]>();
  for (const { source, target } of Object.values(graph.edges ?? {})) {
    if (!needs.has(source) || !needs.has(target)) continue;
    needs.set(target, (needs.get(target) ?? 0) + 1);
    const fed = feeds.get(source);
    if (fed) fed.push(target);
    else feeds.set(source, [target]);
  }
  const ready = [...needs].filter(([, count]) => count === 0).map(([id]) => id);
  ready.sort();
  const order: string[] = [];
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    order.push(id);
    needs.delete(id);
    const freed: string[] = [];
    for (const target of feeds.get(id) ?? []) {
      const left = (needs.get(target) ?? 0) - 1;
      needs.set(target, left);
      if (left === 0) freed.push(target);
    }
    if (freed.length > 0) ready.splice(0, ready.length, ...merge(ready, freed.sort()));
  }
  return [...order, ...[...needs.keys()].sort()];
}

function merge(left: readonly string[], right: readonly string[]): string[] {
  const merged: string[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const a = left[l];
    const b = right[r];
    if (b === undefined || (a !== undefined && a <= b)) {
      merged.push(a as string);
      l += 1;
    } else {
      merged.push(b);
      r += 1;
    }
  }
  return merged;
}

/** These nodes and all that depends on them, by wires; each wire is looked at once. */
export function onward(graph: Pick<Spell, "edges">, from: Iterable<string>): Set<string> {
  const feeds = new Map<string, string[]>();
  for (const { source, target } of Object.values(graph.edges)) {
    const fed = feeds.get(source);
    if (fed) fed.push(target);
    else feeds.set(source, [target]);
  }
  const found = new Set(from);
  // What is added to a set while it is walked is walked, too.
  for (const id of found) for (const target of feeds.get(id) ?? []) found.add(target);
  return found;
}

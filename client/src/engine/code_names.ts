/** Which nodes a code node may speak of by name, without a wire (rule 3.7), as far as the text alone tells. */
import type { SpellEdge } from "../protocol";

interface Named {
  readonly name?: string | undefined;
  readonly code?: string | undefined;
  readonly inputs?: Readonly<Record<string, unknown>> | undefined;
}

const words = new WeakMap<object, ReadonlySet<string>>();

/**
 * Return, as undrawn wires, the nodes that each node's code names: those of that name, else of that id, where there
 * is one and no wire or value of that name.
 *
 * The server reads the code as a program; here every word counts that is no attribute. So a node may be thought to
 * depend on one more than it does, never on one fewer: at worst it is called stale and its next run is cached.
 */
export function namedInCode(
  nodes: Readonly<Record<string, Named>>,
  incoming: ReadonlyMap<string, readonly SpellEdge[]>,
): SpellEdge[] {
  const coded = Object.entries(nodes).filter(([, node]) => node.code);
  if (coded.length === 0) return [];
  const byName = new Map<string, string | null>();
  for (const [id, { name }] of Object.entries(nodes)) {
    // Two nodes of a name bind nothing.
    if (name) byName.set(name, byName.has(name) ? null : id);
  }
  const found: SpellEdge[] = [];
  for (const [id, node] of coded) {
    const given = new Set([
      ...Object.keys(node.inputs ?? {}),
      ...(incoming.get(id) ?? []).map(({ input }) => input),
    ]);
    for (const word of wordsOf(node)) {
      const named = byName.get(word);
      const source = named === undefined ? (word in nodes ? word : undefined) : named;
      if (source === undefined || source === null || source === id || given.has(word)) continue;
      found.push({ source, output: "", target: id, input: word });
    }
  }
  return found;
}

/** The words of a node's code that could be names, read once for the same node. */
function wordsOf(node: Named): ReadonlySet<string> {
  const known = words.get(node);
  if (known) return known;
  const read = new Set<string>();
  for (const [word] of (node.code ?? "").matchAll(/(?<![\w$.])[\p{L}_$][\p{L}\p{N}_$]*/gu)) read.add(word);
  words.set(node, read);
  return read;
}

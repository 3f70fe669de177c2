/** A spell as a file has it. */
import type { Spell, SpellJson, SpellNode } from "../protocol";

/** The spell as plain JSON, without empty parts; what a file, REST and the clipboard take. */
export function spellToJson(spell: Spell): SpellJson {
  const nodes = Object.entries(spell.nodes).map(([id, node]) => [id, nodeToJson(node)] as const);
  return {
    schema: 1,
    name: spell.name,
    nodes: Object.fromEntries(nodes),
    edges: { ...spell.edges },
    ...(Object.keys(spell.groups).length > 0 ? { groups: { ...spell.groups } } : {}),
    ...(Object.keys(spell.notes).length > 0 ? { notes: { ...spell.notes } } : {}),
    ...(Object.keys(spell.requirements).length > 0 ? { requirements: { ...spell.requirements } } : {}),
    ...(Object.keys(spell.tests).length > 0 ? { tests: { ...spell.tests } } : {}),
  };
}

function nodeToJson(node: SpellNode): Partial<SpellNode> & { type: string } {
  const { inputs, settings, ...rest } = node;
  return {
    ...rest,
    ...(Object.keys(inputs).length > 0 ? { inputs } : {}),
    ...(Object.keys(settings).length > 0 ? { settings } : {}),
  };
}

/** The spell that plain JSON says, with its empty parts. */
export function spellFromJson(json: SpellJson): Spell {
  const nodes = Object.entries(json.nodes ?? {}).map(([id, node]) => [
    id,
    { position: [0, 0], ...node, inputs: node.inputs ?? {}, settings: node.settings ?? {} },
  ]);
  return {
    schema: 1,
    name: json.name ?? "Untitled",
    nodes: Object.fromEntries(nodes),
    edges: { ...json.edges },
    groups: { ...json.groups } as Spell["groups"],
    notes: { ...json.notes } as Spell["notes"],
    requirements: { ...json.requirements },
    tests: Object.fromEntries(
      Object.entries(json.tests ?? {}).map(([id, test]) => [
        id,
        { ...test, inputs: test.inputs ?? {}, record: test.record ?? {}, expect: test.expect ?? {} },
      ]),
    ),
  };
}

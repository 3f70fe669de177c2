/** Which frames are drawn as one box, what that hides, and where its wires end: pure, kept per snapshot. */
import type { Spell } from "../../protocol";

/** An end of wires that cross the border of a folded frame: a port of a node inside. */
export interface FoldedPort {
  /** The id of the handle on the box. */
  readonly handle: string;
  readonly node: string;
  readonly port: string;
}

/** A frame that is drawn as one box. */
export interface Fold {
  /** Everything in it, at every depth: nodes, notes and frames. */
  readonly inside: ReadonlySet<string>;
  /** Its nodes. */
  readonly nodes: readonly string[];
  readonly inputs: readonly FoldedPort[];
  readonly outputs: readonly FoldedPort[];
  /** Equal while the box looks the same. */
  readonly key: string;
}

export interface Folding {
  /** By frame; a frame within a folded one is none. */
  readonly folds: ReadonlyMap<string, Fold>;
  /** What is hidden, and the box that stands for it. */
  readonly hiddenBy: ReadonlyMap<string, string>;
}

const NOTHING: Folding = { folds: new Map(), hiddenBy: new Map() };
const NONE: ReadonlySet<string> = new Set();
const known = new WeakMap<Spell, { opened: ReadonlySet<string>; folding: Folding }>();

/** How the frames of a spell are folded; those in `opened` are not, though the document says so. */
export function foldingOf(spell: Spell, opened: ReadonlySet<string> = NONE): Folding {
  const before = known.get(spell);
  if (before?.opened === opened) return before.folding;
  const folding = fold(spell, opened);
  known.set(spell, { opened, folding });
  return folding;
}

function fold(spell: Spell, opened: ReadonlySet<string>): Folding {
  const folded = Object.entries(spell.groups).filter(([id, group]) => group.collapsed && !opened.has(id));
  if (folded.length === 0) return NOTHING;
  const closed = new Set(folded.map(([id]) => id));
  const hiddenBy = new Map<string, string>();
  const made = new Map<string, { inside: Set<string>; nodes: string[] }>();
  const hide = (kind: "nodes" | "notes" | "groups") => {
    for (const [id, thing] of Object.entries<{ group?: string }>(spell[kind])) {
      const box = framesAround(spell, thing.group)
        .filter((frame) => closed.has(frame))
        .at(-1);
      if (box === undefined || box === id) continue;
      hiddenBy.set(id, box);
      const part = made.get(box) ?? { inside: new Set<string>(), nodes: [] };
      made.set(box, part);
      part.inside.add(id);
      if (kind === "nodes") part.nodes.push(id);
    }
  };
  for (const kind of ["groups", "notes", "nodes"] as const) hide(kind);
  const ports = crossing(spell, hiddenBy);
  const folds = new Map<string, Fold>();
  for (const [id] of folded) {
    if (hiddenBy.has(id)) continue;
    const { inside, nodes } = made.get(id) ?? { inside: new Set<string>(), nodes: [] };
    const inputs = [...(ports.inputs.get(id)?.values() ?? [])];
    const outputs = [...(ports.outputs.get(id)?.values() ?? [])];
    const key = [nodes, inputs.map(handleOf), outputs.map(handleOf)].map((part) => part.join(" ")).join("|");
    folds.set(id, { inside, nodes, inputs, outputs, key });
  }
  return { folds, hiddenBy };
}

const handleOf = ({ handle }: FoldedPort) => handle;

type Ends = Map<string, Map<string, FoldedPort>>;

/** The ends of wires that lead in or out, by box. */
function crossing(spell: Spell, hiddenBy: ReadonlyMap<string, string>): { inputs: Ends; outputs: Ends } {
  const ends: { inputs: Ends; outputs: Ends } = { inputs: new Map(), outputs: new Map() };
  const put = (side: Ends, box: string, node: string, port: string) => {
    const its = side.get(box) ?? new Map<string, FoldedPort>();
    side.set(box, its);
    const handle = handleAt(node, port);
    its.set(handle, { handle, node, port });
  };
  for (const { source, output, target, input } of Object.values(spell.edges)) {
    const [from, to] = [hiddenBy.get(source), hiddenBy.get(target)];
    if (from === to || !spell.nodes[source] || !spell.nodes[target]) continue;
    if (from !== undefined) put(ends.outputs, from, source, output);
    if (to !== undefined) put(ends.inputs, to, target, input);
  }
  return ends;
}

/** The handle of a port of a hidden node. */
export function handleAt(node: string, port: string): string {
  return `${node}/${port}`;
}

/** The frames around a thing in `group`, innermost first; one that lies in itself ends there. */
export function framesAround(spell: Pick<Spell, "groups">, group: string | undefined): string[] {
  const frames: string[] = [];
  let at = group;
  while (at !== undefined && spell.groups[at] && !frames.includes(at)) {
    frames.push(at);
    at = spell.groups[at]?.group;
  }
  return frames;
}

/** All that lies in these frames, at every depth. */
export function insideOf(spell: Spell, frames: ReadonlySet<string>): Set<string> {
  const inside = new Set<string>();
  for (const kind of [spell.nodes, spell.notes, spell.groups])
    for (const [id, thing] of Object.entries<{ group?: string }>(kind))
      if (!frames.has(id) && framesAround(spell, thing.group).some((frame) => frames.has(frame)))
        inside.add(id);
  return inside;
}

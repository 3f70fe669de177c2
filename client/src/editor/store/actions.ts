/** What a person can do on the canvas beside running: add, remove, arrange, group. */
import { api } from "../../api";
import type { NodeType, Pair, SpellJson } from "../../protocol";
import { joinNode, joinPorts } from "../hooks/useConnect";
import { feedNeeds } from "./autoconnect";
import { freeRect } from "./bounds";
import type { Editor, PaletteRequest, WireEnd } from "./editor";
import { foldingOf, insideOf } from "./folding";
import { carried, isFolded } from "./frames";
import { NODE_WIDTH } from "./geometry";
import { type Alignment, alignedPositions, layeredPositions } from "./layout";
import { fittingPort } from "./library";

const GRID = 8;
/** Between a node and one that is added beside it. */
const GAP = 96;

function onGrid([x, y]: Pair): Pair {
  return [Math.round(x / GRID) * GRID, Math.round(y / GRID) * GRID];
}

/** A place in the middle of the view, or right of a node, where nothing lies yet, or the nearest to it. */
function freePlace(editor: Editor, [width, height]: Pair = [NODE_WIDTH, 140], beside?: string): Pair {
  const [cx, cy] = editor.view?.center() ?? [0, 0];
  const [left] = beside === undefined ? [] : boxes(editor, [beside]);
  const { nodes, notes } = editor.document.spell.get();
  const taken = boxes(editor, [...Object.keys(nodes), ...Object.keys(notes)]).map((box) => ({
    x: box.at[0],
    y: box.at[1],
    width: box.width,
    height: box.height,
  }));
  const corner = left ? [left.at[0] + left.width + GAP, left.at[1]] : [cx - width / 2, cy - height / 2];
  const wanted = { x: corner[0] ?? 0, y: corner[1] ?? 0, width, height };
  const { x, y } = freeRect(wanted, taken);
  return onGrid([x, y]);
}

/**
 * Put a node of `type` where the palette was asked for, joined to the wire that was dropped; without either, beside
 * the one selected node, whose outputs feed what the new one needs.
 */
export function addNode(editor: Editor, type: NodeType, request?: PaletteRequest): string {
  const wire = request?.wire;
  const port = wire && fittingPort(type, wire);
  const shift: Pair = wire ? [wire.from === "source" ? 0 : -NODE_WIDTH, -56] : [-NODE_WIDTH / 2, -20];
  const [beside, ...more] = request?.at || wire ? [] : editor.selectedNodes();
  const feeder = more.length === 0 ? beside : undefined;
  const position = request?.at
    ? onGrid([request.at[0] + shift[0], request.at[1] + shift[1]])
    : freePlace(editor, undefined, feeder);
  editor.document.checkpoint();
  const id = editor.document.together(() => {
    const made = editor.document.addNode({
      type: type.type,
      version: type.version,
      position,
      ...(type.language ? { code: firstCode(wire) } : {}),
    });
    return made;
  });
  if (wire && port) {
    const connection =
      wire.from === "source"
        ? { source: wire.node, sourceHandle: wire.port, target: id, targetHandle: port.name }
        : { source: id, sourceHandle: port.name, target: wire.node, targetHandle: wire.port };
    joinPorts(editor, connection);
  } else if (wire?.from === "source" && type.extra_inputs) {
    editor.document.connect({ source: wire.node, output: wire.port, target: id, input: wire.port });
  } else if (wire) {
    joinNode(editor, wire, id);
  } else if (feeder !== undefined) {
    feedNeeds(editor, feeder, id);
  }
  editor.select([id]);
  if (feeder !== undefined && !isInView(editor, position)) editor.view?.fly(position);
  return id;
}

/** Whether a node that is put there can be seen. */
function isInView(editor: Editor, [x, y]: Pair): boolean {
  const box = document.querySelector(".canvas")?.getBoundingClientRect();
  if (!box || !editor.view) return true;
  const [left, top] = editor.view.toCanvas(box.left, box.top);
  const [right, bottom] = editor.view.toCanvas(box.right, box.bottom);
  return x >= left && x + NODE_WIDTH <= right && y >= top && y + 60 <= bottom;
}

/** What a code node begins with: the name of the wire that was dropped on it, which makes it an input. */
function firstCode(wire: WireEnd | undefined): string {
  return wire?.from === "source" && /^[A-Za-z_]\w*$/.test(wire.port) ? wire.port : "";
}

/** Put a note in the view and start writing it. */
export function addNote(editor: Editor, at?: Pair): void {
  const size: Pair = [240, 140];
  const position = at ? onGrid(at) : freePlace(editor, size);
  const id = editor.document.addNote({ text: "", position, size });
  editor.select([id]);
  editor.renaming.set(id);
}

/** The drawn boxes of nodes and notes that are selected, or of all nodes when none is. */
function boxes(
  editor: Editor,
  ids: Iterable<string>,
): { id: string; at: Pair; width: number; height: number }[] {
  const spell = editor.document.spell.get();
  return [...ids].flatMap((id) => {
    const thing = spell.nodes[id] ?? spell.notes[id] ?? spell.groups[id];
    if (!thing) return [];
    const element = document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
    const width = element?.offsetWidth ?? thing.size?.[0] ?? NODE_WIDTH;
    const height = element?.offsetHeight ?? thing.size?.[1] ?? 140;
    return [{ id, at: thing.position, width, height }];
  });
}

/** Put a frame around the selection. */
export function groupSelection(editor: Editor): void {
  const spell = editor.document.spell.get();
  const members = boxes(editor, editor.selection.get());
  if (members.length === 0) return;
  const [pad, head] = [24, 44];
  const left = Math.min(...members.map((box) => box.at[0])) - pad;
  const top = Math.min(...members.map((box) => box.at[1])) - head;
  const right = Math.max(...members.map((box) => box.at[0] + box.width)) + pad;
  const bottom = Math.max(...members.map((box) => box.at[1] + box.height)) + pad;
  editor.document.checkpoint();
  const id = editor.document.addGroup(
    {
      name: `Group ${Object.keys(spell.groups).length + 1}`,
      position: [left, top],
      size: [right - left, bottom - top],
    },
    members.map((box) => box.id),
  );
  editor.select([id]);
  editor.renaming.set(id);
}

/** Take the selected frames away and leave what is in them. */
export function ungroup(editor: Editor, id: string): void {
  const spell = editor.document.spell.get();
  const members = [spell.nodes, spell.notes, spell.groups]
    .flatMap((things) => Object.entries<{ group?: string }>(things))
    .filter(([, thing]) => thing.group === id)
    .map(([member]) => member);
  editor.document.together(() => {
    editor.document.assign(members, spell.groups[id]?.group ?? null);
    editor.document.remove([id]);
  });
  editor.select(members);
}

export function removeSelection(editor: Editor): void {
  const ids = [...editor.selection.get()];
  if (ids.length === 0) return;
  // A folded frame stands for what is in it: that is not left behind where nobody saw it.
  const folded = new Set(ids.filter((id) => isFolded(editor, id)));
  editor.document.checkpoint();
  editor.document.remove([...ids, ...insideOf(editor.document.spell.get(), folded)]);
  editor.select([]);
}

export function selectAll(editor: Editor): void {
  const spell = editor.document.spell.get();
  const { hiddenBy } = foldingOf(spell, editor.opened.get());
  const ids = [spell.nodes, spell.notes, spell.groups].flatMap((things) => Object.keys(things));
  editor.select(ids.filter((id) => !hiddenBy.has(id)));
}

export function nudge(editor: Editor, dx: number, dy: number): void {
  const spell = editor.document.spell.get();
  const moved: Record<string, Pair> = {};
  for (const id of editor.selection.get()) {
    const thing = spell.nodes[id] ?? spell.notes[id] ?? spell.groups[id];
    if (thing) moved[id] = [thing.position[0] + dx, thing.position[1] + dy];
  }
  if (Object.keys(moved).length > 0) editor.document.move(carried(spell, moved));
}

/** Lay out the selected nodes in layers, or all when fewer than two are selected. */
export async function layout(editor: Editor): Promise<void> {
  const spell = editor.document.spell.get();
  const chosen = [...editor.selection.get()].filter((id) => spell.nodes[id]);
  const { hiddenBy } = foldingOf(spell, editor.opened.get());
  const ids = (chosen.length > 1 ? chosen : Object.keys(spell.nodes)).filter((id) => !hiddenBy.has(id));
  if (ids.length === 0) return;
  const measured = new Map(boxes(editor, ids).map((box) => [box.id, box]));
  try {
    const positions = await layeredPositions(spell, ids, (id) => {
      const box = measured.get(id);
      return { width: box?.width ?? NODE_WIDTH, height: box?.height ?? 140 };
    });
    editor.document.checkpoint();
    editor.document.move(positions);
    requestAnimationFrame(() => editor.view?.fit());
  } catch (error) {
    editor.toasts.error("Could not lay out the nodes", error);
  }
}

export function align(editor: Editor, alignment: Alignment): void {
  const chosen = boxes(editor, editor.selection.get());
  if (chosen.length < 2) return;
  editor.document.checkpoint();
  editor.document.move(carried(editor.document.spell.get(), alignedPositions(chosen, alignment)));
}

/** Name the canvas: the spell on it at once, and, once that is safe, its entry in the list. */
export function renameCanvas(editor: Editor, name: string): void {
  editor.document.rename(name);
  editor.document
    .saved()
    .then(() => api.patch(`/v1/canvases/${editor.document.canvas}`, { name }))
    .catch((error: unknown) => editor.toasts.error("Could not rename the canvas in the list", error));
}

/** Bring a sample or any spell's JSON onto the canvas. */
export function insertSpell(editor: Editor, spell: SpellJson): void {
  const pasted = editor.document.paste(JSON.stringify(spell), { at: [0, 0] });
  if (spell.name && editor.document.spell.get().name === "Untitled") renameCanvas(editor, spell.name);
  editor.select([]);
  requestAnimationFrame(() => editor.view?.fit(pasted.nodes));
}

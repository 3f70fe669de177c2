/** Keeps React Flow and the shared document in step: the document leads, drags are local until they end. */
import type { Edge, Node, NodeChange, OnEdgesChange, OnNodesChange } from "@xyflow/react";
import { useCallback, useMemo, useRef, useState } from "react";
import type { Pair } from "../../protocol";
import { useStore } from "../../store";
import type { Editor } from "../store/editor";
import { FlowBuilder, type LocalPart, type LocalParts } from "../store/flow";
import { frameAt } from "../store/frames";
import { useEditor } from "./useEditor";
import { useRemoteDrags } from "./useRemoteDrags";

export interface Flow {
  readonly nodes: Node[];
  readonly edges: Edge[];
  readonly onNodesChange: OnNodesChange;
  readonly onEdgesChange: OnEdgesChange;
  /** Say which node the pointer took hold of. */
  readonly holdDrag: (id: string) => void;
  /** Make the drag that just ended one edit. */
  readonly commitDrag: () => void;
}

export function useFlow(): Flow {
  const editor = useEditor();
  const spell = useStore(editor.document.spell);
  const ports = useStore(editor.document.ports);
  const { types, older } = useStore(editor.library.state);
  const selection = useStore(editor.selection);
  const opened = useStore(editor.opened);
  const remote = useRemoteDrags();
  const builder = useRef<FlowBuilder | null>(null);
  builder.current ??= new FlowBuilder();
  const [local, setLocal] = useState<LocalParts>({});
  const latest = useRef(local);
  latest.current = local;
  const held = useRef<string | null>(null);

  const source = { spell, ports, types, older, selection, remote, local, opened };
  const nodes = builder.current.nodes(source);
  const edges = builder.current.edges(source);

  const onNodesChange = useCallback<OnNodesChange>(
    (changes) => {
      applySelection(editor, changes);
      const next = applyLocal(editor, latest.current, changes, held.current);
      if (next !== latest.current) {
        latest.current = next;
        setLocal(next);
        shareDrag(editor, next);
      }
    },
    [editor],
  );
  const onEdgesChange = useCallback<OnEdgesChange>((changes) => applySelection(editor, changes), [editor]);
  const holdDrag = useCallback((id: string) => {
    held.current = id;
  }, []);
  const commitDrag = useCallback(() => {
    held.current = null;
    const moved: Record<string, Pair> = {};
    const rest: Record<string, LocalPart> = {};
    for (const [id, part] of Object.entries(latest.current)) {
      if (part.position) moved[id] = [Math.round(part.position[0]), Math.round(part.position[1])];
      const { position: _position, dragging: _dragging, ...kept } = part;
      rest[id] = part.position ? kept : part;
    }
    latest.current = rest;
    if (Object.keys(moved).length > 0) {
      editor.document.checkpoint();
      editor.document.together(() => {
        editor.document.move(moved);
        regroup(editor, moved);
      });
    }
    setLocal(rest);
    // Until the edit is the others' too, they see the drag's end: without it, things would jump back for a moment.
    const told = () => shareDrag(editor, latest.current);
    void editor.document.saved().then(told, told);
  }, [editor]);
  return useMemo(
    () => ({ nodes, edges, onNodesChange, onEdgesChange, holdDrag, commitDrag }),
    [nodes, edges, onNodesChange, onEdgesChange, holdDrag, commitDrag],
  );
}

function applySelection(
  editor: Editor,
  changes: readonly { type: string; id?: string; selected?: boolean }[],
): void {
  const picks = changes.filter((change) => change.type === "select");
  if (picks.length === 0) return;
  const next = new Set(editor.selection.get());
  for (const pick of picks) {
    if (pick.id === undefined) continue;
    if (pick.selected) next.add(pick.id);
    else next.delete(pick.id);
  }
  editor.select(next);
}

/**
 * Only `held` is called dragging: React Flow draws all that is, in view or not, and the one under the pointer has to
 * stay drawn while a drag of 1,000 selected ones must not draw 1,000.
 */
function applyLocal(
  editor: Editor,
  before: LocalParts,
  changes: readonly NodeChange[],
  held: string | null,
): LocalParts {
  let next: Record<string, LocalPart> | null = null;
  const put = (id: string, part: LocalPart) => {
    next ??= { ...before };
    next[id] = { ...next[id], ...part };
  };
  const moving = new Set(changes.flatMap((change) => (change.type === "position" ? [change.id] : [])));
  for (const change of changes) {
    if (change.type === "dimensions" && change.dimensions) {
      const { width, height } = change.dimensions;
      put(change.id, {
        measured: { width, height },
        ...(change.resizing ? { size: [width, height] as Pair } : {}),
      });
      if (change.resizing === false) put(change.id, withoutSize(next ?? before, change.id));
    } else if (change.type === "position" && change.position) {
      const to: Pair = [change.position.x, change.position.y];
      for (const [id, at] of membersMoved(editor, next ?? before, change.id, to, moving))
        put(id, { position: at });
      put(change.id, { position: to, dragging: (change.dragging ?? false) && change.id === held });
    }
  }
  return next ?? before;
}

function withoutSize(parts: LocalParts, id: string): LocalPart {
  const { size: _size, position: _position, ...rest } = parts[id] ?? {};
  return { ...rest, size: undefined, position: undefined } as unknown as LocalPart;
}

/** Where the things in a dragged frame go with it. */
function membersMoved(
  editor: Editor,
  parts: LocalParts,
  id: string,
  to: Pair,
  moving: ReadonlySet<string>,
): [string, Pair][] {
  const spell = editor.document.spell.get();
  const group = spell.groups[id];
  if (!group) return [];
  const from = parts[id]?.position ?? group.position;
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const members = [
    ...Object.entries(spell.nodes),
    ...Object.entries(spell.notes),
    ...Object.entries(spell.groups),
  ];
  return members
    .filter(([member, thing]) => thing.group === id && !moving.has(member))
    .flatMap(([member, thing]): [string, Pair][] => {
      const at = parts[member]?.position ?? thing.position;
      const moved: Pair = [at[0] + dx, at[1] + dy];
      return [...membersMoved(editor, parts, member, moved, moving), [member, moved]];
    });
}

/** Put moved things into the innermost frame they now lie in, or out of the one they left. */
function regroup(editor: Editor, moved: Readonly<Record<string, Pair>>): void {
  const spell = editor.document.spell.get();
  for (const [id, at] of Object.entries(moved)) {
    const thing = spell.nodes[id] ?? spell.notes[id] ?? spell.groups[id];
    if (!thing || (thing.group !== undefined && moved[thing.group])) continue;
    const inside = frameAt(spell, id, at);
    if (inside !== thing.group) editor.document.assign([id], inside ?? null);
  }
}

/** Tell the others where things are being dragged; null when nothing is. */
function shareDrag(editor: Editor, parts: LocalParts): void {
  const drag: Record<string, Pair> = {};
  for (const [id, part] of Object.entries(parts)) if (part.position) drag[id] = part.position;
  editor.document.setPresence({ drag: Object.keys(drag).length > 0 ? drag : null });
}

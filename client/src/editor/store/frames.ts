/** What a person does with frames: fold them into one box and open them, and move what lies in them along. */
import type { Pair, Spell } from "../../protocol";
import type { Editor } from "./editor";
import { foldingOf, framesAround, insideOf } from "./folding";

/** The frames that a command about frames means: those selected, else those around what is selected. */
export function chosenFrames(editor: Editor): string[] {
  const spell = editor.document.spell.get();
  const chosen = [...editor.selection.get()];
  const frames = chosen.filter((id) => spell.groups[id]);
  if (frames.length > 0) return frames;
  const around = chosen.map((id) => (spell.nodes[id] ?? spell.notes[id])?.group);
  return [...new Set(around.filter((id) => id !== undefined && id in spell.groups) as string[])];
}

/** Whether a frame is drawn as one box in this tab. */
export function isFolded(editor: Editor, id: string): boolean {
  return foldingOf(editor.document.spell.get(), editor.opened.get()).folds.has(id);
}

/** Fold frames into boxes, for everybody; where all of them are, open them instead. One step of undo. */
export function toggleFold(editor: Editor, ids: readonly string[]): void {
  const frames = ids.filter((id) => editor.document.spell.get().groups[id]);
  if (frames.length === 0) return;
  const open = frames.every((id) => isFolded(editor, id));
  if (open && !editor.document.editable.get()) {
    editor.opened.update((opened) => new Set([...opened, ...frames]));
    return;
  }
  editor.opened.update((opened) => new Set([...opened].filter((id) => !frames.includes(id))));
  editor.document.together(() => {
    for (const id of frames) editor.document.setGroup(id, { collapsed: open ? null : true });
  });
  if (!open) editor.select(frames); // What is hidden is not left selected.
}

/** Positions to move things to, with all that lies in moved frames moved along. */
export function carried(spell: Spell, moved: Readonly<Record<string, Pair>>): Record<string, Pair> {
  const all: Record<string, Pair> = {};
  for (const [id, to] of Object.entries(moved)) {
    const group = spell.groups[id];
    if (!group || framesAround(spell, group.group).some((frame) => frame in moved)) continue;
    const [dx, dy] = [to[0] - group.position[0], to[1] - group.position[1]];
    for (const member of insideOf(spell, new Set([id]))) {
      const at = (spell.nodes[member] ?? spell.notes[member] ?? spell.groups[member])?.position;
      if (at) all[member] = [at[0] + dx, at[1] + dy];
    }
  }
  return { ...all, ...moved };
}

/** Within a thing: the point whose place says in which frame the thing lies. */
const GRIP: Pair = [80, 30];

/** The innermost open frame in which a thing at `at` lies; never the thing itself, nor a frame within it. */
export function frameAt(spell: Spell, id: string, at: Pair): string | undefined {
  const [x, y] = [at[0] + GRIP[0], at[1] + GRIP[1]];
  const own = spell.groups[id];
  const area = ({ size }: { size: Pair }) => size[0] * size[1];
  const candidates = Object.entries(spell.groups).filter(([frame, group]) => {
    const [dx, dy] = [x - group.position[0], y - group.position[1]];
    if (dx <= 0 || dy <= 0 || dx >= group.size[0] || dy >= group.size[1]) return false;
    if (group.collapsed || framesAround(spell, group.group).some((outer) => spell.groups[outer]?.collapsed))
      return false;
    if (!own) return true;
    return frame !== id && area(group) > area(own) && !framesAround(spell, group.group).includes(id);
  });
  return candidates.sort(([, a], [, b]) => area(a) - area(b))[0]?.[0];
}

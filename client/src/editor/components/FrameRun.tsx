/** On a frame that a node runs: which iteration the nodes in it show, and the way to the others. */
import { useEffect } from "react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useInside } from "../hooks/useInside";
import { ownersOf } from "../store/bodies";
import { insideOf } from "../store/folding";
import { IterationPicker } from "./IterationPicker";

export function FrameRun({ group }: { group: string }) {
  const editor = useEditor();
  const owner = useStore(editor.document.spell, (spell) => ownersOf(spell.nodes, group)[0]);
  const shown = useInside(owner);
  const nodes = shown?.iteration?.nodes;
  useEffect(() => {
    const members = insideOf(editor.document.spell.get(), new Set([group]));
    const rest = Object.entries(editor.overlay.get()).filter(([id]) => !members.has(id));
    const mine = Object.entries(nodes ?? {}).filter(([id]) => members.has(id));
    if (mine.length === 0 && rest.length === Object.keys(editor.overlay.get()).length) return;
    editor.overlay.set(Object.fromEntries([...rest, ...mine]));
  }, [editor, group, nodes]);
  return shown ? <IterationPicker shown={shown} testid={`iteration-of-${group}`} /> : null;
}

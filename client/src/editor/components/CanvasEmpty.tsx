/** What an empty canvas says: one sentence and ways to begin. */
import { SampleCards } from "../../app/components/SampleCards";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { insertSpell } from "../store/actions";

export function CanvasEmpty() {
  const editor = useEditor();
  const empty = useStore(
    editor.document.spell,
    (spell) =>
      Object.keys(spell.nodes).length + Object.keys(spell.notes).length + Object.keys(spell.groups).length ===
      0,
  );
  const editable = useStore(editor.document.editable);
  const busy = useStore(editor.palette, (palette) => palette !== null);
  if (!empty || !editable || busy) return null;
  return (
    <div className="canvas-empty" data-testid="canvas-empty">
      <div>
        <h2>Double-click anywhere to add the first node</h2>
        <p>or begin with one of these and change it.</p>
        <SampleCards onChoose={(sample) => insertSpell(editor, sample.spell)} />
      </div>
    </div>
  );
}

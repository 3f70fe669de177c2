/** The copies of work that the server refused on this canvas. */
import { CopyCard } from "../../app/components/CopyCard";
import { copyFragment, type RefusedWork } from "../../document";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { Sheet } from "./Sheet";

export function CopiesSheet() {
  const editor = useEditor();
  const open = useStore(editor.copies);
  const copies = useStore(editor.document.refused);
  const editable = useStore(editor.document.editable);
  if (!open || copies.length === 0) return null;
  const close = () => editor.copies.set(false);
  const discard = async ({ id }: RefusedWork) => {
    try {
      await editor.document.discard(id);
    } catch (error) {
      editor.toasts.error("Could not discard the copy", error);
    }
  };
  const paste = (copy: RefusedWork) => {
    try {
      const { nodes, groups, notes } = editor.document.paste(copyFragment(copy));
      editor.select([...nodes, ...groups, ...notes]);
      close();
    } catch (error) {
      editor.toasts.error("Could not paste the copy", error);
    }
  };
  return (
    <Sheet title="Kept as a copy" onClose={close} testid="copies">
      <p className="faint">
        The server did not take these edits. They are undone on the canvas and kept in this browser until you
        discard them.
      </p>
      {[...copies].reverse().map((copy) => (
        <CopyCard
          key={copy.id}
          copy={copy}
          onDiscard={() => void discard(copy)}
          onError={(what, error) => editor.toasts.error(what, error)}
          {...(editable ? { onPaste: () => paste(copy) } : {})}
        />
      ))}
    </Sheet>
  );
}

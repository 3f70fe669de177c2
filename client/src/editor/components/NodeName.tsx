/** A node's name; a double click, or F2, edits it in place. */
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useFieldPresence } from "../hooks/useFieldPresence";

export function NodeName({ id, title }: { id: string; title: string }) {
  const editor = useEditor();
  const typing = useStore(editor.renaming, (renaming) => renaming === id);
  const editable = useStore(editor.document.editable);
  const { watch } = useFieldPresence(id, "name");
  if (typing && editable) {
    return (
      <span className="node-name nodrag" {...watch}>
        <input
          aria-label="Name of the node"
          defaultValue={title}
          ref={(input) => input?.select()}
          onBlur={(event) => {
            editor.renaming.set(null);
            const name = event.target.value.trim();
            if (name !== title) editor.document.setName(id, name || null);
          }}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Enter") event.currentTarget.blur();
            if (event.key === "Escape") {
              event.currentTarget.value = title;
              event.currentTarget.blur();
            }
          }}
        />
      </span>
    );
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: F2 and the inspector do the same by keyboard
    <span
      className="node-name"
      title={title}
      onDoubleClick={(event) => {
        event.stopPropagation();
        editor.renaming.set(id);
      }}
    >
      {title}
    </span>
  );
}

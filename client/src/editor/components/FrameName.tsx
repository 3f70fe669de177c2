/** The name of a frame, typed in place where it may be changed. */
import { Group } from "lucide-react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";

export function FrameName({ id }: { id: string }) {
  const editor = useEditor();
  const name = useStore(editor.document.spell, (spell) => spell.groups[id]?.name ?? "");
  const editable = useStore(editor.document.editable);
  const typing = useStore(editor.renaming, (renaming) => renaming === id);
  return (
    <>
      <Group size={13} aria-hidden="true" />
      {typing && editable ? (
        <input
          className="nodrag"
          aria-label="Name of the group"
          defaultValue={name}
          ref={(input) => input?.select()}
          onBlur={(event) => {
            editor.renaming.set(null);
            editor.document.setGroup(id, { name: event.target.value.trim() });
          }}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
          }}
        />
      ) : (
        <span className="truncate frame-name">{name || "Group"}</span>
      )}
    </>
  );
}

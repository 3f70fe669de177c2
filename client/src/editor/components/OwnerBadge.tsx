/** Says of a frame which nodes run it, and leads to them. */
import { Repeat } from "lucide-react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useTitle } from "../hooks/useTitle";
import { ownersOf } from "../store/bodies";

export function OwnerBadge({ group }: { group: string }) {
  const editor = useEditor();
  const owners = useStore(editor.document.spell, (spell) => ownersOf(spell.nodes, group));
  const [first] = owners;
  const owner = useStore(editor.document.spell, (spell) =>
    first === undefined ? undefined : spell.nodes[first],
  );
  const title = useTitle(owner);
  if (first === undefined) return null;
  const more = owners.length > 1 ? ` and ${owners.length - 1} more` : "";
  return (
    <button
      type="button"
      className="owner-badge nodrag nopan"
      title={`“${title}”${more} runs what is in here. Show it`}
      data-testid={`owner-of-${group}`}
      onDoubleClick={(event) => event.stopPropagation()}
      onClick={(event) => {
        event.stopPropagation();
        editor.reveal(first);
      }}
    >
      <Repeat size={11} aria-hidden="true" />
      <span className="truncate">
        run by {title}
        {more}
      </span>
    </button>
  );
}

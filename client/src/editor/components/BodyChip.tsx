/** What a node runs inside itself, on its face; a click goes there. */
import { CornerDownRight } from "lucide-react";
import type { SpellNode } from "../../protocol";
import { useBodyName } from "../hooks/useBodyName";
import { useEditor } from "../hooks/useEditor";
import { bodyKind } from "../store/bodies";
import { openBody } from "../store/ways";

const VERBS = { group: "runs the group", spell: "runs", type: "runs" } as const;

export function BodyChip({ id, node }: { id: string; node: SpellNode }) {
  const editor = useEditor();
  const kind = bodyKind(node.settings.body);
  const name = useBodyName(node.settings.body);
  if (kind === null) return null;
  return (
    <button
      type="button"
      className="body-chip nodrag"
      disabled={kind === "type"}
      title={kind === "spell" ? "Open this canvas" : kind === "group" ? "Show this group" : undefined}
      data-testid={`body-${id}`}
      onDoubleClick={(event) => event.stopPropagation()}
      onClick={() => openBody(editor, id)}
    >
      <CornerDownRight size={12} aria-hidden="true" />
      <span className="faint">{VERBS[kind]}</span> <span className="truncate">{name}</span>
    </button>
  );
}

/** A named frame around nodes. Only its name can be grabbed, so that what lies inside stays in reach. */
import { type NodeProps, NodeResizer } from "@xyflow/react";
import { Minimize2 } from "lucide-react";
import { memo } from "react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { ownersOf } from "../store/bodies";
import { keysOf } from "../store/commands";
import { toggleFold } from "../store/frames";
import { FrameName } from "./FrameName";
import { FrameRun } from "./FrameRun";
import { OwnerBadge } from "./OwnerBadge";
import { RemoteSelection } from "./RemoteSelection";
import { VersionMark } from "./versions/VersionMark";

/** The tints a frame or a note may have; the names are what the document keeps. */
export const TINTS: Readonly<Record<string, string>> = {
  green: "var(--accent)",
  blue: "var(--type-text)",
  amber: "var(--stale)",
  rose: "var(--type-boolean)",
  violet: "var(--type-object)",
  grey: "var(--quiet)",
};

export const GroupView = memo(function GroupView({ id, selected }: NodeProps) {
  const editor = useEditor();
  const group = useStore(editor.document.spell, (spell) => spell.groups[id]);
  const editable = useStore(editor.document.editable);
  const body = useStore(editor.document.spell, (spell) => ownersOf(spell.nodes, id).length > 0);
  if (!group) return null;
  const tint = TINTS[group.color ?? "green"] ?? TINTS.green;
  return (
    <div
      className="group"
      style={{ "--tint": tint } as React.CSSProperties}
      data-testid={`group-${id}`}
      data-body={body}
    >
      {selected && editable && (
        <NodeResizer
          minWidth={160}
          minHeight={100}
          onResizeEnd={(_event, box) => editor.document.resize(id, [box.width, box.height], [box.x, box.y])}
        />
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: F2 does the same by keyboard */}
      <div className="group-name group-drag" onDoubleClick={() => editor.renaming.set(id)}>
        <FrameName id={id} />
        {(editable || group.collapsed) && (
          <button
            type="button"
            className="frame-fold nodrag"
            aria-label={`Fold ${group.name || "the group"} into one box`}
            title={`Fold into one box  ${keysOf("fold")}`}
            data-testid={`fold-${id}`}
            onDoubleClick={(event) => event.stopPropagation()}
            onClick={() => toggleFold(editor, [id])}
          >
            <Minimize2 size={12} />
          </button>
        )}
      </div>
      <div className="frame-facts">
        <FrameRun group={id} />
        <OwnerBadge group={id} />
      </div>
      <RemoteSelection id={id} />
      <VersionMark id={id} />
    </div>
  );
});

/** A note in Markdown; a double click edits it, leaving it keeps it. */
import { type NodeProps, NodeResizer } from "@xyflow/react";
import { lazy, memo, Suspense } from "react";
import { Boundary } from "../../app/components/Boundary";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { TINTS } from "./GroupView";
import { RemoteSelection } from "./RemoteSelection";
import { VersionMark } from "./versions/VersionMark";

const MarkdownPreview = lazy(() => import("./previews/MarkdownPreview"));
const NoteEditor = lazy(() => import("./NoteEditor").then((module) => ({ default: module.NoteEditor })));

export const NoteView = memo(function NoteView({ id, selected }: NodeProps) {
  const editor = useEditor();
  const note = useStore(editor.document.spell, (spell) => spell.notes[id]);
  const editable = useStore(editor.document.editable);
  const typing = useStore(editor.renaming, (renaming) => renaming === id);
  if (!note) return null;
  const tint = TINTS[note.color ?? "amber"] ?? TINTS.amber;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Enter on the selected note does the same
    <div
      className="note"
      style={{ "--tint": tint } as React.CSSProperties}
      data-testid={`note-${id}`}
      onDoubleClick={() => editor.renaming.set(id)}
    >
      {selected && editable && (
        <NodeResizer
          minWidth={120}
          minHeight={60}
          onResizeEnd={(_event, box) => editor.document.resize(id, [box.width, box.height], [box.x, box.y])}
        />
      )}
      <div className="note-body">
        {typing && editable ? (
          <Suspense fallback={<div className="prose">{note.text}</div>}>
            <NoteEditor id={id} />
          </Suspense>
        ) : (
          <Boundary instead={() => <div className="prose">{note.text}</div>}>
            <Suspense fallback={<div className="prose">{note.text}</div>}>
              <MarkdownPreview text={note.text || "*Double-click to write*"} place="note" />
            </Suspense>
          </Boundary>
        )}
      </div>
      <RemoteSelection id={id} />
      <VersionMark id={id} />
    </div>
  );
});

/** A version over the canvas, to look at and not to touch; the canvas below goes on as it is. */
import { ReactFlowProvider } from "@xyflow/react";
import { useEffect } from "react";
import { useStore } from "../../../store";
import type { Shown } from "../../../versions";
import { EditorContext, useEditor } from "../../hooks/useEditor";
import { MarksContext, useTimeline } from "../../hooks/useVersions";
import type { Editor } from "../../store/editor";
import { Canvas } from "../Canvas";
import { VersionBanner } from "./VersionBanner";

interface VersionStageProps {
  readonly shown: Shown;
  /** The editor of the version; null until it is loaded. */
  readonly editor: Editor | null;
}

export function VersionStage({ shown, editor }: VersionStageProps) {
  const timeline = useTimeline();
  useEffect(() => {
    const back = (event: KeyboardEvent) => {
      const busy = document.querySelector("dialog[open], [role=menu], [role=listbox]");
      if (event.key === "Escape" && !event.defaultPrevented && !busy) timeline.back();
    };
    window.addEventListener("keydown", back);
    return () => window.removeEventListener("keydown", back);
  }, [timeline]);
  useBackToNow();
  return (
    <div className="version-stage" data-testid="version-stage">
      {shown.state === "open" && editor && (
        <EditorContext value={editor}>
          <MarksContext value={shown.marks}>
            <ReactFlowProvider key={shown.version.id}>
              <Canvas />
            </ReactFlowProvider>
          </MarksContext>
        </EditorContext>
      )}
      <VersionBanner key={shown.version.id} shown={shown} />
    </div>
  );
}

/** Go back to the canvas when the person runs it or looks at a comment: both are of the canvas as it is now. */
function useBackToNow(): void {
  const editor = useEditor();
  const timeline = useTimeline();
  useEffect(() => {
    const { current } = editor.workbench.runs;
    const before = current.get()?.id;
    const ends = [
      current.subscribe(() => {
        const run = current.get();
        if (run && run.id !== before && run.user === editor.user.id) timeline.back();
      }),
      editor.commenting.open.subscribe(() => {
        if (editor.commenting.open.get()) timeline.back();
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [editor, timeline]);
}

/** Whether one node of the version is chosen: then its fields are shown, else what differs. */
export function useChosenNode(editor: Editor): boolean {
  useStore(editor.selection);
  return editor.selectedNodes().length > 0;
}

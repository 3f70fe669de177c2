/** The tools at the foot of the canvas. */
import { useStore as useFlowStore, useReactFlow } from "@xyflow/react";
import { Maximize, MessageSquarePlus, Minus, Network, Plus, Redo2, StickyNote, Undo2 } from "lucide-react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useIsVersion } from "../hooks/useVersions";
import { addNote, layout } from "../store/actions";
import { keysOf } from "../store/commands";

const readZoom = (state: { transform: [number, number, number] }) => Math.round(state.transform[2] * 100);

export function Toolbelt() {
  const editor = useEditor();
  const flow = useReactFlow();
  const zoom = useFlowStore(readZoom);
  const editable = useStore(editor.document.editable);
  const history = useStore(editor.document.history);
  const commenting = useStore(editor.commenting.mode);
  const isVersion = useIsVersion();
  return (
    <div className="toolbelt" role="toolbar" aria-label="Canvas tools">
      {editable && (
        <>
          <Tool
            label="Add a node"
            keys={keysOf("add")}
            onClick={() => editor.palette.set({ mode: "add" })}
            testid="add-node"
          >
            <Plus size={16} />
          </Tool>
          <Tool label="Add a note" keys={keysOf("note")} onClick={() => addNote(editor)}>
            <StickyNote size={15} />
          </Tool>
          <Tool label="Lay out" keys={keysOf("layout")} onClick={() => void layout(editor)}>
            <Network size={15} />
          </Tool>
          <span className="gap" />
          <Tool
            label="Undo"
            keys={keysOf("undo")}
            disabled={!history.undo}
            onClick={() => editor.document.undo()}
            testid="undo"
          >
            <Undo2 size={15} />
          </Tool>
          <Tool
            label="Redo"
            keys={keysOf("redo")}
            disabled={!history.redo}
            onClick={() => editor.document.redo()}
            testid="redo"
          >
            <Redo2 size={15} />
          </Tool>
          <span className="gap" />
        </>
      )}
      {!isVersion && (
        <>
          <Tool
            label="Comment"
            keys={keysOf("comment")}
            pressed={commenting}
            onClick={() => editor.commenting.mode.set(!commenting)}
            testid="comment-button"
          >
            <MessageSquarePlus size={15} />
          </Tool>
          <span className="gap" />
        </>
      )}
      <Tool label="Zoom out" keys={keysOf("zoom-out")} onClick={() => void flow.zoomOut({ duration: 120 })}>
        <Minus size={14} />
      </Tool>
      <button
        type="button"
        className="zoom"
        title="Zoom to 100 %"
        onClick={() => void flow.zoomTo(1, { duration: 160 })}
      >
        {zoom} %
      </button>
      <Tool label="Zoom in" keys={keysOf("zoom-in")} onClick={() => void flow.zoomIn({ duration: 120 })}>
        <Plus size={14} />
      </Tool>
      <Tool label="Fit all" keys={keysOf("fit")} onClick={() => editor.view?.fit()}>
        <Maximize size={14} />
      </Tool>
    </div>
  );
}

interface ToolProps {
  readonly label: string;
  readonly keys: string;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly testid?: string;
  readonly children: React.ReactNode;
}

function Tool({ label, keys, onClick, disabled = false, pressed, testid, children }: ToolProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={keys ? `${label}  ${keys}` : label}
      disabled={disabled}
      aria-pressed={pressed}
      data-testid={testid}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

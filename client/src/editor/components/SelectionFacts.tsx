/** What can be done with several selected nodes. */
import {
  AlignCenterHorizontal,
  AlignCenterVertical,
  AlignEndHorizontal,
  AlignEndVertical,
  AlignHorizontalDistributeCenter,
  AlignStartHorizontal,
  AlignStartVertical,
  AlignVerticalDistributeCenter,
  type LucideIcon,
  Play,
} from "lucide-react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useRunActions } from "../hooks/useRunActions";
import { align, groupSelection, layout, removeSelection } from "../store/actions";
import { duplicateSelection } from "../store/clipboard";
import { keysOf } from "../store/commands";
import type { Alignment } from "../store/layout";
import { makeSubspell } from "../store/make_subspell";
import { toggleMode, togglePins } from "../store/modes";

const ALIGNMENTS: readonly [alignment: Alignment, title: string, icon: LucideIcon][] = [
  ["left", "Align left", AlignStartVertical],
  ["center", "Align centres", AlignCenterVertical],
  ["right", "Align right", AlignEndVertical],
  ["top", "Align top", AlignStartHorizontal],
  ["middle", "Align middles", AlignCenterHorizontal],
  ["bottom", "Align bottom", AlignEndHorizontal],
  ["row", "Spread in a row", AlignHorizontalDistributeCenter],
  ["column", "Spread in a column", AlignVerticalDistributeCenter],
];

export function SelectionFacts({ ids }: { ids: readonly string[] }) {
  const editor = useEditor();
  const editable = useStore(editor.document.editable);
  const { runUntil, runOnly, runFrom } = useRunActions();
  return (
    <>
      <header className="inspector-head">
        <h2>{ids.length} nodes</h2>
      </header>
      <div className="fact-actions">
        <button type="button" className="button" onClick={() => runUntil([...ids])}>
          <Play size={13} /> Run these
        </button>
        <button type="button" className="button" title={keysOf("run-only")} onClick={() => runOnly([...ids])}>
          Only these
        </button>
        <button type="button" className="button" title={keysOf("run-from")} onClick={() => runFrom([...ids])}>
          From these on
        </button>
      </div>
      {editable && (
        <>
          <div className="fact-actions">
            <button
              type="button"
              className="button"
              title={keysOf("mute")}
              onClick={() => toggleMode(editor, "mute", ids)}
            >
              Mute
            </button>
            <button
              type="button"
              className="button"
              title={keysOf("bypass")}
              onClick={() => toggleMode(editor, "bypass", ids)}
            >
              Bypass
            </button>
            <button
              type="button"
              className="button"
              title={keysOf("pin")}
              onClick={() => void togglePins(editor, ids)}
            >
              Pin
            </button>
          </div>
          <div className="fact-actions">
            <button type="button" className="button" onClick={() => groupSelection(editor)}>
              Group
            </button>
            <button
              type="button"
              className="button"
              title={keysOf("subspell")}
              onClick={() => void makeSubspell(editor)}
            >
              Make a subspell
            </button>
            <button type="button" className="button" onClick={() => duplicateSelection(editor)}>
              Duplicate
            </button>
            <button type="button" className="button danger" onClick={() => removeSelection(editor)}>
              Remove
            </button>
          </div>
        </>
      )}
      {editable && (
        <>
          <h3 className="side-heading">Arrange</h3>
          <div className="align-row">
            {ALIGNMENTS.map(([alignment, title, Icon]) => (
              <button
                key={alignment}
                type="button"
                className="icon-button"
                aria-label={title}
                title={title}
                onClick={() => align(editor, alignment)}
              >
                <Icon size={16} />
              </button>
            ))}
          </div>
          <div className="fact-actions">
            <button type="button" className="button" onClick={() => void layout(editor)}>
              Lay out in layers
            </button>
          </div>
        </>
      )}
    </>
  );
}

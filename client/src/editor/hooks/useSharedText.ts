/** Text of the document that is edited together, character by character, with the others' carets in it. */
import { EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, keymap } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import type * as Y from "yjs";
import type { SharedDocument } from "../../document";
import { useStore } from "../../store";
import { useEditor } from "./useEditor";

/** What all editors of shared text have in common. */
const LOOK = EditorView.theme({
  "&": { fontSize: "12px", backgroundColor: "var(--surface-sunk)", color: "var(--ink)", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { fontFamily: "var(--font-code)", padding: "0", caretColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "transparent", border: "none", color: "var(--ink-faint)" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 4px 0 8px", minWidth: "24px" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--ink) 4%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "1.5px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 24%, transparent)",
  },
  // Not of the content: the gutter would have to follow that, and does not where nothing else changes.
  ".cm-scroller": { overflow: "auto", lineHeight: "1.55", padding: "8px 0", boxSizing: "border-box" },
  ".cm-tooltip": {
    border: "1px solid var(--line)",
    borderRadius: "8px",
    backgroundColor: "var(--surface)",
    boxShadow: "var(--shadow-2)",
    overflow: "hidden",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-ySelectionInfo": {
    fontFamily: "var(--font-ui)",
    padding: "1px 5px",
    borderRadius: "4px",
    opacity: "1",
  },
});

/** Which text is edited, and what is told to the others meanwhile. */
export interface SharedTextOptions {
  /** The node or note that the text belongs to. */
  readonly thing: string;
  /** Its name in `Person.field`. */
  readonly field: "code" | "text";
  /** Whether the text is there; a new editor is made when that changes. */
  readonly present: boolean;
  /** For screen readers. */
  readonly label: string;
  readonly text: (document: SharedDocument) => Y.Text | null;
  /** Read when an editor is made; a change of `key` makes another. */
  readonly extensions: () => Extension[];
  readonly key?: string;
  /** Told of each editor that is made, and null when it is gone. */
  readonly made?: (view: EditorView | null) => void;
}

/** Leave the text; what was typed is in the document already. */
function leave(view: EditorView): boolean {
  view.contentDOM.blur();
  return true;
}

/** Return the element's ref to put the editor in. Undo is the canvas's: text, nodes and wires in one order. */
export function useSharedText(options: SharedTextOptions): React.RefObject<HTMLDivElement | null> {
  const { document: shared } = useEditor();
  const generation = useStore(shared.generation);
  const editable = useStore(shared.editable);
  const box = useRef<HTMLDivElement>(null);
  /** Not a reason to make the editor anew: somebody else may name the node while this person writes. */
  const latest = useRef(options);
  latest.current = options;
  const { thing, field, present, key } = options;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new generation brings a new text to bind to
  useEffect(() => {
    const text = latest.current.text(shared);
    if (!box.current || !text) return;
    const view = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: text.toString(),
        extensions: [
          drawSelection(),
          EditorView.lineWrapping,
          // Any other line end is a character of the text: else positions here would not be those of the document.
          EditorState.lineSeparator.of("\n"),
          EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, "\n")),
          EditorView.contentAttributes.of(() => ({ "aria-label": latest.current.label })),
          EditorState.readOnly.of(!editable),
          EditorView.editable.of(editable),
          keymap.of([{ key: "Escape", run: leave }, ...yUndoManagerKeymap]),
          ...latest.current.extensions(),
          LOOK,
          yCollab(text, shared.awareness, { undoManager: shared.undoManager }),
          EditorView.focusChangeEffect.of((_state, focused) => {
            shared.setPresence(focused ? { editing: thing, field } : { editing: null, field: null });
            return null;
          }),
        ],
      }),
    });
    latest.current.made?.(view);
    return () => {
      latest.current.made?.(null);
      const focused = view.hasFocus;
      view.destroy();
      if (focused) shared.setPresence({ editing: null, field: null });
    };
  }, [shared, generation, editable, thing, field, present, key]);
  return box;
}

/** Code that is edited together, character by character, with the others' carets in it. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { python } from "@codemirror/lang-python";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  placeholder,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import type { Problem } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { runActions } from "../hooks/useRunActions";

const HIGHLIGHT = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword], color: "var(--type-boolean)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--type-table)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--type-number)" },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName))],
    color: "var(--type-text)",
  },
  { tag: [tags.className, tags.typeName], color: "var(--type-object)" },
  { tag: tags.comment, color: "var(--ink-faint)", fontStyle: "italic" },
  { tag: tags.invalid, color: "var(--failed)" },
]);

const LOOK = EditorView.theme({
  "&": { fontSize: "12px", backgroundColor: "var(--surface-sunk)", color: "var(--ink)", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { fontFamily: "var(--font-code)", padding: "8px 0", caretColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "transparent", border: "none", color: "var(--ink-faint)" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 4px 0 8px", minWidth: "24px" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--ink) 4%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "1.5px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 24%, transparent)",
  },
  ".cm-scroller": { overflow: "auto", lineHeight: "1.55" },
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

interface CodeEditorProps {
  readonly node: string;
  readonly language: string;
  readonly label: string;
  readonly problems: readonly Problem[];
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** Problems that name a line, as marks in the gutter. */
function diagnostics(state: EditorState, problems: readonly Problem[]): Diagnostic[] {
  return problems.flatMap((problem) => {
    const line = number(problem.details?.line);
    if (line === null || line < 1 || line > state.doc.lines) return [];
    const place = state.doc.line(line);
    const from = Math.min(place.from + Math.max((number(problem.details?.column) ?? 1) - 1, 0), place.to);
    return [{ from, to: place.to, severity: problem.severity, message: problem.message }];
  });
}

export function CodeEditor({ node, language, label, problems }: CodeEditorProps) {
  const editor = useEditor();
  const { document: shared } = editor;
  const generation = useStore(shared.generation);
  const editable = useStore(shared.editable);
  const present = useStore(shared.spell, (spell) => spell.nodes[node]?.code !== undefined);
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  /** Not a reason to make the editor anew: somebody else may name the node while this person writes. */
  const named = useRef(label);
  named.current = label;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new generation brings a new text to bind to
  useEffect(() => {
    const text = shared.codeText(node);
    if (!box.current || !text) return;
    const made = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: text.toString(),
        extensions: [
          lineNumbers(),
          lintGutter(),
          drawSelection(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          indentUnit.of(language === "python" ? "    " : "  "),
          language === "python" ? python() : javascript({ typescript: true }),
          syntaxHighlighting(HIGHLIGHT),
          LOOK,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of(() => ({ "aria-label": named.current })),
          placeholder(language === "python" ? "x * 2     # names you read become inputs" : "x * 2"),
          EditorState.readOnly.of(!editable),
          EditorView.editable.of(editable),
          keymap.of([
            {
              key: "Mod-Enter",
              run: () => {
                runActions(editor).run();
                return true;
              },
            },
            {
              key: "Escape",
              run: (one) => {
                one.contentDOM.blur();
                return true;
              },
            },
            ...yUndoManagerKeymap,
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...searchKeymap,
            ...defaultKeymap,
            indentWithTab,
          ]),
          yCollab(text, shared.awareness, { undoManager: shared.undoManager }),
          EditorView.focusChangeEffect.of((_state, focused) => {
            shared.setPresence({ editing: focused ? node : null });
            return null;
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      view.current = null;
      made.destroy();
      shared.setPresence({ editing: null });
    };
  }, [editor, shared, generation, node, language, editable, present]);
  useEffect(() => {
    const focus = () => {
      if (editor.writing.get() !== node || !view.current) return;
      editor.writing.set(null);
      view.current.focus();
    };
    focus();
    return editor.writing.subscribe(focus);
  }, [editor, node]);
  useEffect(() => {
    const current = view.current;
    if (current) current.dispatch(setDiagnostics(current.state, diagnostics(current.state, problems)));
  }, [problems]);
  return <div className="code-editor" ref={box} data-testid="code-editor" />;
}

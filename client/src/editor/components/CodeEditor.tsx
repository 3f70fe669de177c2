/** The code of a node. */
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
import type { EditorState } from "@codemirror/state";
import { type EditorView, highlightActiveLine, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import type { Problem } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { runActions } from "../hooks/useRunActions";
import { useSharedText } from "../hooks/useSharedText";

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
  const present = useStore(editor.document.spell, (spell) => spell.nodes[node]?.code !== undefined);
  const view = useRef<EditorView | null>(null);
  const box = useSharedText({
    thing: node,
    field: "code",
    present,
    label,
    key: language,
    text: (document) => document.codeText(node),
    made: (made) => {
      view.current = made;
    },
    extensions: () => [
      lineNumbers(),
      lintGutter(),
      highlightActiveLine(),
      highlightSelectionMatches(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      autocompletion(),
      indentUnit.of(language === "python" ? "    " : "  "),
      language === "python" ? python() : javascript({ typescript: true }),
      syntaxHighlighting(HIGHLIGHT),
      placeholder(language === "python" ? "x * 2     # names you read become inputs" : "x * 2"),
      keymap.of([
        {
          key: "Mod-Enter",
          run: () => {
            runActions(editor).run();
            return true;
          },
        },
        ...closeBracketsKeymap,
        ...completionKeymap,
        ...searchKeymap,
        ...defaultKeymap,
        indentWithTab,
      ]),
    ],
  });
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

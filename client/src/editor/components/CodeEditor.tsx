/** The code of a node. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completeAnyWord,
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
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorView, highlightActiveLine, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useContext, useEffect, useRef, useState } from "react";
import type { Problem } from "../../protocol";
import { useStore } from "../../store";
import { completesFor, warmUp } from "../code/completion";
import { diagnosticsOf, type FailedAt } from "../code/diagnostics";
import { useCodeTools } from "../hooks/useCodeTools";
import { ConnectionContext } from "../hooks/useConnection";
import { useEditor } from "../hooks/useEditor";
import { useSharedText } from "../hooks/useSharedText";
import type { ShownPorts } from "../store/graph";
import { CodeBar } from "./CodeBar";
import { RenameField } from "./RenameField";

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
  readonly ports: ShownPorts;
  /** Why the last run of the node failed, if it did. */
  readonly failure: FailedAt | null;
}

export function CodeEditor({ node, language, label, problems, ports, failure }: CodeEditorProps) {
  const editor = useEditor();
  const connection = useContext(ConnectionContext);
  const editable = useStore(editor.document.editable);
  const present = useStore(editor.document.spell, (spell) => spell.nodes[node]?.code !== undefined);
  const [renaming, setRenaming] = useState<string | null>(null);
  const view = useRef<EditorView | null>(null);
  const tools = useCodeTools(node, language);
  const askName = () => {
    const name = nameAt(view.current);
    const known = [...ports.inputs, ...ports.outputs].some((port) => port.name === name);
    if (name !== null && known) setRenaming(name);
    else editor.toasts.show({ tone: "info", title: "Put the cursor on a name that comes in or goes out" });
  };
  /** An editor lives longer than what its keys do. */
  const latest = useRef({ tools, askName, connection });
  latest.current = { tools, askName, connection };
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
    extensions: () => {
      const complete = completesFor(editor.document.canvas, node, () => latest.current.connection);
      return [
        lineNumbers(),
        lintGutter(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({
          override: [async (context) => (await complete(context)) ?? completeAnyWord(context)],
          activateOnTypingDelay: 60,
          activateOnCompletion: () => false,
        }),
        indentUnit.of(language === "python" ? "    " : "  "),
        language === "python" ? python() : javascript({ typescript: true }),
        syntaxHighlighting(HIGHLIGHT),
        placeholder(language === "python" ? "x * 2     # names you read become inputs" : "x * 2"),
        keymap.of([
          { key: "Mod-Enter", run: () => done(() => latest.current.tools.run()) },
          { key: "Shift-Alt-f", run: (made) => done(() => latest.current.tools.format(made)) },
          { key: "F2", run: () => done(() => latest.current.askName()) },
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...lintKeymap,
          ...searchKeymap,
          ...defaultKeymap,
          indentWithTab,
        ]),
      ];
    },
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
    if (language === "python") warmUp(editor.document.canvas, node, connection);
  }, [editor, node, language, connection]);
  useEffect(() => {
    const show = () => {
      const at = editor.pointed.get();
      if (at?.node !== node || !view.current) return;
      editor.pointed.set(null);
      showLine(view.current, at.line);
    };
    show();
    return editor.pointed.subscribe(show);
  }, [editor, node]);
  useEffect(() => {
    const current = view.current;
    if (!current) return;
    const found = diagnosticsOf(current.state, node, problems, failure);
    current.dispatch(setDiagnostics(current.state, found));
  }, [node, problems, failure]);
  return (
    <>
      <div className="code-editor" ref={box} data-testid="code-editor" />
      {renaming !== null && (
        <RenameField
          key={renaming}
          name={renaming}
          onRename={(to) => {
            tools.rename(renaming, to);
            setRenaming(null);
            view.current?.focus();
          }}
          onClose={() => {
            setRenaming(null);
            view.current?.focus();
          }}
        />
      )}
      <CodeBar
        inputs={ports.inputs}
        outputs={ports.outputs}
        editable={editable}
        onRun={tools.run}
        onRename={askName}
        onFormat={() => view.current && tools.format(view.current)}
      />
    </>
  );
}

function done(work: () => void): true {
  work();
  return true;
}

function nameAt(view: EditorView | null): string | null {
  const word = view?.state.wordAt(view.state.selection.main.head);
  return view && word ? view.state.sliceDoc(word.from, word.to).normalize("NFKC") : null;
}

function showLine(view: EditorView, line: number): void {
  if (line > view.state.doc.lines) return;
  const { from, to } = view.state.doc.line(line);
  view.dispatch({
    selection: { anchor: from, head: to },
    effects: EditorView.scrollIntoView(from, { y: "center" }),
  });
  view.focus();
}

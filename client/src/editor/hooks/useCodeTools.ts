/** What can be done with the code of a node: format it, rename in it, run it. */
import type { EditorView } from "@codemirror/view";
import { useContext, useMemo } from "react";
import { changesBetween } from "../code/changes";
import type { Editor } from "../store/editor";
import { ConnectionContext } from "./useConnection";
import { useEditor } from "./useEditor";
import { runActions } from "./useRunActions";

export interface CodeTools {
  /** Format the code; only what the formatter changes is touched, so that others' carets stay. */
  format(view: EditorView): void;
  /** Give a name of the code another, in every cell that reads it. */
  rename(name: string, to: string): void;
  /** Run this node and what it needs. */
  run(): void;
}

export function useCodeTools(node: string, language: string): CodeTools {
  const editor = useEditor();
  const connection = useContext(ConnectionContext);
  return useMemo(() => {
    const say = (what: string) => (error: unknown) => editor.toasts.error(what, error);
    return {
      format: (view) => {
        if (!connection || view.state.readOnly) return;
        const before = view.state.doc.toString();
        connection
          .request("code.format", { language: language as "python" | "typescript", code: before })
          .then(({ code }) => apply(editor, view, before, code))
          .catch(say("Could not format the code"));
      },
      rename: (name, to) => {
        if (!connection) return;
        const canvas = editor.document.canvas;
        editor.document
          .saved()
          .then(() => connection.request("code.rename", { canvas, node, name, to }))
          .then(({ nodes }) =>
            editor.toasts.show({
              tone: "done",
              title: `Renamed “${name}” to “${to}” in ${cells(nodes.length)}`,
            }),
          )
          .catch(say(`Could not rename “${name}”`));
      },
      run: () => runActions(editor).runUntil([node]),
    };
  }, [editor, connection, node, language]);
}

function cells(count: number): string {
  return count === 1 ? "this cell" : `${count} cells`;
}

/** Put formatted code in the place of what was sent, unless it has changed meanwhile. */
function apply(editor: Editor, view: EditorView, before: string, code: string): void {
  if (view.state.doc.toString() !== before) {
    editor.toasts.show({ tone: "info", title: "The code changed while it was formatted. Format it again." });
    return;
  }
  const changes = changesBetween(before, code);
  if (changes.length === 0) return;
  editor.document.checkpoint();
  view.dispatch({ changes: [...changes], userEvent: "input.format" });
  editor.document.checkpoint();
}

/** What can be done with the code of a node: format it, rename in it, run it. */
import type { EditorView } from "@codemirror/view";
import { useContext, useMemo } from "react";
import type { Connection } from "../../session";
import { changesBetween } from "../code/changes";
import type { Editor } from "../store/editor";
import type { Toast } from "../store/toasts";
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
        if (connection)
          rename(editor, connection, node, name, to)
            .then((toast) => editor.toasts.show(toast))
            .catch(say(`Could not rename “${name}”`));
      },
      run: () => runActions(editor).runUntil([node]),
    };
  }, [editor, connection, node, language]);
}

function cells(count: number): string {
  return count === 1 ? "this cell" : `${count} cells`;
}

/** Have the server say what the renaming comes to, and make that edit here: undo takes it back. */
async function rename(
  editor: Editor,
  connection: Connection,
  node: string,
  name: string,
  to: string,
): Promise<Omit<Toast, "id">> {
  const { document } = editor;
  await document.saved();
  const before = document.spell.get().nodes;
  const found = await connection.request("code.rename", {
    canvas: document.canvas,
    ...{ node, name, to, preview: true },
  });
  const now = document.spell.get().nodes;
  if (found.nodes.some((id) => now[id]?.code !== before[id]?.code))
    return { tone: "info", title: "The code changed while it was renamed. Rename it again." };
  const code = Object.fromEntries(
    found.nodes.map((id) => [id, changesBetween(before[id]?.code ?? "", found.code[id] ?? "")]),
  );
  document.renameInCode({ name, to: found.name, code, wires: found.edges });
  document.checkpoint();
  return { tone: "done", title: `Renamed “${name}” to “${found.name}” in ${cells(found.nodes.length)}` };
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

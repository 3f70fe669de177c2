/** The editor of a version that is looked at: the same panels and commands, over a document that nobody edits. */
import type { SharedDocument } from "../../document";
import { Store } from "../../store";
import type { Editor } from "./editor";
import { Following } from "./following";

/**
 * An editor like `editor`, with `document` in place of the canvas. What belongs to the page (panels, messages,
 * dialogs) is shared; what belongs to the drawing (selection, view, run states) is its own, and has no runs.
 */
export function versionEditor(editor: Editor, document: SharedDocument): Editor {
  const runs = Object.create(editor.workbench.runs, { board: { value: new Store({}) } });
  const own = {
    workbench: { ...editor.workbench, document, runs },
    selection: new Store<ReadonlySet<string>>(new Set()),
    viewing: new Store(null),
    connecting: new Store(null),
    renaming: new Store(null),
    writing: new Store(null),
    following: new Following(document, () => document.awareness.clientID),
    view: null,
  };
  const properties = Object.entries(own).map(([name, value]) => [name, { value, writable: true }]);
  return Object.create(editor, Object.fromEntries(properties)) as Editor;
}

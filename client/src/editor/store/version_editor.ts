/** The editor of a version that is looked at: the same panels and commands, over a document that nobody edits. */
import type { SharedDocument } from "../../document";
import { Store } from "../../store";
import { Commenting } from "./commenting";
import type { Editor } from "./editor";
import { Following } from "./following";

/** The runs of the canvas, none of which is a run of the version. */
function withoutBoard<R extends object>(runs: R): R {
  const board = new Store({});
  return new Proxy(runs, {
    get(target, name) {
      if (name === "board") return board;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/**
 * An editor like `editor`, with `document` in place of the canvas. What belongs to the page (panels, messages,
 * dialogs) is shared; what belongs to the drawing (selection, view, run states) is its own, and has no runs.
 */
export function versionEditor(editor: Editor, document: SharedDocument): Editor {
  const own = {
    workbench: { ...editor.workbench, document, runs: withoutBoard(editor.workbench.runs) },
    selection: new Store<ReadonlySet<string>>(new Set()),
    viewing: new Store(null),
    overlay: new Store({}),
    opened: new Store<ReadonlySet<string>>(new Set()),
    connecting: new Store(null),
    renaming: new Store(null),
    writing: new Store(null),
    following: new Following(document, () => document.awareness.clientID),
    commenting: new Commenting(editor.workbench.comments, editor),
    view: null,
  };
  own.commenting.mode.subscribe(() => own.commenting.mode.set(false)); // Comments are on the canvas of now.
  const properties = Object.entries(own).map(([name, value]) => [name, { value, writable: true }]);
  return Object.create(editor, Object.fromEntries(properties)) as Editor;
}

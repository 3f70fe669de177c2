/** Copy, cut and paste as plain text, so that a spell can travel through any chat or file. */
import { copyText } from "../../app/copy_text";
import type { Pair } from "../../protocol";
import type { Editor } from "./editor";

/** What was copied last in this tab, for browsers that do not let a page read the clipboard. */
let own = "";

export async function copySelection(editor: Editor): Promise<void> {
  const ids = [...editor.selection.get()];
  if (ids.length === 0) return;
  own = editor.document.copy(ids);
  await copyText(own); // Where that is not allowed, `own` is enough to paste in this tab.
  editor.toasts.show({
    tone: "info",
    title: ids.length === 1 ? "Copied as text" : `Copied ${ids.length} things as text`,
  });
}

export async function pasteHere(editor: Editor, keepIncoming: boolean, at?: Pair): Promise<void> {
  let text = own;
  try {
    text = (await navigator.clipboard.readText()) || own;
  } catch {
    // Not allowed to read it: what this tab copied is what can be pasted.
  }
  if (text.trim() !== "") pasteText(editor, text, keepIncoming, at);
}

export function pasteText(editor: Editor, text: string, keepIncoming: boolean, at?: Pair): void {
  try {
    editor.document.checkpoint();
    const pasted = editor.document.paste(text, { keepIncoming, ...(at ? { at } : {}) });
    editor.select([...pasted.nodes, ...pasted.groups, ...pasted.notes]);
  } catch (error) {
    editor.toasts.error("Nothing to paste", error);
  }
}

export function duplicateSelection(editor: Editor): void {
  const ids = [...editor.selection.get()];
  if (ids.length === 0) return;
  editor.document.checkpoint();
  const made = editor.document.duplicate(ids, { keepIncoming: true });
  editor.select([...made.nodes, ...made.groups, ...made.notes]);
}

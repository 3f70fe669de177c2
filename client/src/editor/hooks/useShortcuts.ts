/** The keyboard: off while a person types, except for the few keys that never mean text. */
import { useEffect } from "react";
import { COMMANDS, matchesKeys } from "../store/commands";
import type { Editor } from "../store/editor";

const WHILE_TYPING = new Set(["run", "stop", "palette"]);
/** Keys that belong to whatever control has the focus, unless that is the canvas. */
const CANVAS_ONLY = new Set([
  "Tab",
  "Enter",
  "Delete",
  "Backspace",
  "ArrowLeft",
  "ArrowRight",
  "ArrowUp",
  "ArrowDown",
]);

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest(".cm-editor")) return true;
  if (target instanceof HTMLInputElement)
    return !["checkbox", "radio", "button", "range"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

function onCanvas(target: EventTarget | null): boolean {
  return !(target instanceof HTMLElement) || target === document.body || target.closest(".canvas") !== null;
}

function handle(editor: Editor, event: KeyboardEvent): void {
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const typing = isTyping(event.target);
  if (event.key === "Escape" && !typing) {
    editor.menu.set(null);
    editor.palette.set(null);
    editor.find.set(false);
    editor.commenting.close();
    editor.following.stop();
    return;
  }
  if (CANVAS_ONLY.has(event.key) && !onCanvas(event.target) && !event.ctrlKey && !event.metaKey) return;
  const onWire =
    event.target instanceof Element && event.target.closest(".react-flow__node, .react-flow__edge, .pin");
  if (event.key === "Tab" && (event.shiftKey || onWire)) return;
  if ((event.key === "Enter" || event.key === " ") && onWire && !typing && !event.ctrlKey && !event.metaKey) {
    const id = onWire.getAttribute("data-id");
    if (id === null || event.target instanceof HTMLButtonElement) return;
    event.preventDefault();
    editor.select([id]);
    editor.showInspector();
    if (event.key === "Enter" && editor.document.spell.get().notes[id]) editor.renaming.set(id);
    return;
  }
  const command = COMMANDS.find((entry) => entry.keys.some((keys) => matchesKeys(event, keys)));
  if (!command || (typing && !WHILE_TYPING.has(command.id))) return;
  if (command.edits && !editor.document.editable.get()) return;
  if (command.id === "copy" && window.getSelection()?.toString()) return;
  if (command.id === "paste") return; // The browser's own paste event carries the text without asking.
  event.preventDefault();
  command.run(editor);
}

/** Listen to the keyboard while `editor` is open. */
export function useShortcuts(editor: Editor): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => handle(editor, event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [editor]);
}

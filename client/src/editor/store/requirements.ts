/** Changes the packages of a canvas: one edit, and one step of undo. */
import type { Editor } from "./editor";

/** Set what versions of packages the canvas needs; null takes one away. */
export function setRequirements(editor: Editor, change: Readonly<Record<string, string | null>>): void {
  editor.document.together(() => {
    for (const [name, specifier] of Object.entries(change)) editor.document.setRequirement(name, specifier);
  });
}

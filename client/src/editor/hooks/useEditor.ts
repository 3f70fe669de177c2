/** The open editor, for every component below it. */
import { createContext, useContext } from "react";
import type { Editor } from "../store/editor";

export const EditorContext = createContext<Editor | null>(null);

/** The open editor; only called below an EditorContext. */
export function useEditor(): Editor {
  const editor = useContext(EditorContext);
  if (!editor) throw new Error("useEditor is called outside of an open editor");
  return editor;
}

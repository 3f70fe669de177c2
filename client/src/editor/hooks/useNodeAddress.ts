/** An address may name a node, as the way back from a subspell does: it is shown, and the name is taken away again. */
import { useEffect } from "react";
import { usePlace } from "../../app/router";
import type { Editor } from "../store/editor";

export function useNodeAddress(editor: Editor): void {
  const place = usePlace();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another place is another address, whatever it says
  useEffect(() => {
    const query = new URLSearchParams(location.search);
    const node = query.get("node");
    if (node === null) return;
    query.delete("node");
    const rest = query.size > 0 ? `?${decodeURIComponent(query.toString())}` : "";
    history.replaceState(history.state, "", location.pathname + rest + location.hash);
    if (!editor.document.spell.get().nodes[node]) return;
    editor.select([node]);
    // After the canvas has put all of it in view.
    const timer = setTimeout(() => editor.reveal(node), 60);
    return () => clearTimeout(timer);
  }, [editor, place]);
}

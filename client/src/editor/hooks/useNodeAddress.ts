/**
 * An address may name a node, as the way back from a subspell does, or one inside it (`sub/inner`): it is shown, and the
 * name is taken away again.
 */
import { useEffect } from "react";
import { usePlace } from "../../app/router";
import type { Editor } from "../store/editor";
import { openAlong } from "../store/ways";

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
    const way = node.split("/");
    if (way[0] === undefined || !editor.document.spell.get().nodes[way[0]]) return;
    if (way.length === 1) editor.select(way);
    // After the canvas has put all of it in view.
    const timer = setTimeout(() => {
      if (!openAlong(editor, way, true))
        editor.toasts.show({ tone: "info", title: "The node is not on this canvas any more" });
    }, 60);
    return () => clearTimeout(timer);
  }, [editor, place]);
}

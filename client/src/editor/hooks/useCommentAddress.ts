/** The address names the thread that is open: it can be sent to somebody, and opens there. */
import { useEffect } from "react";
import { usePlace } from "../../app/router";
import { commentIn } from "../store/commenting";
import type { Editor } from "../store/editor";

export function useCommentAddress(editor: Editor): void {
  const place = usePlace();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another place is another address, whatever it says
  useEffect(() => {
    const comment = commentIn(location.hash);
    const open = editor.commenting.open.get();
    if (comment !== null && !(open?.kind === "thread" && open.id === comment))
      void editor.commenting.show(comment);
  }, [editor, place]);
  useEffect(() => {
    const write = () => {
      const open = editor.commenting.open.get();
      const hash = open?.kind === "thread" ? `#comment=${open.id}` : "";
      if (hash === location.hash || (hash === "" && commentIn(location.hash) === null)) return;
      history.replaceState(history.state, "", location.pathname + location.search + hash);
    };
    return editor.commenting.open.subscribe(write);
  }, [editor]);
}

/** What is typed into an input, on the node or in the inspector: an edit at once, or in live mode tried until it is one. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { whenLeft } from "../../offline";
import type { Json, Port } from "../../protocol";
import { useEditor } from "./useEditor";

export interface InputDraft {
  /** Whether something is typed that the document does not have yet. */
  readonly isHeld: boolean;
  /** Put what the field says so far into the document; in live mode hold it, and show what cheap nodes would give. */
  readonly type: (value: Json | undefined) => void;
  /** Hold what is not to be edited or tried yet, in any mode. */
  readonly hold: (value: Json | undefined) => void;
  /** Put what is held into the document, as one edit, and say whether there was anything new to put there. */
  readonly commit: () => boolean;
  /** Forget what is held. */
  readonly drop: () => void;
  /**
   * Escape drops what is held, Enter commits it; in a field of several lines Enter is a line end, and Ctrl+Enter
   * commits. The keys go on to the page, where Ctrl+Enter runs, unless live mode runs what was committed.
   */
  readonly endTyping: (event: React.KeyboardEvent) => void;
}

/**
 * What is held is committed, too, when the field or the page goes away and when live mode ends; it is forgotten when
 * its person may not edit any more.
 */
export function useInputDraft(node: string, port: Port): InputDraft {
  const { document: shared, workbench } = useEditor();
  const { drafts, runs } = workbench;
  const held = useRef<{ readonly value: Json | undefined } | null>(null);
  const [isHeld, setHeld] = useState(false);
  const { name, default: fallback } = port;
  const forget = useCallback(() => {
    const draft = held.current;
    held.current = null;
    setHeld(false);
    return draft;
  }, []);
  /** Whether `value` is another than the document's. */
  const isNews = useCallback(
    (value: Json | undefined) =>
      JSON.stringify(shared.spell.get().nodes[node]?.inputs[name]) !== JSON.stringify(value),
    [shared, node, name],
  );
  const commit = useCallback(() => {
    const draft = forget();
    if (!draft) return false;
    if (!isNews(draft.value)) {
      drafts.drop();
      return false;
    }
    drafts.settle();
    shared.setInput(node, name, draft.value);
    return true;
  }, [shared, drafts, node, name, forget, isNews]);
  const drop = useCallback(() => {
    forget();
    drafts.drop();
  }, [drafts, forget]);
  useEffect(() => {
    const end = [
      whenLeft({ left: commit, back: () => {} }),
      runs.live.subscribe(commit),
      shared.editable.subscribe(() => held.current && !shared.editable.get() && drop()),
      commit,
    ];
    return () => {
      for (const stop of end) stop();
    };
  }, [commit, drop, runs, shared]);
  return useMemo(() => {
    const hold = (value: Json | undefined) => {
      held.current = { value };
      setHeld(true);
    };
    return {
      isHeld,
      type(value) {
        if (runs.live.get()) {
          hold(value);
          drafts.type(node, name, value ?? fallback);
          return;
        }
        forget();
        if (isNews(value)) shared.setInput(node, name, value);
      },
      hold,
      commit,
      drop,
      endTyping(event) {
        const { target } = event;
        const oneLine = target instanceof HTMLInputElement && target.type !== "checkbox";
        if (event.key === "Escape" && (oneLine || target instanceof HTMLTextAreaElement)) {
          drop();
          target.blur();
        }
        const ends = oneLine || event.metaKey || event.ctrlKey;
        if (event.key === "Enter" && ends && commit() && runs.live.get()) event.stopPropagation();
      },
    };
  }, [isHeld, commit, drop, forget, isNews, shared, drafts, runs, node, name, fallback]);
}

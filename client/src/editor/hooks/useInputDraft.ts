/** An input while it is typed: held here, tried in live mode, and put into the document once. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { whenLeft } from "../../offline";
import type { Json, Port } from "../../protocol";
import { useEditor } from "./useEditor";

export interface InputDraft {
  /** Whether something is typed that the document does not have yet. */
  readonly isHeld: boolean;
  /** Hold what the field says so far, and show what cheap nodes would give for it. */
  readonly type: (value: Json | undefined) => void;
  /** Put what is held into the document, as one edit; nothing happens where nothing is held. */
  readonly commit: () => void;
  /** Forget what is held. */
  readonly drop: () => void;
}

/** What is held is committed, too, when the field or the page goes away and when live mode ends. */
export function useInputDraft(node: string, port: Port): InputDraft {
  const { document: shared, workbench } = useEditor();
  const { drafts, runs } = workbench;
  const held = useRef<{ readonly value: Json | undefined } | null>(null);
  const [isHeld, setHeld] = useState(false);
  const { name, default: fallback } = port;
  const commit = useCallback(() => {
    const draft = held.current;
    if (!draft) return;
    held.current = null;
    setHeld(false);
    const before = shared.spell.get().nodes[node]?.inputs[name];
    if (JSON.stringify(before) === JSON.stringify(draft.value)) return drafts.drop();
    drafts.settle();
    shared.setInput(node, name, draft.value);
  }, [shared, drafts, node, name]);
  useEffect(() => {
    const end = [whenLeft({ left: commit, back: () => {} }), runs.live.subscribe(commit), commit];
    return () => {
      for (const stop of end) stop();
    };
  }, [commit, runs]);
  return useMemo(
    () => ({
      isHeld,
      type(value) {
        held.current = { value };
        setHeld(true);
        drafts.type(node, name, value ?? fallback);
      },
      commit,
      drop() {
        held.current = null;
        setHeld(false);
        drafts.drop();
      },
    }),
    [isHeld, commit, drafts, node, name, fallback],
  );
}

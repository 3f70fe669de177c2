/** Where others are dragging things just now, before their drag becomes an edit. */
import { useEffect, useState } from "react";
import type { Pair } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "./useEditor";

type Drags = Readonly<Record<string, Pair>>;

const NONE: Drags = {};

function isPair(value: unknown): value is Pair {
  return Array.isArray(value) && value.length === 2 && value.every((part) => Number.isFinite(part));
}

export function useRemoteDrags(): Drags {
  const { document } = useEditor();
  const generation = useStore(document.generation);
  const [drags, setDrags] = useState<Drags>(NONE);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new generation brings a new awareness
  useEffect(() => {
    const { awareness } = document;
    const read = () => {
      const next: Record<string, Pair> = {};
      for (const [client, state] of awareness.getStates()) {
        if (client === awareness.clientID || typeof state?.drag !== "object" || state.drag === null) continue;
        for (const [id, at] of Object.entries(state.drag)) if (isPair(at)) next[id] = at;
      }
      setDrags((before) => (Object.keys(next).length + Object.keys(before).length === 0 ? before : next));
    };
    awareness.on("change", read);
    return () => awareness.off("change", read);
  }, [document, generation]);
  return drags;
}

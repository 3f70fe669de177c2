/** What a node ran inside itself in the run that is shown, and the iteration of it that is looked at. */
import { useEffect, useState } from "react";
import type { Inside, Iteration, NodeRun, Rounds } from "../../engine/types";
import { Store, useStore } from "../../store";
import { type Looked, shownIteration, type ToldFailure, toldFailures } from "../store/insides";
import { useEditor } from "./useEditor";
import { useNodeStatus } from "./useNode";

export interface InsideShown {
  readonly inside: Inside;
  readonly iteration: Iteration | undefined;
  readonly rounds: Rounds | null;
  readonly failures: readonly ToldFailure[];
  readonly last: NodeRun;
  choose(index: number): void;
}

const NOTHING: Looked = {
  run: "",
  inside: new Store<Inside>({ loading: false, iterations: [], rounds: null }),
  chosen: new Store<number | undefined>(undefined),
};

/** Look into node `owner` as long as the component is there; null where there is nothing to see. */
export function useInside(owner: string | undefined): InsideShown | null {
  const editor = useEditor();
  const last = useNodeStatus(owner ?? "")?.last;
  const run = last?.run;
  const [looked, setLooked] = useState<Looked>(NOTHING);
  useEffect(() => {
    if (owner === undefined || run === undefined) return;
    setLooked(editor.insides.look(owner, run));
    return () => {
      editor.insides.leave(owner, run);
      setLooked(NOTHING);
    };
  }, [editor, owner, run]);
  const inside = useStore(looked.inside);
  const chosen = useStore(looked.chosen);
  if (owner === undefined || !last || looked === NOTHING) return null;
  if (inside.iterations.length === 0 && !inside.rounds && !last.rounds) return null;
  return {
    inside,
    iteration: shownIteration(owner, inside, chosen, last),
    rounds: last.rounds ?? inside.rounds,
    failures: toldFailures(last),
    last,
    choose: (index) => looked.chosen.set(index),
  };
}

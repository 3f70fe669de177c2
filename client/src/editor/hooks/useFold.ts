/** How a folded frame stands: one word for all the nodes in it. */
import type { NodeState } from "../../engine/types";
import { useStore } from "../../store";
import { type Fold, foldingOf } from "../store/folding";
import { useEditor } from "./useEditor";

const EMPTY: Fold = { inside: new Set(), nodes: [], inputs: [], outputs: [], key: "" };

export function useFold(id: string): Fold {
  const editor = useEditor();
  const opened = useStore(editor.opened);
  return useStore(
    editor.document.spell,
    (spell) => foldingOf(spell, opened).folds.get(id) ?? EMPTY,
    (a, b) => a.key === b.key,
  );
}

/** What matters most comes first: what is wrong, then what goes on, then what no longer holds. */
const LOUDEST: readonly NodeState[] = [
  "failed",
  "running",
  "waiting",
  "queued",
  "interrupted",
  "stale",
  "cancelled",
];

/** The one state that `states` come to; undefined where nothing ran. */
export function togetherState(states: Iterable<NodeState | undefined>): NodeState | undefined {
  const seen = new Set<NodeState>();
  for (const state of states) if (state) seen.add(state);
  if (seen.size === 0) return undefined;
  const loud = LOUDEST.find((state) => seen.has(state));
  if (loud) return loud;
  if (seen.has("done")) return "done";
  return seen.has("cached") ? "cached" : [...seen][0];
}

/** The state of the nodes `ids` together: of the past run on the canvas, if any, else of now. */
export function useTogetherState(ids: readonly string[]): NodeState | undefined {
  const editor = useEditor();
  const past = useStore(editor.viewing, (run) =>
    run ? (togetherState(ids.map((id) => run.nodes[id]?.state)) ?? null) : undefined,
  );
  const inside = useStore(editor.overlay, (overlay) => togetherState(ids.map((id) => overlay[id]?.state)));
  const now = useStore(editor.workbench.runs.board, (board) =>
    togetherState(ids.map((id) => board[id]?.state)),
  );
  return inside ?? (past === undefined ? now : (past ?? undefined));
}

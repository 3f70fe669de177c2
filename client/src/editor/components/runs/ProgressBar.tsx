/** How many nodes of a run have ended, and how far the one is that said so. */

import type { RunProgress } from "../../../protocol";
import { progressWords, shareOf } from "../../../runs";
import { useEditor } from "../../hooks/useEditor";
import { useTitleOf } from "../../hooks/useTitle";

export function ProgressBar({ progress, here = true }: { progress: RunProgress; here?: boolean }) {
  const { document } = useEditor();
  const titleOf = useTitleOf();
  // A run of another canvas has nodes that are not known here.
  const nameOf = (id: string) => (here && titleOf(document.spell.get().nodes[id])) || "one of them";
  const words = progressWords(progress, nameOf);
  return (
    <span className="run-far" data-testid="run-progress">
      <progress className="run-progress" value={shareOf(progress)} max={1} aria-label={words} />
      <span className="type-hint truncate" title={words}>
        {words}
      </span>
    </span>
  );
}

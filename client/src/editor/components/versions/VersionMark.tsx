/** Says of a thing on a shown version how it differs from the present: by a word and a frame, not by colour alone. */
import { ArrowDownToDot, Move, PencilLine, Plus } from "lucide-react";
import { markWords, type What } from "../../../versions";
import { useMark } from "../../hooks/useVersions";

/** What stands for each difference. */
export const MARK_ICONS: Readonly<Record<What, typeof Plus>> = {
  added: Plus,
  removed: ArrowDownToDot,
  changed: PencilLine,
  moved: Move,
};

export function VersionMark({ id }: { id: string }) {
  const what = useMark(id);
  if (!what) return null;
  const Icon = MARK_ICONS[what];
  return (
    <div className="version-mark" data-what={what} data-testid={`mark-${id}`}>
      <span>
        <Icon size={11} strokeWidth={2.4} aria-hidden="true" />
        {markWords(what)}
      </span>
    </div>
  );
}

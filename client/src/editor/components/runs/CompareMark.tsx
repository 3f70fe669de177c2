/** Says of a node on the canvas how it came out in two compared runs: by a word and a sign, not by colour alone. */
import { Equal, Minus, PencilLine, Plus } from "lucide-react";
import { useContext } from "react";
import { MARK_WORDS, type Mark } from "../../../runs";
import { Store, useStore } from "../../../store";
import { RunDeskContext } from "../../hooks/useRunDesk";

const ICONS: Readonly<Record<Mark, typeof Equal>> = {
  same: Equal,
  changed: PencilLine,
  before: Minus,
  after: Plus,
};

const NONE = new Store(null);

export function MarkIcon({ what }: { what: Mark }) {
  const Icon = ICONS[what];
  return <Icon size={11} strokeWidth={2.4} aria-hidden="true" />;
}

export function CompareMark({ id }: { id: string }) {
  const desk = useContext(RunDeskContext);
  const what = useStore<ReturnType<NonNullable<typeof desk>["comparison"]["now"]["get"]>, Mark | undefined>(
    desk?.comparison.now ?? NONE,
    (now) => (now?.state === "open" ? now.marks[id] : undefined),
  );
  if (!what) return null;
  return (
    <div className="compare-mark" data-what={what} data-testid={`compare-mark-${id}`}>
      <span>
        <MarkIcon what={what} />
        {MARK_WORDS[what]}
      </span>
    </div>
  );
}

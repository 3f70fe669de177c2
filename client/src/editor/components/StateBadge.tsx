/** How a node stands: each state has a sign of its own beside its colour, and words for a screen reader. */
import {
  Ban,
  Check,
  CircleDashed,
  CircleHelp,
  Hourglass,
  LoaderCircle,
  type LucideIcon,
  RotateCcw,
  SkipForward,
  X,
  Zap,
} from "lucide-react";
import type { NodeState } from "../../engine/types";
import { formatDuration } from "../store/value_kind";

export type ShownState = NodeState | "unknown";

const LOOKS: Readonly<Record<ShownState, { icon: LucideIcon; word: string }>> = {
  queued: { icon: CircleDashed, word: "Queued" },
  waiting: { icon: Hourglass, word: "Waiting" },
  running: { icon: LoaderCircle, word: "Running" },
  done: { icon: Check, word: "Done" },
  cached: { icon: Zap, word: "Cached" },
  failed: { icon: X, word: "Failed" },
  skipped: { icon: SkipForward, word: "Skipped" },
  cancelled: { icon: Ban, word: "Stopped" },
  stale: { icon: RotateCcw, word: "Stale" },
  unknown: { icon: CircleHelp, word: "Unknown type" },
};

/** States whose word is worth its room; the others show a duration, or their sign alone. */
const SPOKEN = new Set<ShownState>([
  "queued",
  "waiting",
  "failed",
  "skipped",
  "cancelled",
  "stale",
  "unknown",
]);

interface StateBadgeProps {
  readonly state: ShownState;
  readonly duration?: number | null | undefined;
  readonly why?: string | null | undefined;
  readonly testid?: string;
}

export function StateBadge({ state, duration, why, testid }: StateBadgeProps) {
  const { icon: Icon, word } = LOOKS[state];
  const time = typeof duration === "number" && state !== "skipped" ? formatDuration(duration) : null;
  const shown = SPOKEN.has(state) ? word : state === "cached" ? null : time;
  const title = [word, time ? `in ${time}` : null, why ? `(${why})` : null].filter(Boolean).join(" ");
  return (
    <span
      className="state"
      data-state={state}
      data-testid={testid}
      title={title}
      role="status"
      aria-live="off"
    >
      <Icon
        size={12}
        strokeWidth={2.4}
        className={state === "running" ? "spin" : undefined}
        aria-hidden="true"
      />
      {shown !== null && <span aria-hidden="true">{shown}</span>}
      <span className="sr-only">{title}</span>
    </span>
  );
}

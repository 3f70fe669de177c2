/** How a node stands: each state has a sign of its own beside its colour, and words for a screen reader. */
import {
  AudioLines,
  Ban,
  Check,
  CircleDashed,
  CircleHelp,
  CircleSlash,
  Hourglass,
  LoaderCircle,
  type LucideIcon,
  Pin,
  Redo2,
  RotateCcw,
  SkipForward,
  VolumeX,
  X,
  Zap,
} from "lucide-react";
import type { Waiting } from "../../engine/types";
import { formatDuration } from "../store/value_kind";
import { type ShownState, STATE_WORDS } from "../store/why";
import { Countdown } from "./Countdown";

const ICONS: Readonly<Record<ShownState, LucideIcon>> = {
  queued: CircleDashed,
  waiting: Hourglass,
  running: LoaderCircle,
  streaming: AudioLines,
  done: Check,
  cached: Zap,
  pinned: Pin,
  muted: VolumeX,
  bypassed: Redo2,
  failed: X,
  skipped: SkipForward,
  cancelled: Ban,
  interrupted: CircleSlash,
  stale: RotateCcw,
  unknown: CircleHelp,
};

/** States whose word is worth its room; the others show a duration, or their sign alone. */
const SPOKEN = new Set<ShownState>([
  "queued",
  "waiting",
  "streaming",
  "pinned",
  "muted",
  "bypassed",
  "failed",
  "skipped",
  "cancelled",
  "interrupted",
  "stale",
  "unknown",
]);

/** States that no time belongs to. */
const TIMELESS = new Set<ShownState>(["skipped", "pinned", "muted", "bypassed", "stale"]);

interface StateBadgeProps {
  readonly state: ShownState;
  readonly duration?: number | null | undefined;
  readonly why?: string | null | undefined;
  readonly waiting?: Waiting | null | undefined;
  readonly testid?: string;
}

export function StateBadge({ state, duration, why, waiting, testid }: StateBadgeProps) {
  const Icon = ICONS[state];
  const word = STATE_WORDS[state];
  const time = typeof duration === "number" && !TIMELESS.has(state) ? formatDuration(duration) : null;
  const shown = SPOKEN.has(state) ? word : state === "cached" ? null : time;
  const title = [word, time ? `in ${time}` : null, why ? `(${why})` : null].filter(Boolean).join(" ");
  const until = state === "waiting" ? (waiting?.until ?? null) : null;
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
      {until !== null ? (
        <Countdown until={until} instead={word} />
      ) : (
        shown !== null && <span aria-hidden="true">{shown}</span>
      )}
      <span className="sr-only">{title}</span>
    </span>
  );
}

/** How a worker stands: a sign and a word beside the colour. */
import {
  Check,
  CircleDashed,
  CircleStop,
  Hourglass,
  LoaderCircle,
  type LucideIcon,
  PackageOpen,
  X,
} from "lucide-react";
import type { WorkerState } from "../../../workers";
import { EXTERNAL_STATES, WORKER_STATES } from "../../../workers";

const ICONS: Readonly<Record<WorkerState, LucideIcon>> = {
  absent: CircleDashed,
  provisioning: PackageOpen,
  starting: Hourglass,
  ready: Check,
  busy: LoaderCircle,
  stopped: CircleStop,
  failed: X,
};

/** The colours are those of nodes that stand alike. */
const TONES: Readonly<Record<WorkerState, string>> = {
  absent: "queued",
  provisioning: "running",
  starting: "waiting",
  ready: "done",
  busy: "running",
  stopped: "skipped",
  failed: "failed",
};

interface WorkerBadgeProps {
  readonly state: WorkerState;
  readonly reason?: string | null;
  /** Whether the word is shown beside the sign. */
  readonly word?: boolean;
  /** Whether its program runs elsewhere. */
  readonly external?: boolean;
  readonly testid?: string;
}

export function WorkerBadge({ state, reason, word = true, external = false, testid }: WorkerBadgeProps) {
  const Icon = ICONS[state];
  const [said, meaning] = (external ? EXTERNAL_STATES : WORKER_STATES)[state];
  return (
    <span
      className="state worker-state"
      data-state={TONES[state]}
      data-worker={state}
      data-testid={testid}
      title={[said, reason ?? meaning].join(": ")}
    >
      <Icon
        size={12}
        strokeWidth={2.4}
        className={state === "busy" ? "spin" : undefined}
        aria-hidden="true"
      />
      {word ? <span>{said}</span> : <span className="sr-only">{said}</span>}
    </span>
  );
}

/** One run in the list: how it stands and why it waits; what can be done with it where it is chosen. */
import {
  ChartNoAxesGantt,
  Check,
  CircleSlash,
  CircleStop,
  Clock,
  GitCompareArrows,
  LoaderCircle,
  Lock,
  Pause,
  Play,
  RefreshCw,
  RotateCcw,
  StepForward,
  Trash2,
  UserRound,
  X,
} from "lucide-react";
import { useState } from "react";
import { ended } from "../../../engine/reduce";
import type { RunStatus } from "../../../protocol";
import { factsOf, lastedWords, progressOf, type RunRow as Row, whyWaits } from "../../../runs";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useRunDesk } from "../../hooks/useRunDesk";
import { forkRun, resumeRun, showRun, stepRun } from "../../store/past_runs";
import { formatDuration } from "../../store/value_kind";
import { runWords, type ShownState, wordsOfRun } from "../../store/why";
import { ProgressBar } from "./ProgressBar";

const ICONS: Readonly<Record<RunStatus, typeof Check>> = {
  queued: Clock,
  running: LoaderCircle,
  paused: Pause,
  waiting: UserRound,
  completed: Check,
  failed: X,
  cancelled: CircleSlash,
  interrupted: CircleSlash,
};

export function RunRow({ row }: { row: Row }) {
  const editor = useEditor();
  const desk = useRunDesk();
  const viewing = useStore(editor.viewing, (run) => run?.id === row.id);
  const replaying = useStore(editor.workbench.replays.replaying, (run) => run?.id === row.id);
  const choosing = useStore(desk.comparison.now, (now) => (now?.state === "choosing" ? now.before : null));
  const queue = useStore(desk.queues.queues, (all) => all?.find(({ name }) => name === row.view?.queue));
  const [busy, setBusy] = useState(false);
  const { tone, word } = wordsOf(row);
  const Icon = tone === "failed" ? X : ICONS[row.status];
  const waits = whyWaits(row, queue, Date.now() / 1000);
  const facts = factsOf(row.view);
  const progress = progressOf(row);

  async function choose() {
    if (choosing !== null && choosing !== row.id) {
      const other = desk.list.rows.get().find(({ id }) => id === choosing);
      const [before, after] =
        (other?.createdAt ?? 0) <= row.createdAt ? [choosing, row.id] : [row.id, choosing];
      await desk.compare(before, after);
      return;
    }
    setBusy(true);
    try {
      await showRun(editor, row.id);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div className="run-entry" data-current={viewing}>
      <button
        type="button"
        className="run-row"
        data-testid={`run-${row.id}`}
        aria-current={viewing}
        onClick={() => void choose()}
      >
        <span className="state" data-state={tone}>
          <Icon size={12} strokeWidth={2.4} className={row.status === "running" ? "spin" : ""} />
        </span>
        <span className="type-words">
          <span className="type-title">
            {clock(row.createdAt)}
            {(row.view ?? row.state)?.audience === "private" && <Lock size={11} aria-label="private" />}
            {row.view?.user_name && row.view.user !== editor.user.id && (
              <span className="run-who truncate">{row.view.user_name}</span>
            )}
          </span>
          <span className="type-hint">
            {[lasted(row, word), waits].filter(Boolean).join(", ")}
            {row.state?.scope ? `, ${row.state.scope.length} chosen` : ""}
            {row.state?.error && row.status === "failed" ? `: ${row.state.error.message}` : ""}
            {(row.view ?? row.state)?.mode === "live" ? ", live" : ""}
          </span>
          {facts.length > 0 && <span className="type-hint">{facts.join(", ")}</span>}
          {progress && <ProgressBar progress={progress} />}
        </span>
        {(busy || replaying) && <LoaderCircle size={13} className="spin" />}
        {!busy && !replaying && <RotateCcw size={13} className="run-replay" aria-label="Replay" />}
      </button>
      {viewing && <RunTools row={row} />}
    </div>
  );
}

function RunTools({ row }: { row: Row }) {
  const editor = useEditor();
  const desk = useRunDesk();
  const over = ended(row.status);
  const failed =
    (row.view?.failed_nodes ?? 0) > 0 ||
    Object.values(row.state?.nodes ?? {}).some((node) => node.state === "failed");
  const stepping = useStore(desk.stepper.loading, (run) => run === row.id);
  const told = (what: string, work: Promise<unknown>) =>
    void work.catch((error: unknown) => editor.toasts.error(what, error));
  return (
    <div className="run-tools" role="toolbar" aria-label="What to do with this run">
      <Tool label="Step through" testid="run-step" onClick={() => void stepRun(editor, desk, row.id)}>
        {stepping ? <LoaderCircle size={13} className="spin" /> : <StepForward size={13} />}
      </Tool>
      <Tool label="Timeline" testid="run-timeline" onClick={() => void desk.showTimeline(row.id)}>
        <ChartNoAxesGantt size={13} />
      </Tool>
      <Tool label="Compare…" testid="run-compare" onClick={() => desk.comparison.choose(row.id)}>
        <GitCompareArrows size={13} />
      </Tool>
      {row.status === "interrupted" && (
        <Tool label="Go on" testid="run-resume" onClick={() => void resumeRun(editor, desk, row.id)}>
          <Play size={13} />
        </Tool>
      )}
      {over && failed && (
        <Tool
          label="Run again from what failed"
          testid="run-again-failed"
          onClick={() => void forkRun(editor, desk, row.id, { spell: "now" })}
        >
          <RefreshCw size={13} />
        </Tool>
      )}
      {over ? (
        <Tool
          label="Remove"
          testid="run-remove"
          danger
          onClick={() => {
            editor.viewing.set(null);
            told("Could not remove the run", desk.remove(row.id));
          }}
        >
          <Trash2 size={13} />
        </Tool>
      ) : (
        <Tool
          label="Stop"
          testid="run-cancel"
          onClick={() => told("Could not stop the run", desk.cancel(row.id))}
        >
          <CircleStop size={13} />
        </Tool>
      )}
    </div>
  );
}

interface ToolProps {
  readonly label: string;
  readonly testid: string;
  readonly danger?: boolean;
  onClick(): void;
  readonly children: React.ReactNode;
}

function Tool({ label, testid, danger = false, onClick, children }: ToolProps) {
  return (
    <button
      type="button"
      className={danger ? "run-tool danger" : "run-tool"}
      data-testid={testid}
      onClick={onClick}
    >
      {children}
      <span>{label}</span>
    </button>
  );
}

function wordsOf({ state, status, view }: Row): { readonly tone: ShownState; readonly word: string } {
  const told = view?.failed_nodes ?? null;
  return told === null && state?.status === status ? runWords(state) : wordsOfRun(status, told);
}

function lasted({ view, state }: Row, word: string): string {
  const from = view?.started_at ?? state?.startedAt;
  const to = view?.ended_at ?? state?.endedAt;
  return from && to ? lastedWords(word, formatDuration(to - from)) : word;
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** Past runs; choosing one puts its states on the canvas and replays it through the plugins. */
import { Check, CircleSlash, Clock, LoaderCircle, Lock, Pause, RotateCcw, UserRound, X } from "lucide-react";
import { useState } from "react";
import type { RunStatus } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { formatDuration } from "../store/value_kind";
import { runWords } from "../store/why";

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

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

function day(seconds: number): string {
  const date = new Date(seconds * 1000);
  return date.toDateString() === new Date().toDateString()
    ? "Today"
    : date.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });
}

export function HistoryPanel() {
  const editor = useEditor();
  const { runs, replays } = editor.workbench;
  const past = useStore(runs.past);
  const more = useStore(runs.more);
  const viewing = useStore(editor.viewing, (run) => run?.id);
  const replaying = useStore(replays.replaying, (run) => run?.id);
  const [busy, setBusy] = useState<string | null>(null);

  async function show(id: string) {
    setBusy(id);
    try {
      editor.viewing.set(await runs.load(id));
      await replays.replay(id);
    } catch (error) {
      editor.toasts.error("Could not replay the run", error);
    } finally {
      setBusy(null);
    }
  }

  return (
    <div className="side-body" data-testid="history">
      <ul className="scroll side-scroll plain-list" aria-label="Past runs">
        {past.map((run, index) => {
          const before = past[index - 1];
          const { tone, word } = runWords(run);
          const Icon = tone === "failed" ? X : ICONS[run.status];
          const heading =
            before === undefined || day(before.createdAt) !== day(run.createdAt) ? day(run.createdAt) : null;
          return (
            <li key={run.id}>
              {heading && <h3 className="side-heading">{heading}</h3>}
              <button
                type="button"
                className="run-row"
                data-testid={`run-${run.id}`}
                aria-current={viewing === run.id}
                onClick={() => void show(run.id)}
              >
                <span className="state" data-state={tone}>
                  <Icon size={12} strokeWidth={2.4} className={run.status === "running" ? "spin" : ""} />
                </span>
                <span className="type-words">
                  <span className="type-title">
                    {clock(run.createdAt)}
                    {run.audience === "private" && <Lock size={11} aria-label="private" />}
                  </span>
                  <span className="type-hint">
                    {word}
                    {run.endedAt && run.startedAt ? ` in ${formatDuration(run.endedAt - run.startedAt)}` : ""}
                    {run.scope ? `, ${run.scope.length} chosen` : ""}
                    {run.error && run.status === "failed" ? `: ${run.error.message}` : ""}
                    {run.mode === "live" ? ", live" : ""}
                  </span>
                </span>
                {(busy === run.id || replaying === run.id) && <LoaderCircle size={13} className="spin" />}
                {busy !== run.id && replaying !== run.id && (
                  <RotateCcw size={13} className="run-replay" aria-label="Replay" />
                )}
              </button>
            </li>
          );
        })}
        {past.length === 0 && (
          <li className="menu-note">No runs yet. Every run is kept here and can be replayed.</li>
        )}
        {more && (
          <li>
            <button type="button" className="link-button" onClick={() => void runs.loadOlder()}>
              Show older runs
            </button>
          </li>
        )}
      </ul>
    </div>
  );
}

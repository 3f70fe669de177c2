/** Run, stop, pause, and live mode. */
import { Hourglass, Lock, Pause, Play, Radio, Square, StepForward, TriangleAlert } from "lucide-react";
import { ended } from "../../engine/reduce";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useRunActions } from "../hooks/useRunActions";
import { keysOf } from "../store/commands";
import { shortMessage } from "../store/graph";
import { RunMenu } from "./RunMenu";

export function RunControls() {
  const editor = useEditor();
  const actions = useRunActions();
  const run = useStore(editor.workbench.runs.current);
  const privately = useStore(editor.privately);
  const role = useStore(editor.document.role);
  const open = run !== null && !ended(run.status);
  // One that waits in a queue or for people is in no process that could hold it.
  const holds = open && run.status !== "waiting" && !(run.status === "queued" && run.queue);
  const paused = run?.status === "paused";
  const canRun = role !== null && role !== "viewer";
  return (
    <fieldset className="run-controls" aria-label="Run">
      <button
        type="button"
        className="button primary"
        disabled={!canRun}
        title={`Run  ${keysOf("run")}`}
        data-testid="run-button"
        onClick={() => actions.run()}
      >
        <Play size={13} fill="currentColor" />
        {privately ? "Run privately" : "Run"}
        {privately && <Lock size={12} />}
      </button>
      <RunMenu disabled={!canRun} />
      <button
        type="button"
        className="button"
        disabled={!open || !canRun}
        title={`Stop  ${keysOf("stop")}`}
        data-testid="stop-button"
        onClick={() => actions.stop()}
      >
        <Square size={12} fill="currentColor" />
        Stop
      </button>
      {holds && (
        <button
          type="button"
          className="button"
          disabled={!canRun}
          title={`${paused ? "Let the run go on" : "Pause: nodes under way end, no others start"}  ${keysOf("pause")}`}
          data-testid="pause-button"
          onClick={() => actions.togglePause()}
        >
          {paused ? <Play size={13} /> : <Pause size={13} />}
          {paused ? "Resume" : "Pause"}
        </button>
      )}
      {paused && (
        <button
          type="button"
          className="button"
          disabled={!canRun}
          title={`Let one more node run  ${keysOf("step")}`}
          data-testid="step-button"
          onClick={() => actions.step()}
        >
          <StepForward size={13} />
          Step
        </button>
      )}
      <LiveButton canRun={canRun} />
    </fieldset>
  );
}

/** Live mode, and in a few words why it waits or cannot run. */
function LiveButton({ canRun }: { canRun: boolean }) {
  const editor = useEditor();
  const actions = useRunActions();
  const { runs } = editor.workbench;
  const live = useStore(runs.live);
  const notice = useStore(runs.liveNotice);
  const about = notice?.node ?? null;
  return (
    <>
      <button
        type="button"
        className="button live-button"
        aria-pressed={live}
        data-notice={live ? notice?.kind : undefined}
        disabled={!canRun}
        title={`${live ? "Pause live mode" : "Live: each change runs what depends on it"}  ${keysOf("live")}`}
        data-testid="live-button"
        onClick={() => actions.toggleLive()}
      >
        {live ? <Pause size={13} /> : <Radio size={13} />}
        Live
      </button>
      {live && notice && (
        <button
          type="button"
          className="live-notice"
          data-kind={notice.kind}
          data-testid="live-notice"
          title={about ? `${notice.message}\nShow the node` : notice.message}
          disabled={about === null}
          onClick={() => about !== null && editor.reveal(about)}
        >
          {notice.kind === "error" ? (
            <TriangleAlert size={12} aria-label="Live mode cannot run" />
          ) : (
            <Hourglass size={12} aria-label="Live mode waits" />
          )}
          <span className="truncate" role="status">
            {shortMessage(notice.message)}
          </span>
        </button>
      )}
    </>
  );
}

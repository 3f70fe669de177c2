/** Run, stop, pause, and live mode. */
import { ChevronDown, Lock, Pause, Play, Radio, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useRunActions } from "../hooks/useRunActions";
import { keysOf } from "../store/commands";

const GOING = new Set(["queued", "running", "paused"]);

export function RunControls() {
  const editor = useEditor();
  const actions = useRunActions();
  const run = useStore(editor.workbench.runs.current);
  const privately = useStore(editor.privately);
  const role = useStore(editor.document.role);
  const going = run !== null && GOING.has(run.status);
  const paused = run?.status === "paused";
  const live = useStore(editor.workbench.runs.live);
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
        disabled={!going || !canRun}
        title={`Stop  ${keysOf("stop")}`}
        data-testid="stop-button"
        onClick={() => actions.stop()}
      >
        <Square size={12} fill="currentColor" />
        Stop
      </button>
      {going && (
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
      <button
        type="button"
        className="button live-button"
        aria-pressed={live}
        disabled={!canRun}
        title={live ? "Pause live mode" : "Live: each change runs what depends on it"}
        data-testid="live-button"
        onClick={() => actions.toggleLive()}
      >
        {live ? <Pause size={13} /> : <Radio size={13} />}
        Live
      </button>
    </fieldset>
  );
}

function RunMenu({ disabled }: { disabled: boolean }) {
  const editor = useEditor();
  const privately = useStore(editor.privately);
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => {
      if (
        event instanceof KeyboardEvent ? event.key === "Escape" : !box.current?.contains(event.target as Node)
      )
        setOpen(false);
    };
    window.addEventListener("pointerdown", away, true);
    window.addEventListener("keydown", away, true);
    return () => {
      window.removeEventListener("pointerdown", away, true);
      window.removeEventListener("keydown", away, true);
    };
  }, [open]);
  return (
    <div className="drop" ref={box}>
      <button
        type="button"
        className="button primary run-more"
        aria-label="How to run"
        aria-expanded={open}
        disabled={disabled}
        onClick={() => setOpen(!open)}
      >
        <ChevronDown size={13} />
      </button>
      {open && (
        <div className="menu drop-menu">
          <label className="menu-item">
            <span className="grow">
              Only for me
              <span className="type-hint">Others on the canvas see neither states nor results</span>
            </span>
            <span className="switch">
              <input
                type="checkbox"
                data-testid="private-run"
                checked={privately}
                onChange={(event) => editor.privately.set(event.target.checked)}
              />
              <span className="track" aria-hidden="true" />
            </span>
          </label>
        </div>
      )}
    </div>
  );
}

/** The bar above the canvas: where one is, whether it is saved, running, and who else is here. */
import { ChevronDown, HelpCircle, Lock, Pause, Play, Radio, Search, Share2, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { BrandMark } from "../../app/components/Brand";
import { Link } from "../../app/components/Link";
import { ThemeButton } from "../../app/components/ThemeButton";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useRunActions } from "../hooks/useRunActions";
import { renameCanvas } from "../store/actions";
import { keysOf } from "../store/commands";
import { ConnectionIndicator } from "./ConnectionIndicator";
import { PresenceBar } from "./PresenceBar";
import { SaveIndicator } from "./SaveIndicator";

export function TopBar() {
  const editor = useEditor();
  const name = useStore(editor.document.spell, (spell) => spell.name);
  const editable = useStore(editor.document.editable);
  const role = useStore(editor.document.role);
  return (
    <header className="topbar">
      <Link to="/" className="brand" aria-label="All canvases" title="All canvases">
        <BrandMark size={22} />
      </Link>
      <input
        key={name}
        className="title-field canvas-name"
        aria-label="Name of the canvas"
        data-testid="canvas-name"
        defaultValue={name}
        readOnly={!editable}
        size={Math.min(Math.max(name.length, 6), 36)}
        onBlur={(event) => {
          const next = event.target.value.trim();
          if (next !== "" && next !== name) renameCanvas(editor, next);
        }}
        onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
      />
      <SaveIndicator />
      <ConnectionIndicator />
      <div className="spacer" />
      <RunControls />
      <div className="spacer" />
      <PresenceBar />
      {role === "owner" && (
        <button
          type="button"
          className="icon-button"
          aria-label="Share"
          title="Share"
          onClick={() => editor.share.set(true)}
          data-testid="share-button"
        >
          <Share2 size={16} />
        </button>
      )}
      <button
        type="button"
        className="icon-button"
        aria-label="Search"
        title={`Search  ${keysOf("palette")}`}
        onClick={() => editor.palette.set({ mode: "all" })}
      >
        <Search size={16} />
      </button>
      <ThemeButton />
      <button
        type="button"
        className="icon-button"
        aria-label="All shortcuts"
        title="Shortcuts  ?"
        onClick={() => editor.shortcuts.set(true)}
      >
        <HelpCircle size={16} />
      </button>
    </header>
  );
}

const GOING = new Set(["queued", "running", "paused"]);

function RunControls() {
  const editor = useEditor();
  const actions = useRunActions();
  const run = useStore(editor.workbench.runs.current);
  const privately = useStore(editor.privately);
  const role = useStore(editor.document.role);
  const going = run !== null && GOING.has(run.status);
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

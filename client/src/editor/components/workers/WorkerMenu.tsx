/** Which worker this canvas runs on, how it stands, and what can be done with it: the selector in the bar. */
import { Check, ChevronDown, Cpu, PanelLeft, Play, RotateCw, Square } from "lucide-react";
import { useRef, useState } from "react";
import { useStore } from "../../../store";
import type { Worker } from "../../../workers";
import { ALIVE, UNDER_WAY, WORKER_KINDS } from "../../../workers";
import { useDismiss } from "../../hooks/useDismiss";
import { useEditor } from "../../hooks/useEditor";
import { useWorkerDesk } from "../../hooks/useWorkerDesk";
import { useWorkerRights } from "../../hooks/useWorkerRights";
import { WorkerBadge } from "./WorkerBadge";

export function WorkerMenu() {
  const desk = useWorkerDesk();
  const worker = useStore(desk.worker);
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useDismiss(open, box, (byKey) => {
    setOpen(false);
    if (byKey) button.current?.focus();
  });
  if (!worker) return null;
  return (
    <div className="drop" ref={box}>
      <button
        ref={button}
        type="button"
        className="button worker-button"
        aria-haspopup="menu"
        aria-expanded={open}
        title={worker.reason ?? `Worker: ${worker.name}`}
        data-testid="worker-button"
        data-state={worker.state}
        onClick={() => setOpen(!open)}
      >
        <Cpu size={14} aria-hidden="true" />
        <span className="sr-only">Worker</span>
        <span className="truncate worker-name">{worker.name}</span>
        <WorkerBadge state={worker.state} reason={worker.reason} testid="worker-state" />
        <ChevronDown size={12} aria-hidden="true" />
      </button>
      {open && <OpenMenu worker={worker} onDone={() => setOpen(false)} />}
    </div>
  );
}

function OpenMenu({ worker, onDone }: { readonly worker: Worker; readonly onDone: () => void }) {
  const editor = useEditor();
  const desk = useWorkerDesk();
  const choices = useStore(desk.choices);
  const doing = useStore(desk.doing);
  const failure = useStore(desk.failure);
  const rights = useWorkerRights(worker);
  const others = choices.filter(({ kind }) => kind !== "external");
  const outside = choices.filter(({ kind }) => kind === "external");
  const choose = (each: Worker) =>
    void desk.choose(each.kind === "canvas" ? null : each.id).then((done) => done && onDone());
  return (
    <div
      className="menu drop-menu worker-menu"
      role="menu"
      aria-label="Worker of this canvas"
      data-testid="worker-menu"
      ref={(menu) => menu?.querySelector<HTMLElement>("button:not(:disabled)")?.focus()}
      onKeyDown={moveFocus}
    >
      {(others.length > 1 || rights.choose) && <div className="palette-section">This canvas runs on</div>}
      {others.map((each) => (
        <button
          key={each.id}
          type="button"
          className="menu-item"
          role="menuitemradio"
          aria-checked={each.id === worker.id}
          disabled={!rights.choose || doing !== null}
          title={rights.choose ? WORKER_KINDS[each.kind] : "Who edits the canvas chooses its worker"}
          data-testid={`choose-worker-${each.id}`}
          onClick={() => (each.id === worker.id ? onDone() : choose(each))}
        >
          <span className="menu-check">{each.id === worker.id && <Check size={13} />}</span>
          <span className="grow truncate">
            {each.name}
            <span className="type-hint">{WORKER_KINDS[each.kind]}</span>
          </span>
          <WorkerBadge state={each.state} reason={each.reason} />
        </button>
      ))}
      {outside.length > 0 && <div className="palette-section">Beside it, from outside</div>}
      {outside.map((each) => (
        <div key={each.id} className="menu-item" data-testid={`external-worker-${each.id}`}>
          <span className="menu-check" />
          <span className="grow truncate">{each.name}</span>
          <WorkerBadge state={each.state} reason={each.reason} />
        </div>
      ))}
      <div className="menu-line" />
      <Deeds worker={worker} disabled={!rights.steer || doing !== null} />
      <div className="menu-line" />
      <button
        type="button"
        className="menu-item"
        role="menuitem"
        data-testid="worker-panel-open"
        onClick={() => {
          editor.panel.set("worker");
          onDone();
        }}
      >
        <span className="menu-check">
          <PanelLeft size={13} />
        </span>
        Packages, packs, access, log…
      </button>
      {failure !== null && (
        <div className="notice error" role="alert">
          {failure}
        </div>
      )}
    </div>
  );
}

function Deeds({ worker, disabled }: { readonly worker: Worker; readonly disabled: boolean }) {
  const desk = useWorkerDesk();
  const alive = ALIVE.has(worker.state) || UNDER_WAY.has(worker.state);
  return (
    <>
      {alive ? (
        <button
          type="button"
          className="menu-item"
          role="menuitem"
          disabled={disabled}
          data-testid="worker-stop"
          onClick={() => void desk.act("stop")}
        >
          <span className="menu-check">
            <Square size={12} fill="currentColor" />
          </span>
          Stop
        </button>
      ) : (
        <button
          type="button"
          className="menu-item"
          role="menuitem"
          disabled={disabled}
          data-testid="worker-start"
          onClick={() => void desk.act("start")}
        >
          <span className="menu-check">
            <Play size={12} fill="currentColor" />
          </span>
          Start
        </button>
      )}
      <button
        type="button"
        className="menu-item"
        role="menuitem"
        disabled={disabled || !alive}
        title="Values that live in it are lost; nodes make them again"
        data-testid="worker-restart"
        onClick={() => void desk.act("restart")}
      >
        <span className="menu-check">
          <RotateCw size={13} />
        </span>
        Restart
      </button>
    </>
  );
}

/** Arrows go through the items, as in any menu. */
function moveFocus(event: React.KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("button:not(:disabled)")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + step + items.length) % items.length]?.focus();
  event.preventDefault();
}

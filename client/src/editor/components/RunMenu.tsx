/** How to run otherwise than plainly: for oneself alone, so that a restart does not end it, or in a queue. */
import { ChevronDown } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useStore } from "../../store";
import { useDismiss } from "../hooks/useDismiss";
import { useEditor } from "../hooks/useEditor";
import { useRunActions } from "../hooks/useRunActions";
import { useRunDesk } from "../hooks/useRunDesk";

/** As the server takes names of queues, and how far a priority may go. */
const QUEUE_NAME = "[A-Za-z0-9._\\-]+";
const MOST_PRIORITY = 100;

export function RunMenu({ disabled }: { disabled: boolean }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useDismiss(open, box, () => setOpen(false));
  return (
    <div className="drop" ref={box}>
      <button
        type="button"
        className="button primary run-more"
        aria-label="How to run"
        aria-expanded={open}
        disabled={disabled}
        data-testid="run-more"
        onClick={() => setOpen(!open)}
      >
        <ChevronDown size={13} />
      </button>
      {open && (
        <div className="menu drop-menu">
          <PrivateSwitch />
          <RunDurably onDone={() => setOpen(false)} />
          <RunInQueue onDone={() => setOpen(false)} />
        </div>
      )}
    </div>
  );
}

function PrivateSwitch() {
  const editor = useEditor();
  const privately = useStore(editor.privately);
  return (
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
  );
}

function RunDurably({ onDone }: { onDone: () => void }) {
  const actions = useRunActions();
  return (
    <button
      type="button"
      className="menu-item"
      data-testid="run-durably"
      onClick={() => {
        actions.run({ durable: true });
        onDone();
      }}
    >
      <span className="grow">
        Run so that it survives a restart
        <span className="type-hint">The server goes on with it by itself, after a crash too</span>
      </span>
    </button>
  );
}

/** Any name is a queue; those that are there are offered. */
function RunInQueue({ onDone }: { onDone: () => void }) {
  const actions = useRunActions();
  const desk = useRunDesk();
  const queues = useStore(desk.queues.queues);
  const last = useStore(desk.lastQueue);
  const [typed, setTyped] = useState<string | null>(null);
  const [priority, setPriority] = useState("0");
  useEffect(() => void desk.queues.load(), [desk]);
  const queue = typed ?? last ?? queues?.[0]?.name ?? "";
  return (
    <form
      className="run-queue"
      aria-label="Run in a queue"
      onSubmit={(event) => {
        event.preventDefault();
        desk.lastQueue.set(queue);
        // Beside what goes on: it waits for its turn in the queue, and ends nothing.
        actions.run({ queue, priority: Number(priority) || 0, onBusy: "parallel" });
        onDone();
      }}
    >
      <label>
        <span>Queue</span>
        <input
          className="field"
          required
          maxLength={64}
          pattern={QUEUE_NAME}
          title="Letters, digits, dots, dashes and underscores"
          list="run-queues"
          autoComplete="off"
          spellCheck={false}
          placeholder="nightly"
          data-testid="run-queue-name"
          value={queue}
          onChange={(event) => setTyped(event.target.value)}
        />
        <datalist id="run-queues">
          {(queues ?? []).map(({ name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      <label>
        <span>Priority</span>
        <input
          className="field"
          type="number"
          min={-MOST_PRIORITY}
          max={MOST_PRIORITY}
          step={1}
          title="Higher ones leave the queue first"
          data-testid="run-queue-priority"
          value={priority}
          onChange={(event) => setPriority(event.target.value)}
        />
      </label>
      <button type="submit" className="button" data-testid="run-queued">
        Put in the queue
      </button>
      <p className="type-hint">It waits there for its turn, and survives a restart</p>
    </form>
  );
}

/** The queues in which runs wait: how they stand, and, for administrators, what is done with them. */
import { CircleStop, ListFilter, LoaderCircle, Pause, Play, Waves } from "lucide-react";
import { useEffect, useState } from "react";
import type { RunView } from "../../../protocol";
import type { Queue } from "../../../runs";
import { inWords, progressOf, STATUS_WORDS } from "../../../runs";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useRunDesk } from "../../hooks/useRunDesk";
import { ProgressBar } from "./ProgressBar";

const STATES: Readonly<Record<Queue["state"], string>> = {
  open: "open",
  paused: "paused: nothing starts",
  draining: "draining: takes nothing new",
};

export function QueuesView() {
  const { queues: desk } = useRunDesk();
  const queues = useStore(desk.queues);
  const failure = useStore(desk.failure);
  useEffect(() => desk.open(), [desk]);
  return (
    <div className="scroll side-scroll" data-testid="queues">
      {failure && (
        <div className="notice error run-notice" role="alert">
          <span>
            Queues could not be read: {failure}{" "}
            <button type="button" className="link-button" onClick={() => void desk.load()}>
              Try again
            </button>
          </span>
        </div>
      )}
      {!queues && !failure && (
        <p className="menu-note" role="status">
          <LoaderCircle size={13} className="spin" aria-hidden="true" /> Looking at the queues
        </p>
      )}
      {queues?.length === 0 && (
        <p className="menu-note">
          {desk.everybody ? "No run waits" : "No run of yours waits"} in a queue. Schedules and scripts put
          runs into queues.
        </p>
      )}
      {queues && queues.length > 0 && !desk.everybody && (
        <p className="menu-note" data-testid="queues-whose">
          Your own runs are counted here, those of others are not.
        </p>
      )}
      <ul className="plain-list">
        {queues?.map((queue) => (
          <li key={queue.name}>
            <QueueCard queue={queue} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function QueueCard({ queue }: { queue: Queue }) {
  const editor = useEditor();
  const { queues: desk, list } = useRunDesk();
  const looked = useStore(desk.looked, (name) => name === queue.name);
  const manages = editor.user.role === "admin";
  const told = (work: Promise<unknown>) =>
    void work.catch((error: unknown) => editor.toasts.error("Could not change the queue", error));
  const oldest = queue.oldest_at ? Date.now() / 1000 - queue.oldest_at : null;
  return (
    <section className="queue-card" data-state={queue.state} data-testid={`queue-${queue.name}`}>
      <header>
        <h3 className="truncate">{queue.name}</h3>
        <span className="state" data-state={queue.state === "open" ? "done" : "waiting"}>
          {STATES[queue.state]}
        </span>
      </header>
      <dl className="queue-figures">
        <Figure title="waiting" value={queue.waiting} />
        <Figure title="later" value={queue.delayed} />
        <Figure title="running" value={queue.running} />
        <Figure title="a minute" value={queue.started_last_minute} />
      </dl>
      <p className="type-hint">
        {[
          queue.concurrency ? `${queue.concurrency} at a time` : "",
          queue.per_process ? `${queue.per_process} in each process` : "",
          queue.rate ? `${queue.rate.count} in ${inWords(queue.rate.seconds)}` : "",
          oldest !== null ? `the oldest for ${inWords(oldest)}` : "",
          queue.processes.length === 0 ? "no process listens to it" : `${queue.processes.length} listening`,
        ]
          .filter(Boolean)
          .join(", ")}
      </p>
      <div className="run-tools" role="toolbar" aria-label={`What to do with ${queue.name}`}>
        {manages && queue.state !== "open" && (
          <Tool label="Play" onClick={() => told(desk.play(queue.name))}>
            <Play size={13} />
          </Tool>
        )}
        {manages && queue.state === "open" && (
          <Tool label="Pause" onClick={() => told(desk.pause(queue.name))}>
            <Pause size={13} />
          </Tool>
        )}
        {manages && queue.state !== "draining" && (
          <Tool label="Drain" onClick={() => told(desk.drain(queue.name))}>
            <Waves size={13} />
          </Tool>
        )}
        <Tool
          label={looked ? "Hide runs" : "Show runs"}
          onClick={() => desk.look(looked ? null : queue.name)}
        >
          <ListFilter size={13} />
        </Tool>
        <AbortAll queue={queue} />
      </div>
      {manages && looked && <Limits key={JSON.stringify([queue.concurrency, queue.rate])} queue={queue} />}
      {looked && <Waiting onOpen={() => list.setFilter({ queue: queue.name })} />}
    </section>
  );
}

function Figure({ title, value }: { title: string; value: number }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{value.toLocaleString()}</dd>
    </div>
  );
}

/** Cancels all one's runs of a queue on this canvas, after a second click. */
function AbortAll({ queue }: { queue: Queue }) {
  const editor = useEditor();
  const { queues: desk } = useRunDesk();
  const [sure, setSure] = useState(false);
  if (queue.waiting + queue.delayed + queue.running === 0) return null;
  return (
    <Tool
      label={sure ? "Really stop all here?" : "Stop all of this canvas"}
      sure={sure}
      danger
      onClick={() => {
        if (!sure) return setSure(true);
        setSure(false);
        desk.cancel({ queue: queue.name, canvas: editor.document.canvas }).then(
          (count) => editor.toasts.show({ tone: "info", title: `${count} runs were stopped` }),
          (error: unknown) => editor.toasts.error("Could not stop the runs", error),
        );
      }}
    >
      <CircleStop size={13} />
    </Tool>
  );
}

/** How many runs at a time, and how many in a stretch of time; empty is no limit. */
function Limits({ queue }: { queue: Queue }) {
  const editor = useEditor();
  const { queues: desk } = useRunDesk();
  return (
    <form
      className="queue-limits"
      onSubmit={(event) => {
        event.preventDefault();
        const fields = new FormData(event.currentTarget);
        const whole = (name: string) => Number(fields.get(name)) || null;
        const count = whole("count");
        const rate = count ? { count, seconds: whole("seconds") ?? 60 } : null;
        desk
          .limit(queue.name, { concurrency: whole("concurrency"), per_process: whole("per_process"), rate })
          .catch((error: unknown) => editor.toasts.error("Could not set the limits", error));
      }}
    >
      <Limit name="concurrency" title="At a time" value={queue.concurrency} />
      <Limit name="per_process" title="In each process" value={queue.per_process} />
      <Limit name="count" title="Starts" value={queue.rate?.count ?? null} />
      <Limit name="seconds" title="in seconds" value={queue.rate?.seconds ?? null} />
      <button type="submit" className="button">
        Set limits
      </button>
    </form>
  );
}

function Limit({ name, title, value }: { name: string; title: string; value: number | null }) {
  return (
    <label>
      {title}
      <input
        className="field"
        type="number"
        min={1}
        name={name}
        defaultValue={value ?? ""}
        placeholder="none"
      />
    </label>
  );
}

/** The runs of the queue that one may see, those that leave it first at the top. */
function Waiting({ onOpen }: { onOpen(): void }) {
  const editor = useEditor();
  const { queues: desk } = useRunDesk();
  const runs = useStore(desk.waiting);
  const more = useStore(desk.more);
  const sorted = [...runs].sort(
    (a, b) => (b.priority ?? 0) - (a.priority ?? 0) || a.created_at - b.created_at,
  );
  const { canvas } = editor.document;
  return (
    <>
      <p className="menu-note" data-testid="queue-whose">
        {desk.everybody
          ? runs.length === 0
            ? "No run waits or runs there."
            : "Runs of everybody, as you are an administrator."
          : runs.length === 0
            ? "None of your runs waits or runs there. Those of others are not shown."
            : "Your runs. Those of others are not shown."}
        {more && ` The newest ${runs.length} are listed.`}
      </p>
      {runs.length > 0 && (
        <ol className="queue-runs" data-testid="queue-runs">
          {sorted.map((run) => (
            <QueuedRun key={run.id} run={run} here={run.canvas === canvas} />
          ))}
        </ol>
      )}
      {runs.some((run) => run.canvas === canvas) && (
        <button type="button" className="link-button" onClick={onOpen}>
          Filter the list by this queue
        </button>
      )}
    </>
  );
}

function QueuedRun({ run, here }: { run: RunView; here: boolean }) {
  const editor = useEditor();
  const progress = progressOf({ view: run, state: null, status: run.status });
  const mine = run.user === editor.user.id;
  return (
    <li>
      <span className="queue-run">
        <code>{run.id.slice(0, 8)}</code>
        <span>{STATUS_WORDS[run.status]}</span>
        {!mine && <span className="truncate run-who">{run.user_name || "somebody"}</span>}
        {!here && <span className="faint">{run.canvas ? "another canvas" : "no canvas"}</span>}
        <span className="queue-place faint">
          {[
            run.priority ? `priority ${run.priority}` : "",
            typeof run.ahead === "number" ? `${run.ahead} before` : "",
          ]
            .filter(Boolean)
            .join(", ")}
        </span>
      </span>
      {progress && <ProgressBar progress={progress} here={here} />}
    </li>
  );
}

interface ToolProps {
  readonly label: string;
  /** Whether it asks once more. */
  readonly sure?: boolean;
  readonly danger?: boolean;
  onClick(): void;
  readonly children: React.ReactNode;
}

function Tool({ label, danger = false, sure = false, onClick, children }: ToolProps) {
  return (
    <button
      type="button"
      className={danger ? "run-tool danger" : "run-tool"}
      data-sure={sure}
      onClick={onClick}
    >
      {children}
      <span>{label}</span>
    </button>
  );
}

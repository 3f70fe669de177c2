/** What runs ask one, over all canvases: a badge, and the list where it is answered. */
import { BellRing, CheckCheck, ClipboardCheck, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { auth } from "../../../api";
import { go } from "../../../app/router";
import { tasks } from "../../../app/tasks";
import { useStore } from "../../../store";
import { outcomeOf, type Task, type Tray } from "../../../tasks";
import { useDismiss } from "../../hooks/useDismiss";
import { Time } from "../comments/Time";
import { QuestionText, TaskAnswer } from "./TaskAnswer";
import { TaskMore } from "./TaskMore";
import { Until } from "./TaskOnNode";

export function TasksButton() {
  const count = useStore(tasks.open);
  const [open, setOpen] = useState(false);
  const [first, setFirst] = useState<string | null>(null);
  const reminded = useStore(tasks.reminders, (all) => all.at(-1));
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useDismiss(open, box, (byKey) => {
    setOpen(false);
    if (byKey) button.current?.focus();
  });
  const words = count === 0 ? "Tasks" : `Tasks, ${count} open`;
  return (
    <div className="inbox" ref={box}>
      <button
        type="button"
        ref={button}
        className="icon-button"
        aria-label={words}
        aria-expanded={open}
        aria-haspopup="dialog"
        title={words}
        data-testid="tasks-button"
        onClick={() => {
          setFirst(null);
          setOpen(!open);
        }}
      >
        <ClipboardCheck size={16} />
        {count > 0 && (
          <span className="bell-count" data-testid="tasks-count" aria-hidden="true">
            {count > 99 ? "99+" : count}
          </span>
        )}
      </button>
      <span className="sr-only" role="status">
        {count > 0 ? words : ""}
      </span>
      {open && <TaskList first={first} onLeave={() => setOpen(false)} />}
      {reminded !== undefined && !open && (
        <Reminder
          key={reminded.id}
          task={reminded}
          onAnswer={() => {
            setFirst(reminded.id);
            setOpen(true);
          }}
        />
      )}
    </div>
  );
}

/** That something still waits for one; it stays until it is looked at or put away. */
function Reminder({ task, onAnswer }: { task: Task; onAnswer: () => void }) {
  return (
    <section className="task-reminder" role="alert" data-testid="task-reminder">
      <BellRing size={16} aria-hidden="true" />
      <p>
        <strong className="truncate">{task.question.title}</strong>
        <span>
          still waits for you, <Time at={task.created_at} />
        </span>
      </p>
      <button
        type="button"
        className="link-button"
        data-testid="task-reminder-answer"
        onClick={() => {
          tasks.putAway(task.id);
          onAnswer();
        }}
      >
        Answer
      </button>
      <button
        type="button"
        className="icon-button small"
        aria-label="Put the reminder away"
        onClick={() => tasks.putAway(task.id)}
      >
        <X size={13} />
      </button>
    </section>
  );
}

function TaskList({ first, onLeave }: { first: string | null; onLeave: () => void }) {
  const [tray, setTray] = useState<Tray>("open");
  const ids = useStore(tasks.trays[tray]);
  const all = useStore(tasks.tasks);
  const next = useStore(tasks.next[tray]);
  const [chosen, setChosen] = useState(first);
  const [failure, setFailure] = useState<string | null>(null);
  const tell = (error: unknown) => setFailure(error instanceof Error ? error.message : String(error));
  useEffect(() => {
    tasks.refresh(tray).then(
      () => setFailure(null),
      (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)),
    );
  }, [tray]);
  const shown = ids.map((id) => all.get(id)).filter((task) => task !== undefined);
  return (
    <section className="inbox-list tasks-list" aria-label="Tasks" data-testid="tasks">
      <header className="inbox-head">
        <h2>Tasks</h2>
        <fieldset className="task-trays">
          <legend className="sr-only">Which tasks</legend>
          {(["open", "settled"] as const).map((each) => (
            <button
              type="button"
              key={each}
              className="button quiet"
              aria-pressed={tray === each}
              data-testid={`tasks-${each}`}
              onClick={() => setTray(each)}
            >
              {each === "open" ? "Open" : "Done"}
            </button>
          ))}
        </fieldset>
      </header>
      {failure !== null && (
        <p className="menu-note" role="alert">
          The tasks could not be loaded: {failure}
        </p>
      )}
      <ul className="scroll plain-list">
        {shown.map((task) => (
          <TaskRow
            key={task.id}
            task={task}
            open={chosen === task.id}
            onToggle={() => setChosen(chosen === task.id ? null : task.id)}
            onLeave={onLeave}
          />
        ))}
        {next && (
          <li>
            <button type="button" className="link-button" onClick={() => void tasks.more(tray).catch(tell)}>
              Show older tasks
            </button>
          </li>
        )}
      </ul>
      {shown.length === 0 && failure === null && (
        <p className="inbox-empty">
          <CheckCheck size={18} aria-hidden="true" />
          {next === undefined
            ? "Loading…"
            : tray === "open"
              ? "Nothing waits for you."
              : "Nothing was asked yet."}
        </p>
      )}
    </section>
  );
}

interface TaskRowProps {
  readonly task: Task;
  readonly open: boolean;
  readonly onToggle: () => void;
  readonly onLeave: () => void;
}

function TaskRow({ task, open, onToggle, onLeave }: TaskRowProps) {
  const draft = useStore(tasks.drafts, (all) => all[task.id]);
  const me = useStore(auth.user, (user) => user?.id ?? "");
  const show = () => {
    onLeave();
    if (task.canvas !== null) go(`/canvas/${task.canvas}#node=${task.node.split(/[/[]/)[0]}`);
  };
  return (
    <li className="task-row" data-open={open} data-testid={`task-row-${task.id}`}>
      <button type="button" className="thread-row" aria-expanded={open} onClick={onToggle}>
        <span className="type-words">
          <span className="thread-row-head">
            <span className="type-title truncate">{task.question.title}</span>
            <span className="type-hint">
              <Time at={task.settled_at ?? task.created_at} />
            </span>
          </span>
          <span className="type-hint truncate">
            {task.state === "open" ? `${task.started_by.name} asks` : outcomeOf(task)}
            {task.canvas_name !== null && ` · ${task.canvas_name}`}
            {task.state === "open" && task.due_at !== null && (
              <>
                {" "}
                · until <Until at={task.due_at} />
              </>
            )}
            {task.state === "open" && task.reminded_at !== null && (
              <span className="task-reminded">
                {" "}
                · reminded <Time at={task.reminded_at} />
              </span>
            )}
          </span>
        </span>
      </button>
      {open && (
        <div className="task-open">
          <QuestionText question={task.question} />
          {task.state === "open" && task.may_answer === true && (
            <TaskAnswer
              question={task.question}
              draft={draft}
              onDraft={(change) => tasks.write(task.id, change)}
              onAnswer={(answer) => tasks.answer(task.id, answer)}
              testid={`task-row-${task.id}-answer`}
            />
          )}
          <div className="task-more">
            {task.canvas !== null && (
              <button type="button" className="link-button" onClick={show}>
                Show it on its canvas
              </button>
            )}
          </div>
          {task.state === "open" && task.may_answer === true && <TaskMore task={task} me={me} />}
        </div>
      )}
    </li>
  );
}

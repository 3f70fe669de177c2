/** On its node: what a run asks here, whom, since when; and the answer, for those who may give it. */
import { UserRound } from "lucide-react";
import { tasks } from "../../../app/tasks";
import { useStore } from "../../../store";
import { mayAnswer, type Task, tasksAt, whom } from "../../../tasks";
import { useEditor } from "../../hooks/useEditor";
import { Time } from "../comments/Time";
import { QuestionText, TaskAnswer } from "./TaskAnswer";
import { TaskMore } from "./TaskMore";

export function TaskOnNode({ id }: { id: string }) {
  const { canvas } = useEditor().document;
  // The very latest: a node that is asked about again by another run has that one on top.
  const latest = useStore(tasks.tasks, (all) => tasksAt(all, canvas, id)[0]);
  const more = useStore(tasks.tasks, (all) => tasksAt(all, canvas, id).length - 1);
  return latest === undefined ? null : <TaskCard task={latest} more={more} />;
}

function TaskCard({ task, more }: { task: Task; more: number }) {
  const editor = useEditor();
  const me = editor.workbench.comments.user.id;
  const role = useStore(editor.document.role);
  const draft = useStore(tasks.drafts, (all) => all[task.id]);
  return (
    <section className="task-card" data-testid={`task-${task.id}`} aria-label={task.question.title}>
      <p className="task-whom">
        <UserRound size={12} aria-hidden="true" />
        <span>
          Waits for <strong>{whom(task, me)}</strong>, <Time at={task.created_at} />
          {task.due_at !== null && (
            <>
              {" "}
              · until <Until at={task.due_at} />
            </>
          )}
        </span>
      </p>
      <h3>{task.question.title}</h3>
      <QuestionText question={task.question} />
      {mayAnswer(task, me, role) && (
        <TaskAnswer
          question={task.question}
          draft={draft}
          onDraft={(change) => tasks.write(task.id, change)}
          onAnswer={(answer) => tasks.answer(task.id, answer)}
          testid={`task-${task.id}-answer`}
        />
      )}
      {mayAnswer(task, me, role) && <TaskMore task={task} me={me} />}
      {more > 0 && (
        <p className="faint">{more === 1 ? "One more run asks here" : `${more} more runs ask here`}</p>
      )}
    </section>
  );
}

/** A time to come, with its day where that is not today. */
export function Until({ at }: { at: number }) {
  const when = new Date(at * 1000);
  const today = when.toDateString() === new Date().toDateString();
  return (
    <time dateTime={when.toISOString()} title={when.toLocaleString()}>
      {today
        ? when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
        : when.toLocaleDateString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })}
    </time>
  );
}

/** The page of a link that asks something: whoever has it answers, once, without an account. */
import { CircleCheck } from "lucide-react";
import { useEffect, useState } from "react";
import { api } from "../../api";
import { QuestionText, TaskAnswer } from "../../editor/components/tasks/TaskAnswer";
import { Until } from "../../editor/components/tasks/TaskOnNode";
import type { LinkedTask } from "../../protocol/generated";
import { type Draft, EMPTY } from "../../tasks";
import { BrandMark } from "./Brand";
import { words } from "./SignIn";
import { ThemeButton } from "./ThemeButton";

export default function TaskLink({ token }: { token: string }) {
  const [asked, setAsked] = useState<LinkedTask | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [done, setDone] = useState(false);
  useEffect(() => {
    api
      .get<LinkedTask>(`/v1/task-links/${encodeURIComponent(token)}`)
      .then(setAsked, (error: unknown) => setFailure(words(error)));
  }, [token]);
  useEffect(() => {
    document.title = asked === null ? "Spellwork" : `${asked.question.title} · Spellwork`;
  }, [asked]);
  return (
    <main className="task-page" data-testid="task-page">
      <header className="page-head">
        <span className="brand">
          <BrandMark /> Spellwork
        </span>
        <span className="spacer" />
        <ThemeButton />
      </header>
      {failure !== null ? (
        <div className="task-sheet">
          <h1>This link asks nothing any more</h1>
          <div className="notice error" role="alert" data-testid="task-page-error">
            {failure}
          </div>
        </div>
      ) : done ? (
        <div className="task-sheet" role="status" data-testid="task-page-done">
          <h1>
            <CircleCheck size={20} aria-hidden="true" /> Thank you
          </h1>
          <p>Your answer is on its way. You can close this page.</p>
        </div>
      ) : asked === null ? (
        <div className="task-sheet" aria-busy="true" />
      ) : (
        <Asked asked={asked} token={token} onDone={() => setDone(true)} onGone={setFailure} />
      )}
    </main>
  );
}

interface AskedProps {
  readonly asked: LinkedTask;
  readonly token: string;
  readonly onDone: () => void;
  readonly onGone: (failure: string) => void;
}

function Asked({ asked, token, onDone, onGone }: AskedProps) {
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [name, setName] = useState("");
  const send = async (answer: object) => {
    if (name.trim() === "") throw new Error("Say who you are first.");
    try {
      await api.post(`/v1/task-links/${encodeURIComponent(token)}`, { answer, name: name.trim() });
    } catch (error) {
      if ((error as { code?: unknown }).code === "task_link_invalid") onGone(words(error));
      throw error;
    }
    onDone();
  };
  return (
    <div className="task-sheet">
      <p className="faint">
        {asked.asked_by} asks you
        {asked.due_at !== null && (
          <>
            , until <Until at={asked.due_at} />
          </>
        )}
      </p>
      <h1>{asked.question.title}</h1>
      <QuestionText question={asked.question} />
      <label className="task-field">
        Your name
        <input
          className="field"
          autoComplete="name"
          maxLength={100}
          data-testid="task-page-name"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <TaskAnswer
        question={asked.question}
        draft={draft}
        onDraft={(change) => setDraft((now) => ({ ...now, ...change }))}
        onAnswer={send}
        testid="task-page-answer"
      />
    </div>
  );
}

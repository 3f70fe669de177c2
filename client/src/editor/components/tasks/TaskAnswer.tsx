/** What a task asks, and the controls to answer it: on its node, in the inbox and on the page of a link alike. */
import { Check, X } from "lucide-react";
import { useId, useState } from "react";
import {
  answerOf,
  type Draft,
  EMPTY,
  type FormField,
  fieldsOf,
  type Question,
  type Refusal,
  refusalOf,
  shownValue,
} from "../../../tasks";
import { Words } from "../comments/Words";
import { Preview } from "../previews/Preview";

/** The question in words, with what it is about. */
export function QuestionText({ question }: { question: Question }) {
  const { data } = question;
  return (
    <>
      {question.text.trim() !== "" && <Words text={question.text} names={{}} />}
      {data !== null && data !== undefined && (
        <div className="task-data nodrag nowheel">
          <Preview value={data} label="What it is about" />
        </div>
      )}
    </>
  );
}

interface TaskAnswerProps {
  readonly question: Question;
  readonly draft: Draft | undefined;
  readonly onDraft: (change: Partial<Draft>) => void;
  /** Send the answer; rejects with what the server said. */
  readonly onAnswer: (answer: object) => Promise<void>;
  readonly testid: string;
}

export function TaskAnswer({ question, draft = EMPTY, onDraft, onAnswer, testid }: TaskAnswerProps) {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const send = async (approved: boolean) => {
    setBusy(true);
    setRefusal(null);
    try {
      await onAnswer(answerOf(question, draft, approved));
    } catch (error) {
      setRefusal(refusalOf(error));
    } finally {
      setBusy(false);
    }
  };
  const wrong = refusal?.fields ?? {};
  const told = refusal !== null && Object.keys(wrong).length === 0 ? refusal.message : null;
  return (
    <form
      className="task-answer nodrag"
      data-testid={testid}
      noValidate
      aria-busy={busy}
      onSubmit={(event) => {
        event.preventDefault();
        void send(true);
      }}
    >
      {question.kind === "approval" && <CommentField draft={draft} onDraft={onDraft} wrong={wrong.comment} />}
      {question.kind === "choice" && (
        <Options question={question} draft={draft} onDraft={onDraft} wrong={wrong.choice} />
      )}
      {question.kind === "form" &&
        fieldsOf(question).map((field) => (
          <FieldRow
            key={field.name}
            field={field}
            draft={draft}
            onDraft={onDraft}
            wrong={wrong[field.name]}
          />
        ))}
      {told !== null && (
        <p className="task-wrong" role="alert">
          {told}
        </p>
      )}
      {question.kind === "approval" ? (
        <div className="task-actions">
          <button type="submit" className="button primary" disabled={busy} data-testid={`${testid}-approve`}>
            <Check size={14} aria-hidden="true" /> Approve
          </button>
          <button
            type="button"
            className="button danger"
            disabled={busy}
            data-testid={`${testid}-reject`}
            onClick={() => void send(false)}
          >
            <X size={14} aria-hidden="true" /> Reject
          </button>
        </div>
      ) : (
        <div className="task-actions">
          <button type="submit" className="button primary" disabled={busy} data-testid={`${testid}-send`}>
            {busy ? "Sending…" : "Answer"}
          </button>
        </div>
      )}
    </form>
  );
}

interface PartProps {
  readonly draft: Draft;
  readonly onDraft: (change: Partial<Draft>) => void;
  readonly wrong: string | undefined;
}

function CommentField({ draft, onDraft, wrong }: PartProps) {
  const told = useId();
  return (
    <label className="task-field">
      <span>
        Comment <span className="faint">(optional)</span>
      </span>
      <textarea
        className="field nowheel"
        rows={2}
        value={draft.comment}
        aria-invalid={wrong !== undefined}
        aria-describedby={wrong === undefined ? undefined : told}
        onChange={(event) => onDraft({ comment: event.target.value })}
      />
      <Wrong id={told} words={wrong} />
    </label>
  );
}

function Options({ question, draft, onDraft, wrong }: PartProps & { question: Question }) {
  const name = useId();
  const told = useId();
  const toggle = (option: string, on: boolean) => {
    if (!question.several) onDraft({ choice: [option] });
    else
      onDraft({
        choice: question.choices.filter((each) => (each === option ? on : draft.choice.includes(each))),
      });
  };
  return (
    <fieldset className="task-options nowheel" aria-describedby={wrong === undefined ? undefined : told}>
      <legend className="sr-only">{question.title}</legend>
      {question.choices.map((option) => (
        <label key={option}>
          <input
            type={question.several ? "checkbox" : "radio"}
            name={name}
            checked={draft.choice.includes(option)}
            onChange={(event) => toggle(option, event.target.checked)}
          />
          <span>{option}</span>
        </label>
      ))}
      <Wrong id={told} words={wrong} />
    </fieldset>
  );
}

function FieldRow({ field, draft, onDraft, wrong }: PartProps & { field: FormField }) {
  const id = useId();
  const told = useId();
  const shown = shownValue(field, draft);
  const put = (value: string | boolean) => onDraft({ values: { ...draft.values, [field.name]: value } });
  const common = {
    id,
    "aria-invalid": wrong !== undefined,
    "aria-describedby": wrong !== undefined || field.help !== "" ? told : undefined,
    "aria-required": field.required,
  };
  return (
    <div className="task-field">
      <label htmlFor={id}>
        {field.label}
        {field.required && field.type !== "boolean" && (
          <span className="port-required" aria-hidden="true">
            {" "}
            *
          </span>
        )}
      </label>
      {typeof shown === "boolean" ? (
        <span className="switch">
          <input
            {...common}
            type="checkbox"
            checked={shown}
            onChange={(event) => put(event.target.checked)}
          />
          <span className="track" aria-hidden="true" />
        </span>
      ) : field.options !== null ? (
        <select {...common} className="field" value={shown} onChange={(event) => put(event.target.value)}>
          <option value="">Choose…</option>
          {field.options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      ) : field.format === "multiline" ? (
        <textarea
          {...common}
          className="field nowheel"
          rows={3}
          value={shown}
          onChange={(event) => put(event.target.value)}
        />
      ) : (
        <input
          {...common}
          className="field"
          type={field.format === "date" ? "date" : "text"}
          inputMode={field.type === "string" ? undefined : "decimal"}
          value={shown}
          onChange={(event) => put(event.target.value)}
        />
      )}
      <Wrong id={told} words={wrong} help={field.help} />
    </div>
  );
}

function Wrong({ id, words, help = "" }: { id: string; words: string | undefined; help?: string }) {
  if (words === undefined) return help === "" ? null : <small id={id}>{help}</small>;
  return (
    <small id={id} className="task-wrong" role="alert">
      {words.charAt(0).toUpperCase() + words.slice(1)}
    </small>
  );
}

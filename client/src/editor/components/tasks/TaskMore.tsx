/** What can be done with an open task beside answering it: handed on to others, or given to somebody by a link. */
import { Copy, Link2, Link2Off, UserRoundPlus } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { copyText } from "../../../app/copy_text";
import { tasks } from "../../../app/tasks";
import { asksOf, type Person, ROLES, type Task, whom } from "../../../tasks";

export function TaskMore({ task, me }: { task: Task; me: string }) {
  const [handing, setHanding] = useState(false);
  return (
    <div className="task-more nodrag">
      <button
        type="button"
        className="link-button"
        aria-expanded={handing}
        data-testid="task-hand"
        onClick={() => setHanding(!handing)}
      >
        <UserRoundPlus size={12} aria-hidden="true" /> Hand it on
      </button>
      <LinkMaker task={task} />
      {handing && <HandOn task={task} me={me} onDone={() => setHanding(false)} />}
    </div>
  );
}

/** Who is to answer instead: a member, or all with at least a role; without a canvas, whoever has that address. */
function HandOn({ task, me, onDone }: { task: Task; me: string; onDone: () => void }) {
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  const [people, setPeople] = useState<readonly Person[] | null>(null);
  const [chosen, setChosen] = useState("");
  const [said, setSaid] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const { canvas } = task;
  useEffect(() => void form.current?.scrollIntoView({ block: "nearest" }), []);
  useEffect(() => {
    if (canvas === null) return;
    let wanted = true;
    tasks.people(canvas).then(
      (found) => wanted && setPeople(found),
      (error: unknown) => wanted && setSaid(words(error)),
    );
    return () => {
      wanted = false;
    };
  }, [canvas]);
  const hand = async () => {
    setBusy(true);
    setSaid(null);
    try {
      await tasks.assign(task.id, asksOf(chosen));
      onDone();
    } catch (error) {
      setSaid(words(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      ref={form}
      className="task-hand"
      aria-label={`Hand on “${task.question.title}”`}
      aria-busy={busy}
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen !== "") void hand();
      }}
    >
      <label htmlFor={id}>Waits for {whom(task, me)}; instead for</label>
      {canvas === null ? (
        <input
          id={id}
          className="field"
          type="email"
          placeholder="Email address"
          data-testid="task-hand-to"
          value={chosen}
          onChange={(event) => setChosen(event.target.value)}
        />
      ) : (
        <select
          id={id}
          className="field nowheel"
          data-testid="task-hand-to"
          value={chosen}
          onChange={(event) => setChosen(event.target.value)}
        >
          <option value="">{people === null ? "Looking who is here…" : "Choose…"}</option>
          <optgroup label="People on this canvas">
            {people
              ?.filter((person) => person.user_id !== task.assignee?.id)
              .map((person) => (
                <option key={person.user_id} value={person.user_id}>
                  {person.name || person.email}
                  {person.user_id === me ? " (you)" : ""}
                </option>
              ))}
          </optgroup>
          <optgroup label="All who are at least">
            {Object.entries(ROLES)
              .filter(([role]) => role !== task.role)
              .map(([role, title]) => (
                <option key={role} value={`role:${role}`}>
                  {title}
                </option>
              ))}
          </optgroup>
        </select>
      )}
      <button type="submit" className="button" disabled={busy || chosen === ""} data-testid="task-hand-send">
        Hand on
      </button>
      {said !== null && (
        <small className="task-wrong" role="alert">
          {said}
        </small>
      )}
    </form>
  );
}

/** Makes a link for somebody without an account, shows it once, and takes it back. */
export function LinkMaker({ task }: { task: Task }) {
  const [made, setMade] = useState<{ id: string; link: string } | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  // Once somebody made another one, it is good no more.
  const link = made !== null && task.linked && made.id === task.link_id ? made.link : null;
  const make = () => tasks.link(task.id).then(setMade, (error: unknown) => setSaid(words(error)));
  const withdraw = () =>
    tasks.unlink(task.id).then(
      () => {
        setMade(null);
        setSaid("The link is taken back.");
      },
      (error: unknown) => setSaid(words(error)),
    );
  return (
    <>
      <button
        type="button"
        className="link-button"
        data-testid="task-link-make"
        onClick={() => {
          setSaid(null);
          void make();
        }}
      >
        <Link2 size={12} aria-hidden="true" />{" "}
        {task.linked ? "Make another link" : "Let somebody else answer by a link"}
      </button>
      {task.linked && (
        <button
          type="button"
          className="link-button"
          data-testid="task-link-withdraw"
          onClick={() => void withdraw()}
        >
          <Link2Off size={12} aria-hidden="true" /> Take the link back
        </button>
      )}
      {link !== null ? (
        <div className="task-link">
          <input
            className="field"
            readOnly
            aria-label="The link, shown this once"
            data-testid="task-link-url"
            value={link}
            onFocus={(event) => event.target.select()}
          />
          <button
            type="button"
            className="icon-button"
            aria-label="Copy the link"
            title="Copy the link"
            onClick={() => void copyText(link).then(() => setSaid("Copied"))}
          >
            <Copy size={14} />
          </button>
          <small role="status">{said ?? "Good for one answer, by whoever has it."}</small>
        </div>
      ) : (
        <small className="task-said" role="status">
          {said ?? (task.linked ? "A link to it is out." : "")}
        </small>
      )}
    </>
  );
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

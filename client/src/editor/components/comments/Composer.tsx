/** Where a comment is written: Enter sends, Shift Enter breaks the line, `@` names somebody. */
import { ArrowUp } from "lucide-react";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { type Draft, encodeMentions, type Member, matching, mentionAt, mentionName } from "../../../comments";
import { useEditor } from "../../hooks/useEditor";

const SHOWN = 6;
const MAX_TEXT = 10_000;
const TALLEST = 180;

interface ComposerProps {
  readonly label: string;
  readonly placeholder: string;
  readonly initial: Draft;
  /** Told of every change, so that no text is lost. */
  readonly onChange?: (draft: Draft) => void;
  /** Gets the text for the wire. The field is emptied unless it throws. */
  readonly onSend: (text: string) => void | Promise<void>;
  /** Escape, while no list is open. */
  readonly onLeave: () => void;
  readonly autoFocus?: boolean;
}

export function Composer(props: ComposerProps) {
  const { label, placeholder, initial, onChange, onSend, onLeave, autoFocus = false } = props;
  const [draft, setDraft] = useState(initial);
  const [caret, setCaret] = useState(0);
  const [chosen, setChosen] = useState(0);
  const [hidden, setHidden] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const list = useId();
  const writing = hidden ? null : mentionAt(draft.text, caret);
  const people = useMembers(writing !== null);
  const found = writing ? matching(people, writing.query).slice(0, SHOWN) : [];

  useEffect(() => {
    if (autoFocus) field.current?.focus({ preventScroll: true });
  }, [autoFocus]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the field grows with its text
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "0";
    element.style.height = `${Math.min(element.scrollHeight + 2, TALLEST)}px`;
  }, [draft.text]);

  const change = (next: Draft) => {
    setDraft(next);
    onChange?.(next);
  };
  const choose = (member: Member) => {
    if (!writing) return;
    const person = { id: member.user_id, name: member.name || member.email, email: member.email };
    const name = mentionName(person, draft.people);
    const text = `${draft.text.slice(0, writing.from)}@${name} ${draft.text.slice(caret)}`;
    const others = draft.people.filter((one) => one.id !== member.user_id);
    change({ text, people: [...others, { id: member.user_id, name }] });
    const at = writing.from + name.length + 2;
    setCaret(at);
    setChosen(0);
    requestAnimationFrame(() => field.current?.setSelectionRange(at, at));
  };
  const send = async () => {
    if (draft.text.trim() === "") return;
    const before = draft;
    change({ text: "", people: [] });
    try {
      await onSend(encodeMentions(before.text.trim(), before.people));
    } catch {
      change(before); // whoever sends says why
    }
  };
  const press = (event: React.KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (found.length > 0 && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      setChosen((chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length);
    } else if (found.length > 0 && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      const member = found[Math.min(chosen, found.length - 1)];
      if (member) choose(member);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      if (found.length > 0) setHidden(true);
      else onLeave();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void send();
    }
  };
  const active = found.length > 0 ? `${list}-${Math.min(chosen, found.length - 1)}` : undefined;
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {found.length > 0 && (
        <div className="menu mention-list" id={list} role="listbox" aria-label="People to mention">
          {found.map((member, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the focus and the keys
            <div
              key={member.user_id}
              id={`${list}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === Math.min(chosen, found.length - 1)}
              data-testid={`mention-${member.email}`}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => choose(member)}
            >
              <span className="truncate">{member.name || member.email}</span>
              <span className="faint truncate">{member.email}</span>
            </div>
          ))}
        </div>
      )}
      <textarea
        ref={field}
        className="field"
        rows={1}
        maxLength={MAX_TEXT}
        aria-label={label}
        placeholder={placeholder}
        aria-autocomplete="list"
        aria-haspopup="listbox"
        aria-controls={found.length > 0 ? list : undefined}
        aria-activedescendant={active}
        data-testid="comment-text"
        value={draft.text}
        onChange={(event) => {
          setHidden(false);
          setChosen(0);
          setCaret(event.target.selectionStart);
          change({ ...draft, text: event.target.value });
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onKeyDown={press}
      />
      <button
        type="submit"
        className="icon-button send"
        aria-label="Send"
        title="Send  Enter"
        disabled={draft.text.trim() === ""}
        data-testid="comment-send"
      >
        <ArrowUp size={15} strokeWidth={2.4} />
      </button>
    </form>
  );
}

/** Who can be mentioned, asked for when the first name is begun. */
function useMembers(wanted: boolean): readonly Member[] {
  const { comments } = useEditor().workbench;
  const [members, setMembers] = useState<readonly Member[]>([]);
  useEffect(() => {
    if (!wanted) return;
    let here = true;
    comments
      .members()
      .then((found) => here && setMembers(found.filter((one) => one.user_id !== comments.user.id)))
      .catch(() => {}); // without the list a name stays plain text
    return () => {
      here = false;
    };
  }, [comments, wanted]);
  return members;
}

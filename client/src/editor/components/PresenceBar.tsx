/** Who else is here, one face per person; choosing one follows what they see. */
import type { Person } from "../../document";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";

/** The first letters of a name: `Ada Lovelace` -> `AL`. */
export function initials(name: string): string {
  const parts = name.split(/[\s.@_-]+/).filter(Boolean);
  return ((parts[0]?.[0] ?? "?") + (parts[1]?.[0] ?? "")).toUpperCase();
}

const SHOWN = 5;

/** The tab of each person that is most worth following: one that is looked at, before a hidden one. */
function persons(people: readonly Person[]): Person[] {
  const best = new Map<string, Person>();
  for (const person of people) {
    const before = best.get(person.user);
    if (!before || (before.away && !person.away)) best.set(person.user, person);
  }
  return [...best.values()];
}

function samePeople(one: readonly Person[], other: readonly Person[]): boolean {
  const facts = ({ clientId, name, color, away }: Person) => `${clientId} ${color} ${away} ${name}`;
  return (
    one.length === other.length && one.every((person, at) => facts(person) === facts(other[at] as Person))
  );
}

export function PresenceBar() {
  const editor = useEditor();
  const here = useStore(editor.document.people, persons, samePeople);
  const followed = useStore(editor.following.person, (person) => person?.user);
  return (
    <fieldset className="presence" aria-label={`${here.length} others here`}>
      {here.slice(0, SHOWN).map((person) => {
        const whose = person.user === editor.user.id ? `${person.name} (another tab of yours)` : person.name;
        const following = followed === person.user;
        return (
          <button
            type="button"
            key={person.user}
            className="avatar"
            style={{ "--person": person.color } as React.CSSProperties}
            data-away={person.away}
            aria-pressed={following}
            title={`${whose}${person.away ? ", away" : ""}: ${following ? "stop following" : "follow"}`}
            data-testid="presence-avatar"
            onClick={() => {
              if (following) editor.following.stop();
              else if (!editor.following.start(person.clientId))
                editor.toasts.show({
                  tone: "info",
                  title: `${person.name} follows you`,
                  next: "Two people cannot follow each other.",
                });
            }}
          >
            {initials(person.name)}
          </button>
        );
      })}
      {here.length > SHOWN && (
        <span
          className="avatar more"
          title={here
            .slice(SHOWN)
            .map((person) => person.name)
            .join(", ")}
        >
          +{here.length - SHOWN}
        </span>
      )}
    </fieldset>
  );
}

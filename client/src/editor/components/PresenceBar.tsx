/** Who else is here, one face per person. */
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { personColour } from "../store/person_colour";

/** The first letters of a name: `Ada Lovelace` -> `AL`. */
export function initials(name: string): string {
  const parts = name.split(/[\s.@_-]+/).filter(Boolean);
  return ((parts[0]?.[0] ?? "?") + (parts[1]?.[0] ?? "")).toUpperCase();
}

const SHOWN = 5;

export function PresenceBar() {
  const editor = useEditor();
  const people = useStore(editor.document.people);
  const persons = [...new Map(people.map((person) => [person.user, person])).values()];
  return (
    <fieldset className="presence" aria-label={`${persons.length} others here`}>
      {persons.slice(0, SHOWN).map((person) => (
        <button
          type="button"
          key={person.user}
          className="avatar"
          style={
            {
              "--person": personColour(
                person.user,
                people.map((other) => other.user),
              ),
            } as React.CSSProperties
          }
          title={
            person.user === editor.user.id
              ? `${person.name} (another tab of yours)`
              : `${person.name}: go there`
          }
          data-testid="presence-avatar"
          onClick={() => {
            const [first] = person.selection;
            if (first !== undefined) editor.view?.fit([first]);
          }}
        >
          {initials(person.name)}
        </button>
      ))}
      {persons.length > SHOWN && <span className="avatar more">+{persons.length - SHOWN}</span>}
    </fieldset>
  );
}

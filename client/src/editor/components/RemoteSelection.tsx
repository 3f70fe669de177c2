/** A frame in the colour of whoever else has this thing selected. */
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { personColour } from "../store/person_colour";

export function RemoteSelection({ id }: { id: string }) {
  const person = useStore(useEditor().document.people, (people) =>
    people.find((other) => other.selection.includes(id) || other.editing === id),
  );
  const colour = useStore(useEditor().document.people, (people) =>
    person
      ? personColour(
          person.user,
          people.map((other) => other.user),
        )
      : "",
  );
  if (!person) return null;
  return (
    <div
      className="remote-selection"
      style={{ "--person": colour } as React.CSSProperties}
      data-testid="remote-selection"
    >
      <span className="truncate">{person.editing === id ? `${person.name} is editing` : person.name}</span>
    </div>
  );
}

/** A frame in the colour of whoever else has this thing selected, or writes in it. */
import type { Person } from "../../document";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";

/** What somebody does to the thing `id`: `Ada is editing the code`. */
export function doing(person: Person, id: string): string {
  if (person.editing !== id) return person.name;
  const field = person.field?.replace(/^input /, "") ?? "";
  const what = person.field?.startsWith("input ") ? ` ${field}` : field && ` the ${field}`;
  return `${person.name} is editing${what}`;
}

/** `inside`: what the thing stands for beside itself, as a folded frame does. */
export function RemoteSelection({ id, inside }: { id: string; inside?: ReadonlySet<string> | undefined }) {
  const at = (other: string | null | undefined) =>
    other === id || (other !== null && other !== undefined && inside?.has(other));
  const person = useStore(
    useEditor().document.people,
    (people) => people.find((other) => at(other.editing)) ?? people.find((other) => other.selection.some(at)),
    (one, other) =>
      one === other || (!!one && !!other && one.color === other.color && doing(one, id) === doing(other, id)),
  );
  if (!person) return null;
  return (
    <div
      className="remote-selection"
      style={{ "--person": person.color } as React.CSSProperties}
      data-testid="remote-selection"
    >
      <span className="truncate">{doing(person, id)}</span>
    </div>
  );
}

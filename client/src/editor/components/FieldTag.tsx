/** The name of whoever else writes in a field. */
import type { Person } from "../../document";

export function FieldTag({ person }: { person: Person | null }) {
  if (!person) return null;
  return (
    <span className="field-tag truncate" data-testid="field-tag">
      {person.name}
    </span>
  );
}

/** Who wrote a version, as small faces. */
import { useStore } from "../../../store";
import type { Version } from "../../../versions";
import { useEditor } from "../../hooks/useEditor";
import { personColour } from "../../store/person_colour";
import { initials } from "../PresenceBar";

const SHOWN = 3;

/** The names of people, in a sentence: `Ada, Grace and 2 others`. */
export function namesOf(authors: Version["authors"]): string {
  const names = authors.map((author) => author.name ?? "somebody who left");
  if (names.length <= 1) return names[0] ?? "";
  if (names.length <= SHOWN) return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return `${names.slice(0, 2).join(", ")} and ${names.length - 2} others`;
}

export function Faces({ authors }: { authors: Version["authors"] }) {
  const people = useStore(useEditor().document.people);
  if (authors.length === 0) return null;
  return (
    <span className="version-faces" title={namesOf(authors)} role="img" aria-label={namesOf(authors)}>
      {authors.slice(0, SHOWN).map((author) => (
        <span
          key={author.id}
          className="version-face"
          style={{ "--person": personColour(author.id, people) } as React.CSSProperties}
        >
          {initials(author.name ?? "?")}
        </span>
      ))}
      {authors.length > SHOWN && <span className="version-face more">+{authors.length - SHOWN}</span>}
    </span>
  );
}

/** The face of whoever wrote a comment. */
import type { Author } from "../../../comments";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { personColour } from "../../store/person_colour";
import { initials } from "../PresenceBar";

export function Face({ author }: { author: Author }) {
  const colour = useStore(useEditor().document.people, (people) => personColour(author.id, people));
  return (
    <span className="face" style={{ "--person": colour } as React.CSSProperties} aria-hidden="true">
      {initials(author.name)}
    </span>
  );
}

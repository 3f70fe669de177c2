/** Where the others point, with their names, at the page's own size whatever the zoom. */
import { useViewport, ViewportPortal } from "@xyflow/react";
import { memo } from "react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";

export const RemoteCursors = memo(function RemoteCursors() {
  const people = useStore(useEditor().document.people);
  const { zoom } = useViewport();
  const present = people.filter((person) => person.cursor && !person.away);
  if (present.length === 0) return null;
  return (
    <ViewportPortal>
      {present.map((person) => (
        <div
          key={person.clientId}
          className="remote-cursor"
          data-testid="remote-cursor"
          style={
            {
              "--person": person.color,
              transform: `translate(${person.cursor?.[0] ?? 0}px, ${person.cursor?.[1] ?? 0}px) scale(${1 / zoom})`,
              transformOrigin: "0 0",
            } as React.CSSProperties
          }
        >
          <svg width="18" height="20" viewBox="0 0 18 20" aria-hidden="true">
            <path
              d="M2 1.5 15.5 11l-6.2 1.1L6 17.6z"
              fill="currentColor"
              stroke="#fff"
              strokeWidth="1.4"
              strokeLinejoin="round"
            />
          </svg>
          <span>{person.name}</span>
        </div>
      ))}
    </ViewportPortal>
  );
});

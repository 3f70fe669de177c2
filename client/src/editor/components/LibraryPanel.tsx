/** All node types by category; a click adds one in the view, a drag puts it where it is dropped. */
import { RefreshCw, Search } from "lucide-react";
import { useMemo, useState } from "react";
import type { NodeType } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { addNode } from "../store/actions";
import { byCategory, searchTypes } from "../store/library";
import { NodeIcon } from "./NodeIcon";

export const DRAGGED_TYPE = "application/x-spellwork-type";

export function LibraryPanel() {
  const editor = useEditor();
  const library = useStore(editor.library.state);
  const editable = useStore(editor.document.editable);
  const [query, setQuery] = useState("");
  const groups = useMemo(() => byCategory(searchTypes(library.types, query)), [library.types, query]);
  return (
    <div className="side-body" data-testid="library">
      <label className="side-search">
        <Search size={14} aria-hidden="true" />
        <input
          type="search"
          placeholder="Search nodes"
          aria-label="Search node types"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
      </label>
      <div className="scroll side-scroll">
        {library.status === "loading" && <div className="menu-note">Loading the library…</div>}
        {library.status === "failed" && (
          <div className="notice error">
            <span>
              The library could not be loaded: {library.message}{" "}
              <button type="button" className="link-button" onClick={() => void editor.library.refresh()}>
                <RefreshCw size={11} /> Try again
              </button>
            </span>
          </div>
        )}
        {groups.map(([category, types]) => (
          <section key={category} aria-label={category}>
            <h3 className="side-heading">{category}</h3>
            {types.map((type) => (
              <TypeRow key={type.type} type={type} disabled={!editable} />
            ))}
          </section>
        ))}
        {library.status === "ready" && groups.length === 0 && (
          <div className="menu-note">No node type matches “{query}”. Try fewer or other words.</div>
        )}
      </div>
    </div>
  );
}

function TypeRow({ type, disabled }: { type: NodeType; disabled: boolean }) {
  const editor = useEditor();
  return (
    <button
      type="button"
      className="type-row"
      draggable={!disabled}
      disabled={disabled}
      title={type.description}
      data-testid={`library-${type.type}`}
      onClick={() => addNode(editor, type)}
      onDragStart={(event) => {
        event.dataTransfer.setData(DRAGGED_TYPE, type.type);
        event.dataTransfer.effectAllowed = "copy";
      }}
    >
      <NodeIcon type={type.type} category={type.category} />
      <span className="type-words">
        <span className="type-title truncate">{type.title}</span>
        <span className="type-hint truncate">{type.description}</span>
      </span>
    </button>
  );
}

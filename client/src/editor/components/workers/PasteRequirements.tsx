/** Takes a whole requirements.txt: what it adds or changes is said before it does, and so is what is left out. */
import { useState } from "react";
import { useStore } from "../../../store";
import { knownAs, readRequirements } from "../../../workers";
import { useEditor } from "../../hooks/useEditor";
import { setRequirements } from "../../store/requirements";

export function PasteRequirements({ onClose }: { readonly onClose: () => void }) {
  const editor = useEditor();
  const present = useStore(editor.document.spell, (spell) => spell.requirements);
  const [text, setText] = useState("");
  const { found, refused } = readRequirements(text);
  const fresh = found.filter(({ name }) => knownAs(present, name) === undefined);
  const changed = found.filter(({ name, specifier }) => {
    const known = knownAs(present, name);
    return known !== undefined && present[known] !== specifier;
  });
  const nothing = fresh.length + changed.length === 0;
  const take = () => {
    const all = [...fresh, ...changed].map(({ name, specifier }) => [
      knownAs(present, name) ?? name,
      specifier,
    ]);
    setRequirements(editor, Object.fromEntries(all) as Record<string, string>);
    onClose();
  };
  return (
    <div className="paste-box">
      <textarea
        className="field mono"
        aria-label="A requirements.txt"
        placeholder={"pandas>=2,<4\nrich"}
        rows={5}
        spellCheck={false}
        data-testid="requirements-text"
        ref={(box) => box?.focus()}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onClose();
        }}
      />
      {text.trim() !== "" && (
        <p className="faint" role="status">
          {fresh.length} to add, {changed.length} to change
        </p>
      )}
      {refused.map(({ line, text: said, why }) => (
        <p key={line} className="field-error">
          Line {line}, “{said}”: {why}. It is left out.
        </p>
      ))}
      <div className="row-buttons">
        <button type="button" className="button small" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          className="button small primary"
          disabled={nothing}
          data-testid="requirements-take"
          onClick={take}
        >
          Take these
        </button>
      </div>
    </div>
  );
}

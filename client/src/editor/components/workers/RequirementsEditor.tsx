/** The packages that the code of this canvas needs: rows that people edit together, each saying what is wrong with it. */
import { ClipboardPaste, Plus, X } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { useStore } from "../../../store";
import {
  isRequirementText,
  knownAs,
  readRequirement,
  readRequirements,
  tidySpecifier,
  whyNotName,
  whyNotSpecifier,
} from "../../../workers";
import { useEditor } from "../../hooks/useEditor";
import { setRequirements } from "../../store/requirements";
import { PasteRequirements } from "./PasteRequirements";

interface RequirementsEditorProps {
  /** What the resolver said is wrong, by package; "" is about all together. */
  readonly faults: Readonly<Record<string, string>>;
}

export function RequirementsEditor({ faults }: RequirementsEditorProps) {
  const editor = useEditor();
  const requirements = useStore(editor.document.spell, (spell) => spell.requirements);
  const editable = useStore(editor.document.editable);
  const [pasting, setPasting] = useState(false);
  const names = Object.keys(requirements).sort();
  const set = (name: string, specifier: string | null) => setRequirements(editor, { [name]: specifier });
  return (
    <div className="requirements" data-testid="requirements">
      {names.length === 0 && (
        <p className="faint">
          {editable ? "None yet. Name a package that the code imports." : "This canvas needs no packages."}
        </p>
      )}
      <ul className="plain-list" aria-label="Packages of this canvas">
        {names.map((name) => (
          <RequirementRow
            key={name}
            name={name}
            specifier={requirements[name] ?? ""}
            fault={faults[name] ?? null}
            editable={editable}
            onChange={(specifier) => set(name, specifier)}
            onRemove={() => set(name, null)}
          />
        ))}
      </ul>
      {faults[""] && (
        <div className="notice error" role="alert" data-testid="requirements-fault">
          {faults[""]}
        </div>
      )}
      {editable && (pasting ? <PasteRequirements onClose={() => setPasting(false)} /> : <AddRequirement />)}
      {editable && !pasting && (
        <button
          type="button"
          className="link-button paste-requirements"
          data-testid="paste-requirements"
          onClick={() => setPasting(true)}
        >
          <ClipboardPaste size={12} aria-hidden="true" /> Paste a requirements.txt
        </button>
      )}
    </div>
  );
}

interface RequirementRowProps {
  readonly name: string;
  readonly specifier: string;
  readonly fault: string | null;
  readonly editable: boolean;
  readonly onChange: (specifier: string) => void;
  readonly onRemove: () => void;
}

/** One package. What is typed is checked at once, and becomes an edit when the field is left, if it is sound. */
function RequirementRow({ name, specifier, fault, editable, onChange, onRemove }: RequirementRowProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const error = useId();
  const text = draft ?? specifier;
  const why = draft === null ? fault : whyNotSpecifier(draft);
  // What others write shows at once where nobody writes here.
  const commit = () => {
    if (draft === null || whyNotSpecifier(draft) !== null) return;
    const tidy = tidySpecifier(draft);
    if (tidy !== specifier) onChange(tidy);
    setDraft(null);
  };
  return (
    <li className="requirement" data-testid={`requirement-${name}`} data-fault={why !== null}>
      <span className="requirement-name truncate" title={name}>
        {name}
      </span>
      <input
        className="field mono"
        aria-label={`Versions of ${name}`}
        aria-invalid={why !== null}
        aria-describedby={why ? error : undefined}
        placeholder="any version"
        readOnly={!editable}
        spellCheck={false}
        value={text}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") commit();
          if (event.key !== "Escape" || draft === null) return;
          event.stopPropagation();
          setDraft(null);
        }}
      />
      {editable && (
        <button
          type="button"
          className="icon-button small"
          aria-label={`Remove ${name}`}
          title="Remove"
          onClick={onRemove}
        >
          <X size={13} />
        </button>
      )}
      {why && (
        <p className="field-error" id={error} role="alert">
          {why}
        </p>
      )}
    </li>
  );
}

/** Names one more package; a whole requirement may be typed or pasted as its name. */
function AddRequirement() {
  const editor = useEditor();
  const [name, setName] = useState("");
  const [specifier, setSpecifier] = useState("");
  const [tried, setTried] = useState(false);
  const known = useStore(editor.document.spell, (spell) => knownAs(spell.requirements, name.trim()));
  const error = useId();
  // Nothing is said of what is only begun; a character that no name has is told at once.
  const wrong =
    whyOf(name, specifier, tried) ?? (known !== undefined ? `“${known}” is in the list already` : null);
  useEffect(() => {
    if (name === "" && specifier === "") setTried(false);
  }, [name, specifier]);
  const add = () => {
    setTried(true);
    const read = readRequirement(`${name.trim()}${specifier.trim()}`);
    if (typeof read === "string" || known !== undefined) return;
    setRequirements(editor, { [read.name]: read.specifier });
    setName("");
    setSpecifier("");
  };
  const take = (text: string): boolean => {
    if (!isRequirementText(text)) return false;
    const { found, refused } = readRequirements(text);
    const [only, ...more] = found;
    if (refused.length > 0 || only === undefined) return false;
    if (more.length === 0) {
      setName(only.name);
      setSpecifier(only.specifier);
    } else setRequirements(editor, Object.fromEntries(found.map((each) => [each.name, each.specifier])));
    return true;
  };
  return (
    <form
      className="requirement add-requirement"
      aria-label="Add a package"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <input
        className="field"
        aria-label="Name of a package"
        aria-invalid={wrong !== null}
        aria-describedby={wrong ? error : undefined}
        placeholder="package"
        autoComplete="off"
        spellCheck={false}
        data-testid="requirement-name"
        value={name}
        onChange={(event) => setName(event.target.value)}
        onPaste={(event) => {
          if (take(event.clipboardData.getData("text"))) event.preventDefault();
        }}
        onBlur={() => void take(name)}
      />
      <input
        className="field mono"
        aria-label="Versions of the package"
        placeholder=">=2,<4"
        autoComplete="off"
        spellCheck={false}
        data-testid="requirement-versions"
        value={specifier}
        onChange={(event) => setSpecifier(event.target.value)}
      />
      <button
        type="submit"
        className="icon-button small"
        aria-label="Add the package"
        title="Add"
        data-testid="add-requirement"
      >
        <Plus size={14} />
      </button>
      {wrong && (
        <p className="field-error" id={error} role="alert">
          {wrong}
        </p>
      )}
    </form>
  );
}

function whyOf(name: string, specifier: string, tried: boolean): string | null {
  if (name === "" && specifier === "" && !tried) return null;
  const whole = isRequirementText(name) ? readRequirement(name + specifier) : null;
  if (whole !== null) return typeof whole === "string" ? whole : null;
  const why = name === "" && !tried ? null : whyNotName(name.trim());
  return why ?? whyNotSpecifier(specifier);
}

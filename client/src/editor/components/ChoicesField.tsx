/** A value among choices that follow from other inputs; of a list, some of them. Another value may be typed. */
import { useState } from "react";
import type { Json } from "../../protocol";
import { portKind, withoutNull } from "../store/schema";
import { SchemaField, type SchemaFieldProps } from "./SchemaField";

const OTHER = "other";

interface ChoicesFieldProps extends SchemaFieldProps {
  readonly choices: readonly Json[];
}

export function ChoicesField({ choices, ...props }: ChoicesFieldProps) {
  const [typing, setTyping] = useState(false);
  if (choices.length === 0) return <SchemaField {...props} />;
  if (portKind(withoutNull(props.schema)) === "list") return <Several {...props} choices={choices} />;
  if (!typing) return <One {...props} choices={choices} onOther={() => setTyping(true)} />;
  return (
    <>
      <SchemaField {...props} />
      <button type="button" className="link-button" onClick={() => setTyping(false)}>
        Choose from the list
      </button>
    </>
  );
}

function words(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function One({
  name,
  value,
  fallback,
  choices,
  disabled,
  id,
  onChange,
  onOther,
}: ChoicesFieldProps & { readonly onOther: () => void }) {
  const texts = choices.map((choice) => JSON.stringify(choice));
  const shown = value === undefined || value === "" ? undefined : JSON.stringify(value);
  const strange = shown !== undefined && !texts.includes(shown);
  return (
    <>
      <select
        className="field"
        id={id}
        aria-label={name}
        aria-invalid={strange}
        disabled={disabled}
        value={shown ?? ""}
        data-testid={`choices-${name}`}
        onChange={(event) => {
          const text = event.target.value;
          if (text === OTHER) onOther();
          else onChange(text === "" ? undefined : (JSON.parse(text) as Json));
        }}
      >
        <option value="">{fallback ? words(fallback) : "Choose…"}</option>
        {strange && <option value={shown}>{words(value ?? null)} (not a choice)</option>}
        {choices.map((choice, index) => (
          <option key={texts[index]} value={texts[index]}>
            {words(choice)}
          </option>
        ))}
        <option value={OTHER}>Another value…</option>
      </select>
      {strange && <span className="field-error">“{words(value ?? null)}” is not among the choices</span>}
    </>
  );
}

function Several({ name, value, choices, disabled, onChange, ...rest }: ChoicesFieldProps) {
  const chosen = Array.isArray(value) ? value : [];
  const has = (choice: Json) => chosen.some((each) => JSON.stringify(each) === JSON.stringify(choice));
  const strange = chosen.filter(
    (each) => !choices.some((one) => JSON.stringify(one) === JSON.stringify(each)),
  );
  const toggle = (choice: Json) => {
    const without = chosen.filter((each) => JSON.stringify(each) !== JSON.stringify(choice));
    const next = without.length < chosen.length ? without : [...chosen, choice];
    onChange(next.length === 0 ? undefined : next);
  };
  if (value !== undefined && !Array.isArray(value))
    return <SchemaField {...rest} name={name} value={value} disabled={disabled} onChange={onChange} />;
  return (
    <>
      <fieldset className="choice-chips" aria-label={name} data-testid={`choices-${name}`}>
        {[...choices, ...strange].map((choice) => (
          <button
            key={JSON.stringify(choice)}
            type="button"
            className="chip"
            aria-pressed={has(choice)}
            data-strange={strange.includes(choice)}
            disabled={disabled}
            onClick={() => toggle(choice)}
          >
            {words(choice)}
          </button>
        ))}
      </fieldset>
      {strange.length > 0 && (
        <span className="field-error">“{words(strange[0] ?? null)}” is not among the choices</span>
      )}
    </>
  );
}

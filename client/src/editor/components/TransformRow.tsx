/** One transform of a wire: what it does, and how it can be changed, moved and taken away. */
import { ArrowDown, ArrowUp, X } from "lucide-react";
import { useEffect, useState } from "react";
import { whyInvalid } from "../../engine/transform";
import type { Json, Transform } from "../../protocol";
import { SchemaField } from "./SchemaField";

/** What each transform is called, and what it does. */
export const TRANSFORM_NAMES: Readonly<Record<Transform["op"], readonly [title: string, about: string]>> = {
  pick: ["Pick", "A part, by a path like rows[0].name"],
  index: ["Item", "One item of a list; -1 is the last"],
  default: ["Default", "In the place of null, and of nothing"],
  cast: ["Cast", "Make another type of it"],
  date: ["Date", "Read a date, give ISO 8601"],
};

const CASTS = [
  ["string", "text"],
  ["number", "number"],
  ["integer", "whole number"],
  ["boolean", "true or false"],
  ["list", "list"],
  ["object", "object"],
] as const;

interface TransformRowProps {
  readonly transform: Transform;
  readonly index: number;
  readonly last: boolean;
  readonly disabled: boolean;
  readonly onChange: (transform: Transform) => void;
  readonly onMove: (by: -1 | 1) => void;
  readonly onRemove: () => void;
  readonly children?: React.ReactNode;
}

export function TransformRow(props: TransformRowProps) {
  const { transform, index, last, disabled, onMove, onRemove, children } = props;
  const [title, about] = TRANSFORM_NAMES[transform.op];
  const named = `${title}, step ${index + 1}`;
  return (
    <li className="transform-row" data-testid={`transform-${index}`}>
      <div className="transform-head">
        <strong title={about}>{title}</strong>
        <TransformField {...props} label={named} />
        {!disabled && (
          <span className="transform-tools">
            <button
              type="button"
              className="icon-button small"
              aria-label={`Move ${named} up`}
              title="Move up"
              disabled={index === 0}
              onClick={() => onMove(-1)}
            >
              <ArrowUp size={12} />
            </button>
            <button
              type="button"
              className="icon-button small"
              aria-label={`Move ${named} down`}
              title="Move down"
              disabled={last}
              onClick={() => onMove(1)}
            >
              <ArrowDown size={12} />
            </button>
            <button
              type="button"
              className="icon-button small"
              aria-label={`Remove ${named}`}
              title="Remove"
              onClick={onRemove}
            >
              <X size={12} />
            </button>
          </span>
        )}
      </div>
      {children}
    </li>
  );
}

function TransformField({
  transform,
  disabled,
  label,
  onChange,
}: TransformRowProps & { readonly label: string }) {
  switch (transform.op) {
    case "pick":
      return (
        <DraftField
          label={label}
          text={transform.path}
          disabled={disabled}
          why={(path) => (path.trim() === "" ? "A path is needed" : whyInvalid({ op: "pick", path }))}
          onChange={(path) => onChange({ op: "pick", path })}
        />
      );
    case "date":
      return (
        <DraftField
          label={label}
          text={transform.format ?? ""}
          placeholder="ISO 8601, or like %d.%m.%Y"
          disabled={disabled}
          why={(format) => (format === "" ? null : whyInvalid({ op: "date", format }))}
          onChange={(format) => onChange(format === "" ? { op: "date" } : { op: "date", format })}
        />
      );
    case "index":
      return (
        <DraftField
          label={label}
          text={String(transform.index)}
          disabled={disabled}
          why={(text) => (/^-?\d{1,15}$/.test(text.trim()) ? null : "A whole number is needed")}
          onChange={(text) => onChange({ op: "index", index: Number(text) })}
        />
      );
    case "default":
      return (
        <span className="transform-field">
          <SchemaField
            name={label}
            schema={{}}
            value={transform.value ?? null}
            disabled={disabled}
            onChange={(value: Json | undefined) => onChange({ op: "default", value: value ?? null })}
          />
        </span>
      );
    case "cast":
      return (
        <select
          className="field transform-field"
          aria-label={label}
          disabled={disabled}
          value={transform.to}
          onChange={(event) => {
            const to = CASTS.find(([value]) => value === event.target.value)?.[0];
            if (to) onChange({ op: "cast", to });
          }}
        >
          {CASTS.map(([value, words]) => (
            <option key={value} value={value}>
              to {words}
            </option>
          ))}
        </select>
      );
  }
}

interface DraftFieldProps {
  readonly label: string;
  readonly text: string;
  readonly placeholder?: string;
  readonly disabled: boolean;
  /** Why what is typed cannot be taken; null when it can. */
  readonly why: (text: string) => string | null;
  readonly onChange: (text: string) => void;
}

/** Text that is given on as soon as it is sound; what is not stays in the field, with the reason. */
function DraftField({ label, text, placeholder, disabled, why, onChange }: DraftFieldProps) {
  const [draft, setDraft] = useState(text);
  const [typing, setTyping] = useState(false);
  useEffect(() => {
    if (!typing) setDraft(text);
  }, [text, typing]);
  const wrong = why(draft);
  return (
    <span className="transform-field">
      <input
        className="field mono"
        aria-label={label}
        aria-invalid={wrong !== null}
        placeholder={placeholder}
        readOnly={disabled}
        spellCheck={false}
        value={draft}
        onFocus={() => setTyping(true)}
        onBlur={() => setTyping(false)}
        onChange={(event) => {
          setDraft(event.target.value);
          if (why(event.target.value) === null) onChange(event.target.value);
        }}
      />
      {wrong && <span className="field-error">{wrong}</span>}
    </span>
  );
}

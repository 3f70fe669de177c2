/** One input, edited as its JSON Schema says: words, numbers, choices, yes or no, else JSON. */
import { useId } from "react";
import type { Json } from "../../protocol";
import { useTyped } from "../hooks/useTyped";
import { type JsonSchema, portKind, withoutNull } from "../store/schema";
import { JsonField } from "./JsonField";

export interface SchemaFieldProps {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly value: Json | undefined;
  readonly fallback?: Json | undefined;
  readonly disabled: boolean;
  readonly id?: string;
  readonly onChange: (value: Json | undefined) => void;
  /** What is typed letter by letter goes here instead, where it is given; what is chosen never does. */
  readonly onType?: ((value: Json | undefined) => void) | undefined;
}

function hint(fallback: Json | undefined): string {
  if (fallback === undefined || fallback === null) return "";
  return typeof fallback === "string" ? fallback : JSON.stringify(fallback);
}

/** What is wrong with `number` by the schema; null when nothing is. */
export function whyNotNumber(number: number, schema: JsonSchema): string | null {
  if (!Number.isFinite(number)) return "This is not a number";
  if (schema.type === "integer" && !Number.isInteger(number)) return "A whole number is needed";
  if (schema.minimum !== undefined && number < schema.minimum) return `At least ${schema.minimum}`;
  if (schema.maximum !== undefined && number > schema.maximum) return `At most ${schema.maximum}`;
  if (schema.exclusiveMinimum !== undefined && number <= schema.exclusiveMinimum)
    return `More than ${schema.exclusiveMinimum}`;
  if (schema.exclusiveMaximum !== undefined && number >= schema.exclusiveMaximum)
    return `Less than ${schema.exclusiveMaximum}`;
  return null;
}

/** Read a typed number; none where nothing is typed. */
export function readNumber(
  text: string,
  schema: JsonSchema,
): { readonly value: number | undefined } | { readonly why: string } {
  if (text.trim() === "") return { value: undefined };
  const number = Number(text);
  const why = whyNotNumber(number, schema);
  return why === null ? { value: number } : { why };
}

export function SchemaField(props: SchemaFieldProps) {
  const schema = withoutNull(props.schema);
  const kind = portKind(schema);
  if (schema.enum) return <ChoiceField {...props} schema={schema} />;
  if (kind === "boolean") return <SwitchField {...props} schema={schema} />;
  const typed = { ...props, schema, onChange: props.onType ?? props.onChange };
  if (kind === "number") return <NumberField {...typed} />;
  if (kind === "text" || kind === "image") return <WordsField {...typed} />;
  return <JsonField {...typed} anything={kind === "any"} />;
}

function ChoiceField({ name, schema, value, fallback, disabled, id, onChange }: SchemaFieldProps) {
  const choices = schema.enum ?? [];
  const given = value ?? fallback;
  // Where nothing chosen stands for null, it can be chosen again.
  const none = (fallback ?? null) === null && !choices.includes(null);
  const shown = given === null && none ? undefined : given;
  return (
    <select
      className="field"
      id={id}
      aria-label={name}
      disabled={disabled}
      aria-invalid={shown !== undefined && !choices.includes(shown)}
      value={shown === undefined ? "" : JSON.stringify(shown)}
      onChange={(event) =>
        onChange(event.target.value === "" ? undefined : (JSON.parse(event.target.value) as Json))
      }
    >
      {none && <option value="">{fallback === null ? "–" : "Choose…"}</option>}
      {shown !== undefined && !choices.includes(shown) && (
        <option value={JSON.stringify(shown)}>{String(shown)} (not allowed)</option>
      )}
      {choices.map((choice) => (
        <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
          {String(choice)}
        </option>
      ))}
    </select>
  );
}

function SwitchField({ name, value, fallback, disabled, id, onChange }: SchemaFieldProps) {
  const on = (value ?? fallback) === true;
  return (
    <label className="switch">
      <input
        type="checkbox"
        id={id}
        aria-label={name}
        disabled={disabled}
        checked={on}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span className="track" aria-hidden="true" />
      <span className="faint">{on ? "Yes" : "No"}</span>
    </label>
  );
}

function NumberField({ name, schema, value, fallback, disabled, id, onChange }: SchemaFieldProps) {
  const typed = useTyped(value === undefined ? "" : String(value), disabled);
  const error = useId();
  const read = readNumber(typed.text, schema);
  const why = "why" in read ? read.why : null;
  return (
    <>
      <input
        className="field mono"
        id={id}
        inputMode="decimal"
        aria-label={name}
        aria-invalid={why !== null}
        aria-describedby={why ? error : undefined}
        readOnly={disabled}
        placeholder={hint(fallback)}
        value={typed.text}
        onFocus={typed.onFocus}
        onBlur={typed.onBlur}
        onChange={(event) => {
          typed.type(event.target.value);
          const next = readNumber(event.target.value, schema);
          if ("value" in next) onChange(next.value);
        }}
      />
      {why && (
        <span className="field-error" id={error}>
          {why}
        </span>
      )}
    </>
  );
}

function WordsField({ name, schema, value, fallback, disabled, id, onChange }: SchemaFieldProps) {
  const text =
    value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const typed = useTyped(text, disabled);
  const secret = schema.format === "password";
  const oneLine =
    secret || schema.format === "uri" || schema.format === "url" || (schema.maxLength ?? 1000) <= 200;
  const shared = {
    className: "field",
    id,
    "aria-label": name,
    readOnly: disabled,
    placeholder: hint(fallback),
    value: typed.text,
    onFocus: typed.onFocus,
    onBlur: typed.onBlur,
    onChange: (event: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => {
      typed.type(event.target.value);
      onChange(event.target.value === "" && fallback === undefined ? undefined : event.target.value);
    },
  };
  if (oneLine) return <input {...shared} type={secret ? "password" : "text"} />;
  const rows = Math.min(12, Math.max(1, typed.text.split("\n").length, Math.ceil(typed.text.length / 44)));
  return <textarea {...shared} className="field words" rows={rows} />;
}

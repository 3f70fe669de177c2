/** A value as JSON, checked while it is typed; where anything goes, plain words are text. */
import { useId } from "react";
import type { Json } from "../../protocol";
import { useTyped } from "../hooks/useTyped";
import { type JsonSchema, portKind } from "../store/schema";

interface JsonFieldProps {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly value: Json | undefined;
  readonly fallback?: Json | undefined;
  readonly disabled: boolean;
  readonly id?: string | undefined;
  readonly anything: boolean;
  readonly onChange: (value: Json | undefined) => void;
}

/** Read typed JSON; `anything` lets words that are no JSON stand for themselves. */
export function readJson(
  text: string,
  schema: JsonSchema,
  anything: boolean,
): { value: Json } | { why: string } {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    const looksLikeJson = /^\s*[[{"]/.test(text);
    if (anything && !looksLikeJson) return { value: text };
    return { why: error instanceof Error ? error.message.replace(/^JSON\.parse: /, "") : "This is not JSON" };
  }
  const kind = portKind(schema);
  if ((kind === "list" || kind === "table") && !Array.isArray(value))
    return { why: "A list is needed: [ … ]" };
  if (kind === "object" && (typeof value !== "object" || value === null || Array.isArray(value))) {
    return { why: "An object is needed: { … }" };
  }
  return { value };
}

function written(value: Json | undefined): string {
  if (value === undefined) return "";
  const short = JSON.stringify(value);
  return short.length <= 48 ? short : JSON.stringify(value, null, 2);
}

export function JsonField({
  name,
  schema,
  value,
  fallback,
  disabled,
  id,
  anything,
  onChange,
}: JsonFieldProps) {
  const typed = useTyped(written(value), disabled);
  const error = useId();
  const read = typed.text.trim() === "" ? null : readJson(typed.text, schema, anything);
  const why = read && "why" in read ? read.why : null;
  return (
    <>
      <textarea
        className="field mono"
        id={id}
        aria-label={name}
        aria-invalid={why !== null}
        aria-describedby={why ? error : undefined}
        spellCheck={false}
        readOnly={disabled}
        placeholder={
          fallback === undefined || fallback === null
            ? anything
              ? "A value: 42, words, [1, 2], {…}"
              : ""
            : written(fallback)
        }
        rows={Math.min(14, Math.max(1, typed.text.split("\n").length))}
        value={typed.text}
        onFocus={typed.onFocus}
        onBlur={typed.onBlur}
        onChange={(event) => {
          const text = event.target.value;
          typed.type(text);
          if (text.trim() === "") return onChange(undefined);
          const next = readJson(text, schema, anything);
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

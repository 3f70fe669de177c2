/** A literal input, edited in its row on the node; what needs more room opens the inspector. */
import { useState } from "react";
import type { Json, Port } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useFieldPresence } from "../hooks/useFieldPresence";
import { useInputDraft } from "../hooks/useInputDraft";
import { schemaOf } from "../store/library";
import { type JsonSchema, portKind, withoutNull } from "../store/schema";
import { PortChoice } from "./PortChoice";
import { whyNotNumber } from "./SchemaField";

interface PortValueProps {
  readonly node: string;
  readonly port: Port;
  readonly value: Json | undefined;
}

function brief(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The field with a frame in the colour of whoever else writes in it. */
export function PortField(props: PortValueProps) {
  const { watch } = useFieldPresence(props.node, `input ${props.port.name}`);
  return (
    <span className="port-field" {...watch}>
      <PortValue {...props} />
    </span>
  );
}

function PortValue({ node, port, value }: PortValueProps) {
  const { document } = useEditor();
  const editable = useStore(document.editable);
  const schema = withoutNull(schemaOf(port));
  const kind = portKind(schema);
  const put = (next: Json | undefined) => document.setInput(node, port.name, next);
  const label = `${port.name} of node`;
  const current = value === undefined ? "" : brief(value);
  const isShort = typeof value !== "object" && current.length < 80 && !current.includes("\n");
  if (port.choices && !schema.enum && (kind === "text" || kind === "number" || kind === "any") && isShort)
    return (
      <PortChoice node={node} port={port} value={value} label={label}>
        {(onLeft) => (
          <TextValue
            node={node}
            label={label}
            port={port}
            kind={kind}
            schema={schema}
            text={kind === "any" && value !== undefined ? JSON.stringify(value) : current}
            editable={editable}
            onLeft={onLeft}
          />
        )}
      </PortChoice>
    );
  if (schema.enum) {
    // Nothing chosen is a choice where there is no default, or where the default is nothing.
    const optional = (port.default ?? null) === null && !schema.enum.includes(null);
    return (
      <select
        className="port-value nodrag"
        aria-label={label}
        disabled={!editable}
        value={brief(value ?? port.default)}
        onChange={(event) =>
          put(schema.enum?.find((entry) => String(entry) === event.target.value) as Json | undefined)
        }
        aria-invalid={value !== undefined && !schema.enum.includes(value)}
      >
        {optional && <option value="">–</option>}
        {value !== undefined && !schema.enum.includes(value) && <option>{brief(value)}</option>}
        {schema.enum.map((entry) => (
          <option key={String(entry)}>{String(entry)}</option>
        ))}
      </select>
    );
  }
  if (kind === "boolean") {
    return (
      <input
        type="checkbox"
        className="port-check nodrag"
        aria-label={label}
        disabled={!editable}
        checked={(value ?? port.default) === true}
        onChange={(event) => put(event.target.checked)}
      />
    );
  }
  if (kind === "text" || kind === "number") {
    if (current.length < 80 && !current.includes("\n")) {
      return (
        <TextValue
          node={node}
          label={label}
          port={port}
          kind={kind}
          schema={schema}
          text={current}
          editable={editable}
        />
      );
    }
  }
  if (
    kind === "any" &&
    (value === undefined || typeof value !== "object" || value === null) &&
    current.length < 80
  ) {
    return (
      <TextValue
        node={node}
        label={label}
        port={port}
        kind="any"
        schema={schema}
        text={value === undefined ? "" : JSON.stringify(value)}
        editable={editable}
      />
    );
  }
  return (
    <LongValue
      node={node}
      port={port}
      text={current || brief(port.default)}
      isDefault={value === undefined}
    />
  );
}

interface TextValueProps {
  readonly node: string;
  readonly label: string;
  readonly port: Port;
  readonly kind: "text" | "number" | "any";
  readonly schema: JsonSchema;
  /** What the document says. */
  readonly text: string;
  readonly editable: boolean;
  /** Takes the focus as soon as it is there, and tells when that is gone: it stands in for a list. */
  readonly onLeft?: (() => void) | undefined;
}

/** What typed text means on a port of `kind`: any JSON where anything goes, and plain words are text there too. */
export function parseTyped(text: string, kind: "text" | "number" | "any"): Json | undefined {
  if (text === "") return undefined;
  if (kind === "text") return text;
  if (kind === "number") {
    const number = Number(text);
    return Number.isFinite(number) ? number : undefined;
  }
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** Enter and leaving the field commit what was typed, where it is sound; Escape drops it. */
function TextValue({ node, label, port, kind, schema, text, editable, onLeft }: TextValueProps) {
  const draft = useInputDraft(node, port);
  const [typed, setTyped] = useState<string | null>(null);
  const why = kind === "number" && typed ? whyNotNumber(Number(typed), schema) : null;
  const type = (next: string) => {
    setTyped(next);
    if (next === text || (kind === "number" && next !== "" && whyNotNumber(Number(next), schema)))
      draft.drop();
    else draft.type(parseTyped(next, kind));
  };
  return (
    <input
      className="port-value nodrag"
      // Focused here, not by autofocus: only where one asked to type in place of a list.
      ref={(input) => {
        if (onLeft && input && typed === null) input.focus();
      }}
      aria-label={label}
      aria-invalid={why !== null}
      title={why ?? undefined}
      inputMode={kind === "number" ? "decimal" : "text"}
      readOnly={!editable}
      placeholder={
        port.default !== undefined && port.default !== null
          ? brief(port.default)
          : port.named
            ? "read by name"
            : port.required
              ? "needed"
              : ""
      }
      value={typed ?? text}
      onFocus={() => setTyped(text)}
      onChange={(event) => type(event.target.value)}
      onBlur={() => {
        setTyped(null);
        draft.commit();
        onLeft?.();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") draft.drop();
        if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
        event.stopPropagation();
      }}
    />
  );
}

function LongValue({
  node,
  port,
  text,
  isDefault,
}: {
  node: string;
  port: Port;
  text: string;
  isDefault: boolean;
}) {
  const editor = useEditor();
  return (
    <button
      type="button"
      className={`port-value nodrag ${isDefault ? "is-default" : ""}`}
      aria-label={`Edit ${port.name}`}
      onClick={() => {
        editor.select([node]);
        editor.showInspector();
      }}
    >
      {text || "–"}
    </button>
  );
}

/** A literal input, edited in its row on the node; what needs more room opens the inspector. */
import { useEffect, useState } from "react";
import type { Json, Port } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useFieldPresence } from "../hooks/useFieldPresence";
import { useInputDraft } from "../hooks/useInputDraft";
import { useTyped } from "../hooks/useTyped";
import { schemaOf } from "../store/library";
import { type JsonSchema, portKind, withoutNull } from "../store/schema";
import { readJson } from "./JsonField";
import { PortChoice } from "./PortChoice";
import { readNumber } from "./SchemaField";

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
  // A field stays one while somebody types in it, however long its value gets.
  const [writing, setWriting] = useState(false);
  const schema = withoutNull(schemaOf(port));
  const kind = portKind(schema);
  const put = (next: Json | undefined) => document.setInput(node, port.name, next);
  const label = `${port.name} of node`;
  const current = value === undefined ? "" : brief(value);
  const isShort = writing || (typeof value !== "object" && current.length < 80 && !current.includes("\n"));
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
            onWriting={setWriting}
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
    if (writing || (current.length < 80 && !current.includes("\n"))) {
      return (
        <TextValue
          node={node}
          label={label}
          port={port}
          kind={kind}
          schema={schema}
          text={current}
          editable={editable}
          onWriting={setWriting}
        />
      );
    }
  }
  if (kind === "any" && (writing || ((typeof value !== "object" || value === null) && current.length < 80))) {
    return (
      <TextValue
        node={node}
        label={label}
        port={port}
        kind="any"
        schema={schema}
        text={value === undefined ? "" : JSON.stringify(value)}
        editable={editable}
        onWriting={setWriting}
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
  /** Hears when somebody begins and ends to type here. */
  readonly onWriting: (on: boolean) => void;
  /** Takes the focus as soon as it is there, and tells when that is gone: it stands in for a list. */
  readonly onLeft?: (() => void) | undefined;
}

/** What typed text means on a port of `kind`, where it is sound: any JSON where anything goes, and plain words there, too. */
export function readTyped(
  text: string,
  kind: "text" | "number" | "any",
  schema: JsonSchema,
): { readonly value: Json | undefined } | { readonly why: string } {
  if (kind === "number") return readNumber(text, schema);
  if (text === "") return { value: undefined };
  return kind === "text" ? { value: text } : readJson(text, schema, true);
}

function focus(input: HTMLInputElement | null): void {
  input?.focus();
}

/** Takes what is typed as the inspector's field does; Enter and Escape leave it, too. */
function TextValue({ node, label, port, kind, schema, text, editable, onWriting, onLeft }: TextValueProps) {
  const draft = useInputDraft(node, port);
  const typed = useTyped(text, !editable);
  const read = readTyped(typed.text, kind, schema);
  const why = "why" in read ? read.why : null;
  // A field that goes away while it has the focus is not blurred.
  useEffect(() => () => onWriting(false), [onWriting]);
  const type = (next: string) => {
    typed.type(next);
    const fresh = readTyped(next, kind, schema);
    if ("value" in fresh) draft.type(fresh.value);
    // What began as JSON and is none when the field is left, was meant as text.
    else if (kind === "any") draft.hold(next);
  };
  return (
    <input
      className="port-value nodrag"
      // Focused here, not by autofocus: only where one asked to type in place of a list.
      ref={onLeft ? focus : null}
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
      value={typed.text}
      onFocus={() => {
        typed.onFocus();
        onWriting(true);
      }}
      onChange={(event) => type(event.target.value)}
      onBlur={() => {
        typed.onBlur();
        onWriting(false);
        draft.commit();
        onLeft?.();
      }}
      onKeyDown={(event) => {
        const { ctrlKey, metaKey } = event;
        if (event.key === "Enter" && !ctrlKey && !metaKey) event.currentTarget.blur();
        else draft.endTyping(event);
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

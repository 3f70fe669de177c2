/** A literal input, edited in its row on the node; what needs more room opens the inspector. */
import { useEffect, useState } from "react";
import type { Json, Port } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useFieldPresence } from "../hooks/useFieldPresence";
import { schemaOf } from "../store/library";
import { portKind, withoutNull } from "../store/schema";

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
  if (schema.enum) {
    return (
      <select
        className="port-value nodrag"
        aria-label={label}
        disabled={!editable}
        value={brief(value ?? port.default)}
        onChange={(event) => put(schema.enum?.find((entry) => String(entry) === event.target.value) as Json)}
        aria-invalid={value !== undefined && !schema.enum.includes(value)}
      >
        {value === undefined && port.default === undefined && <option value="">–</option>}
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
  const current = value === undefined ? "" : brief(value);
  if (kind === "text" || kind === "number") {
    if (current.length < 80 && !current.includes("\n")) {
      return <TextValue label={label} port={port} kind={kind} text={current} editable={editable} put={put} />;
    }
  }
  if (
    kind === "any" &&
    (value === undefined || typeof value !== "object" || value === null) &&
    current.length < 80
  ) {
    return (
      <TextValue
        label={label}
        port={port}
        kind="any"
        text={value === undefined ? "" : JSON.stringify(value)}
        editable={editable}
        put={put}
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
  readonly label: string;
  readonly port: Port;
  readonly kind: "text" | "number" | "any";
  readonly text: string;
  readonly editable: boolean;
  readonly put: (value: Json | undefined) => void;
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

function TextValue({ label, port, kind, text, editable, put }: TextValueProps) {
  const [draft, setDraft] = useState(text);
  const [typing, setTyping] = useState(false);
  useEffect(() => {
    if (!typing) setDraft(text);
  }, [text, typing]);
  const commit = () => {
    setTyping(false);
    if (draft !== text) put(parseTyped(draft, kind));
  };
  return (
    <input
      className="port-value nodrag"
      aria-label={label}
      inputMode={kind === "number" ? "decimal" : "text"}
      readOnly={!editable}
      placeholder={
        port.default !== undefined && port.default !== null
          ? brief(port.default)
          : port.required
            ? "needed"
            : ""
      }
      value={typing ? draft : text}
      onFocus={() => {
        setDraft(text);
        setTyping(true);
      }}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") {
          setDraft(text);
          setTyping(false);
          event.currentTarget.blur();
        }
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

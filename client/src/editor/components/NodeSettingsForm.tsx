/** How a node runs where it differs from its type: time limit, retries, cache. */
import type { Json, NodeSettings, NodeType, SpellNode } from "../../protocol";
import { useEditor } from "../hooks/useEditor";
import type { JsonSchema } from "../store/schema";
import { SchemaField } from "./SchemaField";

const FIELDS: readonly { key: keyof NodeSettings; title: string; about: string; schema: JsonSchema }[] = [
  {
    key: "timeout",
    title: "Time limit",
    about: "Seconds until the node counts as failed.",
    schema: { type: "number", exclusiveMinimum: 0, maximum: 86_400 },
  },
  {
    key: "retries",
    title: "Retries",
    about: "How often to try again after a failure.",
    schema: { type: "integer", minimum: 0, maximum: 20 },
  },
  {
    key: "backoff",
    title: "Wait between",
    about: "Seconds before the first retry; doubles each time.",
    schema: { type: "number", minimum: 0, maximum: 3_600 },
  },
  {
    key: "cache",
    title: "Cache",
    about: "When an output may be used again.",
    schema: { enum: ["deterministic", "private", "none", "ttl"] },
  },
  {
    key: "ttl",
    title: "Valid for",
    about: "Seconds an output stays valid, with cache “ttl”.",
    schema: { type: "number", exclusiveMinimum: 0 },
  },
];

interface NodeSettingsFormProps {
  readonly id: string;
  readonly node: SpellNode;
  readonly type: NodeType | undefined;
  readonly disabled: boolean;
}

export function NodeSettingsForm({ id, node, type, disabled }: NodeSettingsFormProps) {
  const { document: shared } = useEditor();
  return (
    <>
      {FIELDS.filter((field) => field.key !== "ttl" || node.settings.cache === "ttl").map((field) => (
        <div className="input-row" key={field.key}>
          <div className="input-head">
            <span>{field.title}</span>
          </div>
          <SchemaField
            name={field.title}
            schema={field.schema}
            value={node.settings[field.key] as Json | undefined}
            fallback={field.key === "cache" ? type?.cache : undefined}
            disabled={disabled}
            onChange={(value) => shared.setSettings(id, { [field.key]: value ?? null })}
          />
          <p className="input-about">{field.about}</p>
        </div>
      ))}
    </>
  );
}

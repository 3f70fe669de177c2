/** How a node runs where it differs from its type: whether at all, how long, how often, from the cache, live. */
import type { Json, NodeLimits, NodeSettings, NodeType, SpellNode } from "../../protocol";
import { useEditor } from "../hooks/useEditor";
import type { JsonSchema } from "../store/schema";
import { LIMIT_FIELDS, limitsWith, SETTING_FIELDS, type SettingField } from "../store/settings_fields";
import { SchemaField } from "./SchemaField";

interface NodeSettingsFormProps {
  readonly id: string;
  readonly node: SpellNode;
  readonly type: NodeType | undefined;
  readonly disabled: boolean;
}

export function NodeSettingsForm({ id, node, type, disabled }: NodeSettingsFormProps) {
  const { document: shared } = useEditor();
  const { settings } = node;
  const fields = SETTING_FIELDS.filter((field) => field.key !== "ttl" || settings.cache === "ttl");
  return (
    <>
      <ModeField id={id} settings={settings} disabled={disabled} />
      {fields.map((field) => (
        <Field
          key={field.key}
          field={field}
          value={settings[field.key] as Json | undefined}
          fallback={field.key === "cache" ? type?.cache : undefined}
          disabled={disabled}
          onChange={(value) => shared.setSettings(id, { [field.key]: value ?? null })}
        />
      ))}
      <Limits
        limits={settings.limits}
        disabled={disabled}
        onChange={(limits) => shared.setSettings(id, { limits })}
      />
    </>
  );
}

const MODES = ["run", "mute", "bypass"] as const;
const MODE_WORDS = { run: "Runs", mute: "Muted", bypass: "Bypassed" } as const;

function ModeField({ id, settings, disabled }: { id: string; settings: NodeSettings; disabled: boolean }) {
  const { document: shared } = useEditor();
  const mode = settings.mode ?? "run";
  return (
    <fieldset className="segments" aria-label="Whether it runs" disabled={disabled}>
      {MODES.map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={mode === each}
          data-testid={`mode-${each}`}
          onClick={() => shared.setSettings(id, { mode: each === "run" ? null : each })}
        >
          {MODE_WORDS[each]}
        </button>
      ))}
    </fieldset>
  );
}

/** All limits together: each holds by itself, and the node waits until none is in its way. */
function Limits({
  limits,
  disabled,
  onChange,
}: {
  limits: NodeLimits | undefined;
  disabled: boolean;
  onChange: (limits: NodeLimits | null) => void;
}) {
  return (
    <fieldset className="limits" disabled={disabled} data-testid="limits">
      <legend>Limits</legend>
      <p className="input-about">Held back by these it waits, and says until when.</p>
      <div className="limits-grid">
        {LIMIT_FIELDS.map((field) => (
          <Field
            key={field.key}
            field={field}
            value={limits?.[field.key]}
            fallback={field.key === "per" && limits?.rate !== undefined ? 1 : undefined}
            disabled={disabled || (field.key === "per" && limits?.rate === undefined)}
            onChange={(value) => onChange(limitsWith(limits, field.key, value as number | undefined))}
          />
        ))}
      </div>
    </fieldset>
  );
}

interface FieldProps {
  readonly field: SettingField<string>;
  readonly value: Json | undefined;
  readonly fallback: Json | undefined;
  readonly disabled: boolean;
  readonly onChange: (value: Json | undefined) => void;
}

function Field({ field, value, fallback, disabled, onChange }: FieldProps) {
  return (
    <div className="input-row" title={field.about}>
      <div className="input-head">
        <span>{field.title}</span>
      </div>
      <SchemaField
        name={field.title}
        schema={field.schema as JsonSchema}
        value={value}
        fallback={fallback}
        disabled={disabled}
        onChange={onChange}
      />
      <p className="input-about">{field.about}</p>
    </div>
  );
}

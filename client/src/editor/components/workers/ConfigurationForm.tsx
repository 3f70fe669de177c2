/** The configuration of an external worker, as its JSON Schema says. Secrets are written and never read. */
import { useId, useState } from "react";
import type { Json } from "../../../protocol";
import type { ExternalWorker } from "../../../workers";
import { type JsonSchema, resolveSchema, withoutNull } from "../../store/schema";
import { SchemaField } from "../SchemaField";

type Config = Readonly<Record<string, Json>>;

interface ConfigurationFormProps {
  readonly worker: ExternalWorker;
  readonly onSave: (config: Config) => Promise<boolean>;
}

export function ConfigurationForm({ worker, onSave }: ConfigurationFormProps) {
  const [draft, setDraft] = useState<Config | null>(null);
  const [busy, setBusy] = useState(false);
  const schema = (worker.config_schema ?? {}) as JsonSchema;
  const secrets = new Set(worker.secrets ?? []);
  const config = draft ?? ((worker.config ?? {}) as Config);
  if (Object.keys(schema.properties ?? {}).length === 0)
    return <p className="faint">It has nothing to configure.</p>;
  const save = async () => {
    setBusy(true);
    if (await onSave(config)) setDraft(null);
    setBusy(false);
  };
  return (
    <form
      className="configuration"
      aria-label={`Configuration of ${worker.name}`}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Fields schema={schema} root={schema} path="" value={config} secrets={secrets} onChange={setDraft} />
      <div className="row-buttons">
        <button
          type="submit"
          className="button small primary"
          disabled={draft === null || busy}
          data-testid="configuration-save"
        >
          {busy ? "Giving it…" : "Configure"}
        </button>
        {draft !== null && (
          <button type="button" className="button small" onClick={() => setDraft(null)}>
            As it was
          </button>
        )}
      </div>
    </form>
  );
}

interface FieldsProps {
  readonly schema: JsonSchema;
  readonly root: JsonSchema;
  /** Where they lie in the configuration: `a.b`, or "" for all. */
  readonly path: string;
  readonly value: Config;
  readonly secrets: ReadonlySet<string>;
  readonly onChange: (value: Config) => void;
}

/** The fields of an object; an object in it is a frame of its own fields. */
function Fields({ schema, root, path, value, secrets, onChange }: FieldsProps) {
  return Object.entries(schema.properties ?? {}).map(([name, declared]) => {
    const full = path === "" ? name : `${path}.${name}`;
    const its = withoutNull({ ...resolveSchema(declared, root), $defs: root.$defs ?? {} });
    const title = its.title ?? declared.title ?? name;
    const set = (next: Json | undefined) => {
      const { [name]: _, ...others } = value;
      onChange(next === undefined ? others : { ...others, [name]: next });
    };
    if (its.type === "object" && its.properties)
      return (
        <fieldset key={name} className="configuration-part">
          <legend>{title}</legend>
          <Fields
            schema={its}
            root={root}
            path={full}
            value={(value[name] ?? {}) as Config}
            secrets={secrets}
            onChange={(inner) => set({ ...inner })}
          />
        </fieldset>
      );
    return (
      <Field
        key={name}
        name={title}
        about={its.description ?? declared.description}
        schema={its}
        required={schema.required?.includes(name) ?? false}
        secret={secrets.has(full) || its.format === "password"}
        value={value[name]}
        onChange={set}
      />
    );
  });
}

interface FieldProps {
  readonly name: string;
  readonly about: string | undefined;
  readonly schema: JsonSchema;
  readonly required: boolean;
  readonly secret: boolean;
  readonly value: Json | undefined;
  readonly onChange: (value: Json | undefined) => void;
}

function Field({ name, about, schema, required, secret, value, onChange }: FieldProps) {
  const id = useId();
  return (
    <div className="configuration-field">
      <label htmlFor={id}>
        {name}
        {required && !secret && <span className="port-required"> *</span>}
      </label>
      {secret ? (
        <input
          className="field"
          id={id}
          type="password"
          autoComplete="new-password"
          placeholder="Kept as it is"
          value={typeof value === "string" ? value : ""}
          onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value)}
        />
      ) : (
        <SchemaField
          name={name}
          id={id}
          schema={schema}
          value={value}
          fallback={schema.default as Json | undefined}
          disabled={false}
          onChange={onChange}
        />
      )}
      {about && <p className="faint">{about}</p>}
    </div>
  );
}

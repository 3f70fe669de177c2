/** What the inputs of the spell get: values, or what lies at a path in what came. */
import { Plus, X } from "lucide-react";
import { useId } from "react";
import { useStore } from "../../../store";
import { type Faults, type InputDraft, OFFERED, type TriggerDraft } from "../../../triggers";
import { useEditor } from "../../hooks/useEditor";

interface InputMappingProps {
  readonly draft: TriggerDraft;
  readonly faults: Faults;
  readonly onChange: (change: Partial<TriggerDraft>) => void;
}

export function InputMapping({ draft, faults, onChange }: InputMappingProps) {
  const ports = usePorts();
  const list = useId();
  const put = (place: number, change: Partial<InputDraft>) =>
    onChange({
      inputs: draft.inputs.map((each, index) => (index === place ? { ...each, ...change } : each)),
    });
  return (
    <fieldset className="trigger-inputs">
      <legend>Inputs</legend>
      <datalist id={list}>
        {ports.map((port) => (
          <option key={port} value={port} />
        ))}
      </datalist>
      {draft.inputs.map((input, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place; what is typed into it changes
        <div className="trigger-input" key={place}>
          <input
            className="field mono"
            list={list}
            aria-label="Input of the spell"
            aria-invalid={faults[`input.${place}`] !== undefined}
            placeholder="node.port"
            autoComplete="off"
            spellCheck={false}
            data-testid="input-port"
            value={input.port}
            onChange={(event) => put(place, { port: event.target.value })}
          />
          <select
            className="field"
            aria-label="Where its value is from"
            data-testid="input-from"
            value={input.from ? "from" : "value"}
            onChange={(event) => put(place, { from: event.target.value === "from" })}
          >
            <option value="value">is</option>
            <option value="from">from</option>
          </select>
          <input
            className="field mono"
            aria-label={input.from ? "Path in what came" : "Value"}
            placeholder={input.from ? `${OFFERED[draft.kind][0]}…` : "42, true, text"}
            autoComplete="off"
            spellCheck={false}
            data-testid="input-text"
            value={input.text}
            onChange={(event) => put(place, { text: event.target.value })}
          />
          <button
            type="button"
            className="icon-button small"
            aria-label={`Take out ${input.port || "this input"}`}
            onClick={() => onChange({ inputs: draft.inputs.filter((_, index) => index !== place) })}
          >
            <X size={13} />
          </button>
          {faults[`input.${place}`] && (
            <p className="field-error" role="alert">
              {faults[`input.${place}`]}
            </p>
          )}
        </div>
      ))}
      {faults.inputs && (
        <p className="field-error" role="alert" data-testid="inputs-fault">
          {faults.inputs}
        </p>
      )}
      <button
        type="button"
        className="link-button"
        data-testid="input-add"
        onClick={() =>
          onChange({
            inputs: [
              ...draft.inputs,
              { port: "", from: draft.kind !== "cron" && draft.kind !== "interval", text: "" },
            ],
          })
        }
      >
        <Plus size={12} aria-hidden="true" /> Give an input
      </button>
      <p className="faint">
        {draft.inputs.some((each) => each.from)
          ? `A path such as ${example(draft.kind)}. It begins with ${OFFERED[draft.kind].join(", ")}.`
          : "Without any, the canvas runs as it is."}
      </p>
    </fieldset>
  );
}

function example(kind: TriggerDraft["kind"]): string {
  if (kind === "webhook") return "body.user.id";
  if (kind === "poll") return "value[0].name";
  return kind === "event" ? "outputs.NODE.PORT" : "due";
}

/** The inputs of the canvas's nodes that have a value of their own, as NODE.PORT. */
function usePorts(): readonly string[] {
  const editor = useEditor();
  const spell = useStore(editor.document.spell);
  return Object.entries(spell.nodes).flatMap(([id, node]) =>
    Object.keys(node.inputs ?? {}).map((port) => `${id}.${port}`),
  );
}

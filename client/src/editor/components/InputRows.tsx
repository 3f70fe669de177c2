/** The inputs of a node: where each comes from, or a field to type it. */
import { Bell, BellOff, Plus, Unplug, X } from "lucide-react";
import { useId, useState } from "react";
import type { Port, SpellNode } from "../../protocol";
import { useStore } from "../../store";
import { useChoices } from "../hooks/useChoices";
import { useEditor } from "../hooks/useEditor";
import { useFieldPresence } from "../hooks/useFieldPresence";
import { useInputDraft } from "../hooks/useInputDraft";
import { useTitle, useTitleOf } from "../hooks/useTitle";
import { keysOf } from "../store/commands";
import type { ShownPorts, Wired } from "../store/graph";
import { schemaOf } from "../store/library";
import { schemaWords } from "../store/schema";
import { ChoicesField } from "./ChoicesField";
import { FieldTag } from "./FieldTag";
import { portColour } from "./PortHandle";

interface InputRowsProps {
  readonly id: string;
  readonly node: SpellNode;
  readonly ports: ShownPorts;
  readonly wired: Wired;
}

export function InputRows({ id, node, ports, wired }: InputRowsProps) {
  if (ports.inputs.length === 0 && !ports.extraInputs)
    return <p className="faint">This node needs nothing.</p>;
  return (
    <>
      {ports.inputs.map((port) => (
        <InputRow
          key={port.name}
          id={id}
          node={node}
          port={port}
          wired={wired.inputs.includes(port.name)}
          broken={ports.broken.has(`in:${port.name}`)}
        />
      ))}
      {ports.extraInputs && <NewInput id={id} taken={ports.inputs.map((port) => port.name)} />}
    </>
  );
}

interface InputRowProps {
  readonly id: string;
  readonly node: SpellNode;
  readonly port: Port;
  readonly wired: boolean;
  readonly broken: boolean;
}

function InputRow({ id, node, port, wired, broken }: InputRowProps) {
  const { document: shared } = useEditor();
  const editable = useStore(shared.editable);
  const draft = useInputDraft(id, port);
  const field = useId();
  const value = node.inputs[port.name];
  const choices = useChoices(id, node, port);
  const { person, watch } = useFieldPresence(id, `input ${port.name}`);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears what its field does, and is no control itself
    <div
      className="input-row"
      data-input={port.name}
      {...watch}
      onBlur={() => {
        watch.onBlur();
        draft.commit();
      }}
      onKeyDown={draft.endTyping}
    >
      <div className="input-head">
        <span className="port-dot" style={{ background: portColour(port) }} aria-hidden="true" />
        <label htmlFor={field}>{port.name}</label>
        {port.required && <span className="port-required">*</span>}
        <span className="faint input-kind">{schemaWords(schemaOf(port))}</span>
        <FieldTag person={person} />
        <QuietButton id={id} node={node} port={port.name} />
        {!wired && value !== undefined && editable && (
          <button
            type="button"
            className="icon-button small"
            aria-label={`Clear ${port.name}`}
            title={port.default === undefined ? "Clear" : "Back to the default"}
            onClick={() => shared.setInput(id, port.name, undefined)}
          >
            <X size={12} />
          </button>
        )}
      </div>
      {broken && (
        <div className="notice error">This input does not exist any more. Remove its wire or value.</div>
      )}
      {!wired && port.named && <NamedSource id={port.named.node} output={port.named.output} />}
      {wired ? (
        <Sources id={id} port={port.name} />
      ) : port.trigger ? (
        <p className="faint">A wire here says when the node runs; it brings no value.</p>
      ) : (
        <ChoicesField
          choices={choices}
          name={port.name}
          id={field}
          schema={schemaOf(port)}
          value={value}
          fallback={port.default}
          disabled={!editable}
          onChange={(next) => shared.setInput(id, port.name, next)}
          onType={draft.type}
        />
      )}
      {draft.isHeld && (
        <p className="input-about" data-testid="draft-hint">
          Previewed, not run: {keysOf("run")} or leaving the field runs it, Esc drops it.
        </p>
      )}
      {port.description && <p className="input-about">{port.description}</p>}
    </div>
  );
}

/** Where a name in code leads that has no wire; a value typed in here goes before it. */
function NamedSource({ id, output }: { id: string; output: string }) {
  const editor = useEditor();
  const title = useTitle(useStore(editor.document.spell, (spell) => spell.nodes[id]));
  return (
    <p className="input-about" data-testid="named-source">
      Read by name from{" "}
      <button type="button" className="source-link" onClick={() => editor.reveal(id)}>
        {title}
      </button>{" "}
      · {output}
    </p>
  );
}

/** Live: whether a change at this input starts the node. */
function QuietButton({ id, node, port }: { id: string; node: SpellNode; port: string }) {
  const { document: shared } = useEditor();
  const editable = useStore(shared.editable);
  const quiet = node.settings.quiet ?? [];
  const isQuiet = quiet.includes(port);
  if (!editable && !isQuiet) return null;
  const next = isQuiet ? quiet.filter((name) => name !== port) : [...quiet, port];
  return (
    <button
      type="button"
      className="icon-button small quiet-button"
      aria-pressed={isQuiet}
      aria-label={`Quiet ${port}`}
      title={
        isQuiet
          ? "Quiet: in live mode a change here does not start the node. Click to let it."
          : "Live: a change here starts the node. Click to make it quiet."
      }
      disabled={!editable}
      data-testid={`quiet-${port}`}
      onClick={() => shared.setSettings(id, { quiet: next.length > 0 ? next : null })}
    >
      {isQuiet ? <BellOff size={12} /> : <Bell size={12} />}
    </button>
  );
}

function Sources({ id, port }: { id: string; port: string }) {
  const editor = useEditor();
  const editable = useStore(editor.document.editable);
  const spell = useStore(editor.document.spell);
  const titleOf = useTitleOf();
  const wires = Object.entries(spell.edges).filter(([, edge]) => edge.target === id && edge.input === port);
  return (
    <>
      {wires.map(([wire, edge]) => (
        <div className="source-row" key={wire}>
          <button type="button" className="source-link truncate" onClick={() => editor.reveal(edge.source)}>
            from <strong>{titleOf(spell.nodes[edge.source])}</strong> · {edge.output}
          </button>
          {editable && (
            <button
              type="button"
              className="icon-button small"
              aria-label={`Disconnect ${port}`}
              title="Disconnect"
              onClick={() => editor.document.disconnect([wire])}
            >
              <Unplug size={13} />
            </button>
          )}
        </div>
      ))}
    </>
  );
}

/** Names a further input, for node types that take any. */
function NewInput({ id, taken }: { id: string; taken: readonly string[] }) {
  const { document: shared } = useEditor();
  const editable = useStore(shared.editable);
  const [name, setName] = useState("");
  if (!editable) return null;
  const clean = name.trim();
  const doubled = taken.includes(clean);
  return (
    <form
      className="new-input"
      onSubmit={(event) => {
        event.preventDefault();
        if (clean === "" || doubled) return;
        shared.setInput(id, clean, "");
        setName("");
      }}
    >
      <input
        className="field"
        placeholder="Name of another input"
        aria-label="Name of another input"
        aria-invalid={doubled}
        maxLength={128}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <button
        type="submit"
        className="icon-button"
        aria-label="Add the input"
        disabled={clean === "" || doubled}
      >
        <Plus size={15} />
      </button>
    </form>
  );
}

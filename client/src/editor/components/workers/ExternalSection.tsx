/** External workers: objects that live elsewhere, whose methods are nodes of this canvas. */
import { Copy, Plus, Settings2, X } from "lucide-react";
import { useContext, useEffect, useMemo, useState } from "react";
import { api } from "../../../api";
import { copyText } from "../../../app/copy_text";
import { useStore } from "../../../store";
import { ExternalDesk, type ExternalWorker } from "../../../workers";
import { ConnectionContext } from "../../hooks/useConnection";
import { useEditor } from "../../hooks/useEditor";
import { Section } from "../Section";
import { ConfigurationForm } from "./ConfigurationForm";
import { WorkerBadge } from "./WorkerBadge";

export function ExternalSection() {
  const editor = useEditor();
  const connection = useContext(ConnectionContext);
  const { canvas } = editor.document;
  const desk = useMemo(() => new ExternalDesk(api, canvas), [canvas]);
  useEffect(() => (connection ? desk.open(connection) : undefined), [desk, connection]);
  const workers = useStore(desk.workers);
  const failure = useStore(desk.failure);
  const editable = useStore(editor.document.editable);
  const here = workers?.filter((worker) => desk.isHere(worker)) ?? [];
  const others = workers?.filter((worker) => !desk.isHere(worker)) ?? [];
  return (
    <Section title={here.length > 0 ? `External workers (${here.length})` : "External workers"}>
      <div className="packs" data-testid="external-workers">
        {workers !== null && here.length === 0 && (
          <p className="faint">
            None. An external worker is a program of your own, here or on another machine, whose methods
            become nodes.
          </p>
        )}
        <ul className="plain-list" aria-label="External workers of this canvas">
          {here.map((worker) => (
            <ExternalRow key={worker.id} desk={desk} worker={worker} />
          ))}
        </ul>
        {failure !== null && (
          <div className="notice error" role="alert" data-testid="external-failure">
            {failure}
          </div>
        )}
        {editable && others.length > 0 && (
          <select
            className="field"
            aria-label="Give this canvas another of your external workers"
            value=""
            onChange={(event) => {
              const chosen = others.find(({ id }) => id === event.target.value);
              if (chosen) void desk.give(chosen);
            }}
          >
            <option value="">Use another of yours…</option>
            {others.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
        {editable && <NewExternal desk={desk} />}
      </div>
    </Section>
  );
}

interface ExternalRowProps {
  readonly desk: ExternalDesk;
  readonly worker: ExternalWorker;
}

function ExternalRow({ desk, worker }: ExternalRowProps) {
  const [open, setOpen] = useState(false);
  const fresh = useStore(desk.fresh);
  const names = useStore(desk.names);
  const editor = useEditor();
  const role = useStore(editor.document.role);
  const self = editor.user.id;
  const giver =
    worker.given_by &&
    (worker.given_by === self ? "you" : (names[worker.given_by] ?? "somebody who has left"));
  // Only to whoever may change it the server tells which canvases have it.
  const mine = worker.canvases !== null;
  const withdraws = role === "owner" || worker.given_by === self;
  const count = worker.types.length;
  return (
    <li className="pack" data-state={worker.state} data-testid={`external-${worker.name}`}>
      <div className="pack-head">
        <strong className="truncate">{worker.name}</strong>
        <WorkerBadge external state={worker.state} reason={worker.reason} />
        {mine && (
          <button
            type="button"
            className="icon-button small"
            aria-label={`Settings of ${worker.name}`}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <Settings2 size={13} />
          </button>
        )}
      </div>
      <p className="faint">
        {worker.pack ? `${worker.pack.title} ${worker.pack.version}, ` : ""}
        {count} {count === 1 ? "node" : "nodes"}
        {worker.busy > 0 ? `, ${worker.busy} at work` : ""}
      </p>
      {giver && (
        <p className="faint" data-testid="external-giver">
          Given to this canvas by {giver}
        </p>
      )}
      {worker.reason && <p className="faint">{worker.reason}</p>}
      {withdraws && !mine && (
        <div className="row-buttons">
          <TakeOffButton name={worker.name} onTakeOff={() => void desk.withdraw(worker)} />
        </div>
      )}
      {fresh?.id === worker.id && <FreshCommand command={fresh.command} onAway={() => desk.putAway()} />}
      {open && (
        <>
          {worker.config_schema ? (
            <ConfigurationForm worker={worker} onSave={(config) => desk.configure(worker, config)} />
          ) : (
            <p className="faint">It is configured here once it has connected.</p>
          )}
          <div className="row-buttons">
            <TakeOffButton name={worker.name} onTakeOff={() => void desk.withdraw(worker)} />
            <button type="button" className="button small" onClick={() => void desk.remake(worker)}>
              New token
            </button>
            <RemoveButton name={worker.name} onRemove={() => void desk.remove(worker)} />
          </div>
        </>
      )}
    </li>
  );
}

/** Its nodes stay on the canvas and fail, so it is asked once more. */
function TakeOffButton({ name, onTakeOff }: { readonly name: string; readonly onTakeOff: () => void }) {
  const [sure, setSure] = useState(false);
  return (
    <button
      type="button"
      className="button small"
      aria-label={
        sure ? `Take ${name} off this canvas, though its nodes will fail` : `Take ${name} off this canvas`
      }
      title="Its nodes stay, and fail until it is given again"
      data-testid="external-take-off"
      data-sure={sure}
      onBlur={() => setSure(false)}
      onClick={() => (sure ? onTakeOff() : setSure(true))}
    >
      {sure ? "Take it off? Its nodes will fail" : "Take off this canvas"}
    </button>
  );
}

function RemoveButton({ name, onRemove }: { readonly name: string; readonly onRemove: () => void }) {
  const [sure, setSure] = useState(false);
  return (
    <button
      type="button"
      className="button small danger"
      aria-label={sure ? `Remove ${name} for good` : `Remove ${name}`}
      data-sure={sure}
      onBlur={() => setSure(false)}
      onClick={() => (sure ? onRemove() : setSure(true))}
    >
      {sure ? "Remove for good?" : "Remove"}
    </button>
  );
}

function FreshCommand({ command, onAway }: { readonly command: string; readonly onAway: () => void }) {
  const [copied, setCopied] = useState(false);
  return (
    <div className="fresh-link" data-testid="external-command">
      <p>
        <strong>Copy it now.</strong> Run this where the worker is to be; its token is not shown again.
      </p>
      <code className="fresh-command">{command}</code>
      <div className="row-buttons">
        <button
          type="button"
          className="button small primary"
          onClick={() => void copyText(command).then(setCopied)}
        >
          <Copy size={12} /> {copied ? "Copied" : "Copy"}
        </button>
        <button type="button" className="button small" onClick={onAway}>
          <X size={12} /> Put away
        </button>
      </div>
    </div>
  );
}

function NewExternal({ desk }: { readonly desk: ExternalDesk }) {
  const [name, setName] = useState("");
  return (
    <form
      className="requirement install-pack"
      aria-label="Make an external worker"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== "") void desk.create(name.trim()).then((done) => done && setName(""));
      }}
    >
      <input
        className="field"
        aria-label="Name of an external worker"
        placeholder="name of a new one"
        autoComplete="off"
        maxLength={100}
        data-testid="external-name"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <button
        type="submit"
        className="icon-button small"
        aria-label="Make the worker"
        title="Make it"
        disabled={name.trim() === ""}
        data-testid="external-make"
      >
        <Plus size={14} />
      </button>
    </form>
  );
}

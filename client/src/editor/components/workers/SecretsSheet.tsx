/** Secrets by name: kept, replaced and removed here; no value is ever shown, not even to who wrote it. */
import { KeyRound, RefreshCw, X } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { useStore } from "../../../store";
import type { AccessDesk, Secret } from "../../../workers";
import { useEditor } from "../../hooks/useEditor";
import { Sheet } from "../Sheet";

interface SecretsSheetProps {
  readonly desk: AccessDesk;
  readonly onClose: () => void;
}

export function SecretsSheet({ desk, onClose }: SecretsSheetProps) {
  const access = useStore(desk.access);
  const failure = useStore(desk.failure);
  useEffect(() => void desk.load(), [desk]);
  return (
    <Sheet title="Secrets" onClose={onClose} testid="secrets">
      <p className="faint">
        Kept encrypted, and written only: nobody can read a value again. Code uses one by its name once the
        canvas was granted it, and never sees it.
      </p>
      {failure !== null && (
        <div className="notice error share-failure" role="alert" data-testid="secrets-failure">
          {failure}
        </div>
      )}
      <section className="share-part" aria-label="Secrets">
        {access?.secrets.length === 0 && <p className="faint">None yet.</p>}
        {access?.secrets.map((secret) => (
          <SecretRow key={secret.id} desk={desk} secret={secret} />
        ))}
      </section>
      <NewSecret desk={desk} />
    </Sheet>
  );
}

function SecretRow({ desk, secret }: { readonly desk: AccessDesk; readonly secret: Secret }) {
  const [value, setValue] = useState<string | null>(null);
  const [sure, setSure] = useState(false);
  const busy = useStore(desk.busy);
  return (
    <div className="grant-row" data-testid={`secret-${secret.name}`}>
      <KeyRound size={15} aria-hidden="true" />
      <span className="grant-words">
        <code className="truncate">{secret.name}</code>
        <span className="faint">
          {secret.canvas === null ? "Yours" : "Of this canvas"}, written{" "}
          {new Date(secret.updated_at * 1000).toLocaleDateString()}
        </span>
        {value !== null && (
          <form
            className="grant-form"
            onSubmit={(event) => {
              event.preventDefault();
              if (value !== "") void desk.replaceSecret(secret, value).then((done) => done && setValue(null));
            }}
          >
            <input
              className="field"
              type="password"
              autoComplete="new-password"
              aria-label={`New value of ${secret.name}`}
              ref={(input) => input?.focus()}
              value={value}
              onChange={(event) => setValue(event.target.value)}
            />
            <button type="submit" className="button primary" disabled={busy || value === ""}>
              Replace
            </button>
          </form>
        )}
      </span>
      <button
        type="button"
        className="icon-button small"
        aria-label={`Replace ${secret.name}`}
        aria-expanded={value !== null}
        title="Put another value"
        onClick={() => setValue(value === null ? "" : null)}
      >
        <RefreshCw size={13} />
      </button>
      <button
        type="button"
        className={sure ? "button small danger" : "icon-button small"}
        aria-label={sure ? `Remove ${secret.name} and its grants` : `Remove ${secret.name}`}
        title="Remove it, and its grants"
        data-sure={sure}
        onBlur={() => setSure(false)}
        onClick={() => (sure ? void desk.removeSecret(secret) : setSure(true))}
      >
        {sure ? "Remove?" : <X size={14} />}
      </button>
    </div>
  );
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

function NewSecret({ desk }: { readonly desk: AccessDesk }) {
  const editor = useEditor();
  const owner = useStore(editor.document.role) === "owner";
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [ofCanvas, setOfCanvas] = useState(false);
  const busy = useStore(desk.busy);
  const error = useId();
  const why = name === "" || NAME.test(name) ? null : "Letters, digits, “_” and “-”, beginning with a letter";
  const add = async () => {
    if (name === "" || why !== null || value === "") return;
    // The value is forgotten here at once, whatever the server says.
    const given = value;
    setValue("");
    if (await desk.addSecret(name, given, ofCanvas)) setName("");
  };
  return (
    <form
      className="share-part"
      aria-label="Keep a secret"
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <h3>Keep a secret</h3>
      <div className="grant-form">
        <input
          className="field mono"
          aria-label="Name of the secret"
          aria-invalid={why !== null}
          aria-describedby={why ? error : undefined}
          placeholder="NAME"
          autoComplete="off"
          spellCheck={false}
          data-testid="secret-name"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <input
          className="field"
          type="password"
          aria-label="Its value"
          placeholder="value"
          autoComplete="new-password"
          data-testid="secret-value"
          value={value}
          onChange={(event) => setValue(event.target.value)}
        />
        <button
          type="submit"
          className="button primary"
          disabled={busy || name === "" || value === "" || why !== null}
          data-testid="secret-add"
        >
          Keep
        </button>
      </div>
      {why && (
        <p className="field-error" id={error}>
          {why}
        </p>
      )}
      {owner && (
        <label className="switch secret-of-canvas">
          <input type="checkbox" checked={ofCanvas} onChange={(event) => setOfCanvas(event.target.checked)} />
          <span className="track" aria-hidden="true" />
          <span className="faint">
            {ofCanvas
              ? "Of this canvas: all its owners may replace and grant it"
              : "Yours: only you may replace and grant it"}
          </span>
        </label>
      )}
    </form>
  );
}

/** What this canvas was granted, by whom and when; and granting more, for those who may. */
import { Globe, KeyRound, X } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { useStore } from "../../../store";
import type { Access, AccessDesk, Grant } from "../../../workers";
import { hostMeaning, whyNotHost } from "../../../workers";
import { useEditor } from "../../hooks/useEditor";
import { Sheet } from "../Sheet";

interface GrantsSheetProps {
  readonly desk: AccessDesk;
  readonly onClose: () => void;
}

export function GrantsSheet({ desk, onClose }: GrantsSheetProps) {
  const access = useStore(desk.access);
  const failure = useStore(desk.failure);
  const editor = useEditor();
  useEffect(() => void desk.load(), [desk]);
  return (
    <Sheet title="What the code of this canvas may reach" onClose={onClose} testid="grants">
      <p className="faint">
        Code runs without a network. A grant opens one host to <strong>all code on this canvas</strong>,
        whoever wrote it and whoever runs it; it counts at once, and is not part of the drawing: a copy of the
        canvas has none.
      </p>
      {failure !== null && (
        <div className="notice error share-failure" role="alert" data-testid="grants-failure">
          {failure}
        </div>
      )}
      {access !== null && (
        <>
          <section className="share-part" aria-label="Grants">
            {access.grants.length === 0 && <p className="faint">Nothing is granted.</p>}
            {access.grants.map((grant) => (
              <GrantRow
                key={grant.id}
                grant={grant}
                by={byWhom(grant, access, editor.user.id)}
                onRevoke={access.mayGrant ? () => void desk.revoke(grant) : undefined}
              />
            ))}
          </section>
          {access.mayGrant ? (
            <>
              <GrantHost desk={desk} />
              <GrantSecret desk={desk} access={access} />
            </>
          ) : (
            <p className="notice" data-testid="may-not-grant">
              An administrator of this server grants; so do owners of the canvas where the operator lets them.
            </p>
          )}
        </>
      )}
    </Sheet>
  );
}

/** Who granted: oneself, somebody on the canvas, or else somebody who looks after the server. */
function byWhom({ by }: Grant, { names }: Access, self: string): string {
  if (by === null) return "somebody who has left";
  return by === self ? "you" : (names[by] ?? "an administrator");
}

interface GrantRowProps {
  readonly grant: Grant;
  readonly by: string;
  readonly onRevoke: (() => void) | undefined;
}

function GrantRow({ grant, by, onRevoke }: GrantRowProps) {
  const { secret, hosts } = grant;
  const title = secret ?? hosts.join(", ");
  return (
    <div className="grant-row" data-testid={`grant-${title}`}>
      {secret === null ? <Globe size={15} aria-hidden="true" /> : <KeyRound size={15} aria-hidden="true" />}
      <span className="grant-words">
        <code className="truncate">{title}</code>
        <span className="faint">
          {secret === null ? hostMeaning(title) : `Requests may carry it to ${hosts.join(", ")}.`}
        </span>
        <span className="faint">
          Granted by {by}, {new Date(grant.created_at * 1000).toLocaleDateString()}
        </span>
      </span>
      {onRevoke && (
        <button
          type="button"
          className="icon-button small"
          aria-label={`Take back ${title}`}
          title="Take it back"
          onClick={onRevoke}
        >
          <X size={14} />
        </button>
      )}
    </div>
  );
}

function GrantHost({ desk }: { readonly desk: AccessDesk }) {
  const [host, setHost] = useState("");
  const [tried, setTried] = useState(false);
  const busy = useStore(desk.busy);
  const note = useId();
  const why = host === "" && !tried ? null : whyNotHost(host);
  return (
    <form
      className="share-part"
      aria-label="Grant a host"
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (whyNotHost(host) === null)
          void desk.grantHost(host.trim()).then((done) => {
            if (!done) return;
            setHost("");
            setTried(false);
          });
      }}
    >
      <h3>Grant a host</h3>
      <div className="grant-form">
        <input
          className="field mono"
          aria-label="Host"
          aria-invalid={why !== null}
          aria-describedby={note}
          placeholder="api.example.org or *.example.org:443"
          autoComplete="off"
          spellCheck={false}
          data-testid="grant-host"
          value={host}
          onChange={(event) => setHost(event.target.value)}
        />
        <button type="submit" className="button primary" disabled={busy} data-testid="grant-host-submit">
          Grant
        </button>
      </div>
      <p id={note} className={why ? "field-error" : "faint"}>
        {why ??
          (host === ""
            ? "An address of this machine or its network is reached only where a grant names that very address."
            : hostMeaning(host))}
      </p>
    </form>
  );
}

function GrantSecret({ desk, access }: { readonly desk: AccessDesk; readonly access: Access }) {
  const [chosen, setChosen] = useState("");
  const [hosts, setHosts] = useState("");
  const busy = useStore(desk.busy);
  const list = hosts.split(/[\s,]+/).filter(Boolean);
  const wrong = list.map(whyNotHost).find((why) => why !== null) ?? null;
  const secret = access.secrets.find(({ id }) => id === chosen);
  if (access.secrets.length === 0) return null;
  return (
    <form
      className="share-part"
      aria-label="Grant a secret"
      onSubmit={(event) => {
        event.preventDefault();
        if (secret && list.length > 0 && wrong === null)
          void desk.grantSecret(secret, list).then((done) => {
            if (!done) return;
            setChosen("");
            setHosts("");
          });
      }}
    >
      <h3>Grant a secret</h3>
      <p className="faint">
        The code never sees its value: it writes <code>{"{{secret.NAME}}"}</code> in a header, and the server
        fills it in for requests to these hosts alone.
      </p>
      <div className="grant-form">
        <select
          className="field"
          aria-label="Secret"
          data-testid="grant-secret"
          value={chosen}
          onChange={(event) => setChosen(event.target.value)}
        >
          <option value="">Which secret…</option>
          {access.secrets.map(({ id, name, canvas }) => (
            <option key={id} value={id}>
              {name}
              {canvas === null ? " (yours)" : ""}
            </option>
          ))}
        </select>
        <input
          className="field mono"
          aria-label="Hosts it may go to"
          aria-invalid={wrong !== null}
          placeholder="api.example.org"
          spellCheck={false}
          data-testid="grant-secret-hosts"
          value={hosts}
          onChange={(event) => setHosts(event.target.value)}
        />
        <button
          type="submit"
          className="button primary"
          disabled={busy || !secret || list.length === 0 || wrong !== null}
          data-testid="grant-secret-submit"
        >
          Grant
        </button>
      </div>
      {wrong && <p className="field-error">{wrong}</p>}
    </form>
  );
}

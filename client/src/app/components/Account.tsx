/** One's own account: name, password, API keys. */
import { Copy, KeyRound, Trash2 } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { api, auth } from "../../api";
import { ToastList } from "../../editor/components/ToastList";
import { Toasts } from "../../editor/store/toasts";
import type { User } from "../../protocol";
import { copyText } from "../copy_text";
import { PageBar } from "./PageBar";

interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly created_at: number;
  readonly last_used_at: number | null;
}

const toasts = new Toasts();

export function Account({ user }: { user: User }) {
  return (
    <div className="page">
      <PageBar user={user} />
      <main className="page-body account">
        <div className="page-head">
          <h1>Account</h1>
        </div>
        <section className="card">
          <h2>{user.name || user.email}</h2>
          <p className="faint">
            {user.email} · {user.role}
          </p>
          <NameForm key={user.name} name={user.name} />
          <PasswordForm />
        </section>
        <ApiKeys />
      </main>
      <ToastList toasts={toasts} />
    </div>
  );
}

/** What others see one by: at their cursors, in comments, in lists. */
function NameForm({ name }: { name: string }) {
  const [typed, setTyped] = useState(name);
  const [busy, setBusy] = useState(false);
  const rename = async () => {
    setBusy(true);
    try {
      const user = await auth.rename(typed.trim());
      toasts.show({ tone: "done", title: `Others see you as ${user.name}` });
    } catch (error) {
      toasts.error("Could not change the name", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="inline-form"
      aria-label="Name"
      onSubmit={(event) => {
        event.preventDefault();
        void rename();
      }}
    >
      <input
        className="field"
        autoComplete="name"
        placeholder="Your name"
        aria-label="Your name, as others see it"
        maxLength={200}
        required
        data-testid="account-name"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <button
        type="submit"
        className="button"
        data-testid="account-rename"
        disabled={busy || typed.trim() === "" || typed.trim() === name}
      >
        Rename
      </button>
    </form>
  );
}

function PasswordForm() {
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const change = async () => {
    try {
      await api.put("/v1/auth/password", { password, ...(current ? { current } : {}) });
      setCurrent("");
      setPassword("");
      toasts.show({ tone: "done", title: "The password is changed" });
    } catch (error) {
      toasts.error("Could not change the password", error);
    }
  };
  return (
    <form
      className="inline-form"
      onSubmit={(event) => {
        event.preventDefault();
        void change();
      }}
    >
      <input
        className="field"
        type="password"
        autoComplete="current-password"
        placeholder="Present password, if any"
        aria-label="Present password, if any"
        value={current}
        onChange={(event) => setCurrent(event.target.value)}
      />
      <input
        className="field"
        type="password"
        autoComplete="new-password"
        placeholder="New password, 8 characters or more"
        minLength={8}
        aria-label="New password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <button type="submit" className="button" disabled={password === ""}>
        Change
      </button>
    </form>
  );
}

function ApiKeys() {
  const [keys, setKeys] = useState<readonly ApiKey[]>([]);
  const [name, setName] = useState("");
  const [fresh, setFresh] = useState<string | null>(null);
  const load = useCallback(async () => {
    try {
      setKeys((await api.get<{ items: ApiKey[] }>("/v1/api-keys")).items);
    } catch (error) {
      toasts.error("Could not list the keys", error);
    }
  }, []);
  useEffect(() => {
    void load();
  }, [load]);
  const act = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      toasts.error(what, error);
    }
    await load();
  };
  return (
    <section className="card" data-testid="api-keys">
      <h2>API keys</h2>
      <p className="faint">For scripts and notebooks. A key may do what you may; it is shown once.</p>
      {keys.map((key) => (
        <div className="card-row" key={key.id}>
          <KeyRound size={14} className="faint" />
          <span className="grow truncate">
            {key.name || "Unnamed"} <code className="faint">{key.prefix}…</code>
          </span>
          <span className="faint">
            {key.last_used_at
              ? `used ${new Date(key.last_used_at * 1000).toLocaleDateString()}`
              : "never used"}
          </span>
          <button
            type="button"
            className="icon-button small"
            aria-label={`Revoke ${key.name || key.prefix}`}
            title="Revoke"
            onClick={() => void act("Could not revoke the key", () => api.delete(`/v1/api-keys/${key.id}`))}
          >
            <Trash2 size={13} />
          </button>
        </div>
      ))}
      {fresh !== null && (
        <div className="secret" data-testid="new-api-key">
          <code>{fresh}</code>
          <button type="button" className="button" onClick={() => void copyText(fresh)}>
            <Copy size={13} /> Copy
          </button>
        </div>
      )}
      <form
        className="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          void act("Could not make a key", async () => {
            setFresh((await api.post<{ key: string }>("/v1/api-keys", { name })).key);
            setName("");
          });
        }}
      >
        <input
          className="field"
          placeholder="What is it for?"
          aria-label="What the key is for"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <button type="submit" className="button">
          Make a key
        </button>
      </form>
    </section>
  );
}

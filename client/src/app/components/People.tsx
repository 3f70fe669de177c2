/** For administrators: who has an account here. */
import { Copy, Link2, UserCheck, UserX } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { api } from "../../api";
import { ToastList } from "../../editor/components/ToastList";
import { Toasts } from "../../editor/store/toasts";
import type { User } from "../../protocol";
import { copyText } from "../copy_text";
import { PageBar } from "./PageBar";

interface Person extends User {
  readonly role: "admin" | "member";
  readonly disabled: boolean;
}

/** A one-time link that was just made; the server shows it this once. */
interface FreshLink {
  readonly email: string;
  readonly link: string;
}

const toasts = new Toasts();

export function People({ user }: { user: User }) {
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [fresh, setFresh] = useState<FreshLink | null>(null);
  const load = useCallback(async () => {
    try {
      setPeople((await api.get<{ items: Person[] }>("/v1/users")).items);
    } catch (error) {
      toasts.error("Could not list the people", error);
    }
  }, []);
  useEffect(() => {
    void load();
  }, [load]);
  const act = async (what: string, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      await load();
      return true;
    } catch (error) {
      toasts.error(what, error);
      return false;
    }
  };
  const change = (person: Person, to: Partial<Pick<Person, "role" | "disabled">>) =>
    act("Could not change the account", async () => {
      await api.patch(`/v1/users/${person.id}`, to);
    });
  const makeLink = (person: Person) =>
    act("Could not make a link", async () => {
      const { link } = await api.post<{ link: string }>(`/v1/users/${person.id}/link`);
      setFresh({ email: person.email, link });
    });
  return (
    <div className="page">
      <PageBar user={user} />
      <main className="page-body account">
        <div className="page-head">
          <h1>People</h1>
        </div>
        <section className="card">
          <h2>Add somebody</h2>
          <p className="faint">Without a password they get a one-time link, good for a day, to sign in by.</p>
          <AddPerson
            add={(email, name, password) =>
              act("Could not add the account", async () => {
                const body = { email, ...(name ? { name } : {}), ...(password ? { password } : {}) };
                const made = await api.post<Person & { link: string | null }>("/v1/users", body);
                setFresh(made.link ? { email, link: made.link } : null);
                if (!made.link) toasts.show({ tone: "done", title: `${email} can sign in now` });
              })
            }
          />
          {fresh && <LinkToSend fresh={fresh} />}
        </section>
        <section className="card" data-testid="people">
          <h2>Accounts</h2>
          {people.map((person) => (
            <PersonRow
              key={person.id}
              person={person}
              self={person.id === user.id}
              onChange={(to) => void change(person, to)}
              onLink={() => void makeLink(person)}
            />
          ))}
        </section>
      </main>
      <ToastList toasts={toasts} />
    </div>
  );
}

function AddPerson({ add }: { add: (email: string, name: string, password: string) => Promise<boolean> }) {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const submit = async () => {
    if (!(await add(email.trim(), name.trim(), password))) return;
    setEmail("");
    setName("");
    setPassword("");
  };
  return (
    <form
      className="inline-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <input
        className="field"
        type="email"
        required
        autoComplete="off"
        placeholder="Email"
        aria-label="Email of the new account"
        data-testid="person-email"
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <input
        className="field"
        autoComplete="off"
        placeholder="Name"
        aria-label="Name of the new account"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <input
        className="field"
        type="password"
        autoComplete="new-password"
        minLength={8}
        placeholder="Password, or none"
        aria-label="Password of the new account, or none"
        data-testid="person-password"
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <button type="submit" className="button primary" data-testid="person-add">
        Add
      </button>
    </form>
  );
}

function LinkToSend({ fresh }: { fresh: FreshLink }) {
  const copy = async () => {
    const copied = await copyText(fresh.link);
    toasts.show(
      copied
        ? { tone: "done", title: "The link is copied" }
        : { tone: "info", title: "Select the link and copy it by hand" },
    );
  };
  return (
    <>
      <p className="faint">Send this link to {fresh.email}. It is shown once and signs in once.</p>
      <div className="secret" data-testid="person-link">
        <code>{fresh.link}</code>
        <button type="button" className="button" onClick={() => void copy()}>
          <Copy size={13} /> Copy
        </button>
      </div>
    </>
  );
}

interface PersonRowProps {
  readonly person: Person;
  readonly self: boolean;
  readonly onChange: (to: Partial<Pick<Person, "role" | "disabled">>) => void;
  readonly onLink: () => void;
}

function PersonRow({ person, self, onChange, onLink }: PersonRowProps) {
  const { email, name, role, disabled } = person;
  const toggle = disabled ? `Let ${email} in again` : `Disable ${email}`;
  return (
    <div className="card-row" data-testid={`person-${email}`} data-disabled={disabled}>
      <span className="grow truncate">
        {name || email} {name && <span className="faint">{email}</span>}
        {self && <span className="faint"> · you</span>}
        {disabled && <span className="faint"> · disabled</span>}
      </span>
      <select
        className="field role-select"
        aria-label={`Role of ${email}`}
        value={role}
        disabled={self}
        onChange={(event) => onChange({ role: event.target.value as Person["role"] })}
      >
        <option value="member">member</option>
        <option value="admin">administrator</option>
      </select>
      <button
        type="button"
        className="icon-button small"
        aria-label={`Make a sign-in link for ${email}`}
        title="Make a one-time sign-in link"
        disabled={disabled}
        onClick={onLink}
      >
        <Link2 size={14} />
      </button>
      <button
        type="button"
        className="icon-button small"
        aria-label={toggle}
        title={disabled ? "Let in again" : "Disable: signs out everywhere"}
        disabled={self}
        onClick={() => onChange({ disabled: !disabled })}
      >
        {disabled ? <UserCheck size={14} /> : <UserX size={14} />}
      </button>
    </div>
  );
}

/** Coming by an invitation or a share link: signed in, to sign in first, or with an account to make. */
import { ArrowRight } from "lucide-react";
import { useEffect, useState } from "react";
import { api, auth, ServerError } from "../../api";
import type { User } from "../../protocol";
import type { Accepted, InvitationFacts } from "../../protocol/generated";
import { ROLES } from "../../sharing";
import { go } from "../router";
import { signOut } from "../sign_out";
import { Link } from "./Link";
import { Frame, SignInForm, useSubmit, words } from "./SignIn";

interface JoinProps {
  readonly token: string;
  /** Who is signed in, if anybody is. */
  readonly user: User | null;
}

export function Join({ token, user }: JoinProps) {
  const [facts, setFacts] = useState<InvitationFacts | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    api
      .post<InvitationFacts>("/v1/invitations/look", { token })
      .then(setFacts, (error: unknown) => setFailure(words(error)));
  }, [token]);
  return (
    <Frame testid="join">
      {facts ? (
        <Arrival facts={facts} token={token} user={user} onFailure={setFailure} failure={failure} />
      ) : failure === null ? (
        <form aria-busy="true" />
      ) : (
        <Refused failure={failure} user={user} />
      )}
    </Frame>
  );
}

interface ArrivalProps extends JoinProps {
  readonly facts: InvitationFacts;
  readonly failure: string | null;
  readonly onFailure: (failure: string) => void;
}

function Arrival({ facts, token, user, failure, onFailure }: ArrivalProps) {
  const accept = async () => {
    const { canvas } = await api.post<Accepted>("/v1/invitations/accept", { token });
    go(`/canvas/${canvas}`, true);
  };
  if (user !== null && facts.email !== null && facts.email !== user.email.toLowerCase()) {
    return <ForAnother email={facts.email} token={token} user={user} />;
  }
  if (user !== null) return <Accept facts={facts} user={user} accept={accept} failure={failure} />;
  if (facts.account_needed) return <NewPerson facts={facts} token={token} />;
  return (
    <SignInForm
      title="Sign in to join"
      submit="Sign in and join"
      hint={
        facts.email === null
          ? "No account yet? This link needs one: ask for an invitation to your own address."
          : "The invitation is for this address."
      }
      address={facts.email}
      // The page is another as soon as one is signed in: what goes wrong then is told there.
      then={() => accept().catch((error: unknown) => onFailure(words(error)))}
    >
      <Facts facts={facts} />
    </SignInForm>
  );
}

/** Asks once, so that a program that looks at links joins nothing. */
function Accept({
  facts,
  user,
  accept,
  failure: before,
}: {
  facts: InvitationFacts;
  user: User;
  accept: () => Promise<void>;
  failure: string | null;
}) {
  const { busy, failure, submit } = useSubmit(accept);
  const told = failure ?? before;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>You are invited</h1>
      <Facts facts={facts} />
      {told !== null && <Failure>{told}</Failure>}
      <button type="submit" className="button primary large" disabled={busy} data-testid="join-accept">
        {busy ? "Joining…" : "Open the canvas"} <ArrowRight size={15} />
      </button>
      <p className="faint">You are signed in as {user.email}.</p>
    </form>
  );
}

function NewPerson({ facts, token }: { facts: InvitationFacts; token: string }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { busy, failure, submit } = useSubmit(async () => {
    try {
      go(`/canvas/${await auth.join(token, name.trim(), password)}`, true);
    } catch (error) {
      // Somebody made the account meanwhile: the page then asks to sign in.
      if (error instanceof ServerError && error.code === "email_taken") location.reload();
      throw error;
    }
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>Welcome</h1>
      <Facts facts={facts} />
      <label>
        Email
        <input
          className="field"
          type="email"
          autoComplete="username"
          readOnly
          data-testid="join-email"
          value={facts.email ?? ""}
        />
      </label>
      <label>
        Your name
        <input
          className="field"
          autoComplete="name"
          required
          maxLength={200}
          data-testid="join-name"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <label>
        A password, at least 8 characters
        <input
          className="field"
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          data-testid="join-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </label>
      {failure !== null && <Failure>{failure}</Failure>}
      <button type="submit" className="button primary large" disabled={busy} data-testid="join-submit">
        {busy ? "Making your account…" : "Make my account and join"} <ArrowRight size={15} />
      </button>
    </form>
  );
}

function ForAnother({ email, token, user }: { email: string; token: string; user: User }) {
  const { busy, failure, submit } = useSubmit(() => signOut(user, `/#/join/${token}`));
  return (
    <form
      data-testid="join-other"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>For somebody else</h1>
      <div className="notice warning" role="alert">
        <span>
          This invitation is for <strong>{email}</strong>, and you are signed in as{" "}
          <strong>{user.email}</strong>.
        </span>
      </div>
      {failure !== null && <Failure>{failure}</Failure>}
      <div className="join-actions">
        <button type="submit" className="button primary large" disabled={busy} data-testid="join-sign-out">
          Sign out and go on
        </button>
        <Link to="/" className="button large">
          Go to your canvases
        </Link>
      </div>
    </form>
  );
}

function Facts({ facts }: { facts: InvitationFacts }) {
  return (
    <div className="join-facts" data-testid="join-facts">
      <span className="faint">{facts.by} invites you to</span>
      <strong>{facts.canvas}</strong>
      <span>
        As {facts.role}: you {ROLES.find(([role]) => role === facts.role)?.[1]}
      </span>
    </div>
  );
}

function Refused({ failure, user }: { failure: string; user: User | null }) {
  return (
    <form data-testid="join-refused">
      <h1>This does not lead in</h1>
      <Failure>{failure}</Failure>
      <Link to="/" className="button large">
        {user === null ? "Sign in" : "Go to your canvases"}
      </Link>
    </form>
  );
}

function Failure({ children }: { children: React.ReactNode }) {
  return (
    <div className="notice error" role="alert" data-testid="join-error">
      {children}
    </div>
  );
}

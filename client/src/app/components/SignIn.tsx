/** Signing in by email and password, or by a one-time link. */
import { ArrowRight } from "lucide-react";
import { useEffect, useState } from "react";
import { auth, ServerError } from "../../api";
import { go } from "../router";
import { BrandMark } from "./Brand";
import { SigilArt } from "./SigilArt";
import { ThemeButton } from "./ThemeButton";

export function words(error: unknown): string {
  if (error instanceof ServerError && error.code === "rate_limited") {
    const seconds = Number(error.details.retry_after);
    return `Too many attempts. Try again ${Number.isFinite(seconds) ? `in ${Math.ceil(seconds)} s` : "in a while"}.`;
  }
  return error instanceof Error ? error.message : String(error);
}

export function useSubmit(act: () => Promise<unknown>) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const submit = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await act();
    } catch (error) {
      setFailure(words(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, failure, submit };
}

export function SignIn() {
  return (
    <Frame>
      <SignInForm
        title="Sign in"
        submit="Sign in"
        hint="No account yet? An administrator can make one and send you a one-time link."
      >
        <p className="faint">Draw a spell together, run it on your own server, watch every node live.</p>
      </SignInForm>
    </Frame>
  );
}

interface SignInFormProps {
  readonly title: string;
  readonly submit: string;
  readonly hint: string;
  /** The address to sign in with, where only one will do. */
  readonly address?: string | null;
  /** What follows once signed in; a failure is told here. */
  readonly then?: () => Promise<void>;
  readonly children: React.ReactNode;
}

/** Email and password. */
export function SignInForm({ title, submit: words, hint, address = null, then, children }: SignInFormProps) {
  const [email, setEmail] = useState(address ?? "");
  const [password, setPassword] = useState("");
  const { busy, failure, submit } = useSubmit(async () => {
    await auth.login(email.trim(), password);
    await then?.();
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>{title}</h1>
      {children}
      <label>
        Email
        <input
          className="field"
          type="email"
          name="email"
          autoComplete="username"
          required
          readOnly={address !== null}
          data-testid="email"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
      </label>
      <label>
        Password
        <input
          className="field"
          type="password"
          name="password"
          autoComplete="current-password"
          required
          data-testid="password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </label>
      {failure !== null && (
        <div className="notice error" role="alert" data-testid="sign-in-error">
          {failure}
        </div>
      )}
      <button type="submit" className="button primary large" disabled={busy} data-testid="submit">
        {busy ? "Signing in…" : words} <ArrowRight size={15} />
      </button>
      <p className="faint">{hint}</p>
    </form>
  );
}

/** Asks once before using the link up, so that a program that looks at links does not spend it. */
export function SignInByLink({ token }: { token: string }) {
  const { busy, failure, submit } = useSubmit(async () => {
    await auth.link(token);
    go("/", true);
  });
  const [cleared, setCleared] = useState(false);
  useEffect(() => setCleared(failure !== null), [failure]);
  return (
    <Frame>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (cleared) go("/", true);
          else void submit();
        }}
      >
        <h1>Welcome</h1>
        <p className="faint">This link signs you in once. After that, set a password under your account.</p>
        {failure !== null && (
          <div className="notice error" role="alert">
            {failure} Ask for a new link, or sign in with your password.
          </div>
        )}
        <button type="submit" className="button primary large" disabled={busy} data-testid="submit">
          {cleared ? "Sign in with a password" : busy ? "Signing in…" : "Sign in by this link"}{" "}
          <ArrowRight size={15} />
        </button>
      </form>
    </Frame>
  );
}

/** The page of those who are not in yet. */
export function Frame({ testid = "sign-in", children }: { testid?: string; children: React.ReactNode }) {
  return (
    <main className="sign-in" data-testid={testid}>
      <div className="sign-in-form">
        <div className="page-head">
          <span className="brand">
            <BrandMark /> Spellwork
          </span>
          <span className="spacer" />
          <ThemeButton />
        </div>
        {children}
      </div>
      <div className="sign-in-art">
        <SigilArt />
      </div>
    </main>
  );
}

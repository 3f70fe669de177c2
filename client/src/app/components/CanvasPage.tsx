/** Opens a canvas: connects, loads the document, and shows the editor, which then stays through lost connections. */
import { useEffect, useState } from "react";
import { api, auth } from "../../api";
import { EditorPage } from "../../editor/Editor";
import { NodeLibrary } from "../../editor/store/library";
import { nextStep } from "../../editor/store/toasts";
import { sentence } from "../../editor/store/why";
import { openWorkbench, type Workbench } from "../../engine";
import { pageBrowser } from "../../offline";
import type { NodeType, User } from "../../protocol";
import { Session } from "../../session";
import { useStore } from "../../store";
import { fetchToRemember, recall, remembered } from "../remembered";
import { BrandMark } from "./Brand";
import { Link } from "./Link";

interface Shared {
  readonly user: string;
  readonly session: Session;
  readonly library: NodeLibrary;
}

/** One connection and one library for the person and the page, made when the first canvas is opened. */
let shared: Shared | null = null;

function connection(user: User): Shared {
  if (shared && shared.user !== user.id) leave(shared);
  shared ??= connect(user);
  shared.session.connect();
  return shared;
}

function connect(user: User): Shared {
  let last: string | null = null;
  const session = new Session({
    token: async () => {
      last = await auth.token();
      return last;
    },
    rejectToken: () => {
      if (last !== null) auth.reject(last);
    },
  });
  const list = async (canvas: string | null) => {
    const { items, older } = await api.get<{ items: NodeType[]; older: NodeType[] }>("/v1/nodes", {
      query: { canvas },
    });
    return [...items, ...older];
  };
  const name = remembered.library(user);
  const library = new NodeLibrary(
    (canvas) => fetchToRemember(name, () => list(canvas)),
    () => recall(name),
  );
  const made = { user: user.id, session, library };
  // At once, before the token of another person is used: nobody sends another's edits.
  const end = auth.user.subscribe(() => {
    const now = auth.user.get();
    if (now === undefined || now?.id === user.id) return;
    end();
    leave(made);
  });
  return made;
}

function leave(old: Shared): void {
  old.session.close();
  if (shared === old) shared = null;
}

interface CanvasPageProps {
  readonly id: string;
  readonly user: User;
}

export default function CanvasPage({ id, user }: CanvasPageProps) {
  const [workbench, setWorkbench] = useState<Workbench | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same person told again opens nothing anew
  useEffect(() => {
    const self = { id: user.id, name: user.name || user.email };
    const { session, library } = connection(user);
    const opened = openWorkbench({ session, canvas: id, user: self, browser: pageBrowser() });
    setWorkbench(opened);
    const leaveLibrary = library.follow(session, id);
    return () => {
      leaveLibrary();
      setWorkbench(null);
      opened.close();
    };
  }, [id, user.id]);
  return workbench ? (
    <Opened workbench={workbench} user={user} />
  ) : (
    <div className="loading" aria-busy="true" />
  );
}

function Opened({ workbench, user }: { workbench: Workbench; user: User }) {
  const loading = useStore(workbench.document.loading);
  const name = useStore(workbench.document.spell, (spell) => spell.name);
  const { session, library } = connection(user);
  useEffect(() => {
    document.title = loading.state === "open" ? `${name} · Spellwork` : "Spellwork";
    return () => {
      document.title = "Spellwork";
    };
  }, [name, loading.state]);
  if (loading.state === "open") {
    return <EditorPage workbench={workbench} library={library} connection={session} user={user} />;
  }
  if (loading.state === "loading") return <Opening session={session} />;
  return (
    <div className="loading" data-testid="canvas-failed">
      <span className="loading-mark">
        <BrandMark size={40} />
      </span>
      <div role="alert">
        <h1>This canvas cannot be opened</h1>
        <p>
          {sentence(loading.error.message)} {nextStep(loading.error.code)}
        </p>
      </div>
      <Link to="/" className="button primary">
        Go to your canvases
      </Link>
    </div>
  );
}

function Opening({ session }: { session: Session }) {
  const status = useStore(session.status);
  const words =
    status.state === "offline"
      ? `${status.reason} Trying again…`
      : status.state === "refused"
        ? status.error.message
        : "Opening the canvas…";
  return (
    <div className="loading" aria-busy="true">
      <p>{words}</p>
      <Link to="/" className="button quiet">
        Back to your canvases
      </Link>
    </div>
  );
}

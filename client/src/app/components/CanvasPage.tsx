/** Opens a canvas: connects, loads the document, and shows the editor, which then stays through lost connections. */
import { useEffect, useState } from "react";
import { api, auth } from "../../api";
import { EditorPage } from "../../editor/Editor";
import { NodeLibrary } from "../../editor/store/library";
import { nextStep } from "../../editor/store/toasts";
import { openWorkbench, type Workbench } from "../../engine";
import type { NodeType, User } from "../../protocol";
import { Session } from "../../session";
import { useStore } from "../../store";
import { Link } from "./Link";

/** One connection and one library for the page, made when the first canvas is opened. */
let shared: { session: Session; library: NodeLibrary } | null = null;

function connection(): { session: Session; library: NodeLibrary } {
  if (!shared) {
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
    const library = new NodeLibrary(async () => (await api.get<{ items: NodeType[] }>("/v1/nodes")).items);
    shared = { session, library };
    auth.user.subscribe(() => {
      if (auth.user.get() !== null) return;
      session.close();
      shared = null;
    });
  }
  shared.session.connect();
  if (shared.library.state.get().status !== "ready") void shared.library.refresh();
  return shared;
}

interface CanvasPageProps {
  readonly id: string;
  readonly user: User;
}

export default function CanvasPage({ id, user }: CanvasPageProps) {
  const [workbench, setWorkbench] = useState<Workbench | null>(null);
  useEffect(() => {
    const self = { id: user.id, name: user.name || user.email };
    const opened = openWorkbench({ session: connection().session, canvas: id, user: self });
    setWorkbench(opened);
    return () => {
      setWorkbench(null);
      opened.close();
    };
  }, [id, user]);
  return workbench ? (
    <Opened workbench={workbench} user={user} />
  ) : (
    <div className="loading" aria-busy="true" />
  );
}

function Opened({ workbench, user }: { workbench: Workbench; user: User }) {
  const loading = useStore(workbench.document.loading);
  const name = useStore(workbench.document.spell, (spell) => spell.name);
  const { session, library } = connection();
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
      <div className="notice error" role="alert">
        <span>
          This canvas cannot be opened: {loading.error.message} {nextStep(loading.error.code)}
        </span>
      </div>
      <Link to="/" className="button">
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

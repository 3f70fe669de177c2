/** The canvases one may see; with none, samples to start from. */
import { Plus, Trash2 } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { api } from "../../api";
import { ToastList } from "../../editor/components/ToastList";
import { Toasts } from "../../editor/store/toasts";
import type { Canvas, SpellJson, User } from "../../protocol";
import { type SeenCanvases, seeCanvases } from "../remembered";
import { go } from "../router";
import { KeptCopies } from "./KeptCopies";
import { Link } from "./Link";
import { PageBar } from "./PageBar";
import { SampleCards } from "./SampleCards";
import { SigilArt, seedOf } from "./SigilArt";

const toasts = new Toasts();

function ago(seconds: number): string {
  const format = new Intl.RelativeTimeFormat([], { numeric: "auto" });
  const past = seconds - Date.now() / 1000;
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ];
  for (const [unit, length] of units) {
    if (Math.abs(past) >= length) return format.format(Math.round(past / length), unit);
  }
  return "just now";
}

export function CanvasList({ user }: { user: User }) {
  const [seen, setSeen] = useState<SeenCanvases | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const canvases = seen?.items ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same person told again has the same canvases
  const load = useCallback(async () => {
    try {
      const list = async () => (await api.get<{ items: Canvas[] }>("/v1/canvases")).items;
      setSeen(await seeCanvases(user, list));
      setFailure(null);
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
  }, [user.id]);
  useEffect(() => {
    void load();
    const again = () => void load();
    window.addEventListener("online", again);
    return () => window.removeEventListener("online", again);
  }, [load]);

  const create = async (spell?: SpellJson) => {
    try {
      const made = await api.post<Canvas>(
        "/v1/canvases",
        spell ? { name: spell.name, spell } : { name: "Untitled" },
      );
      go(`/canvas/${made.id}`);
    } catch (error) {
      toasts.error("Could not make a canvas", error);
    }
  };

  const remove = async (canvas: Canvas) => {
    if (!window.confirm(`Delete “${canvas.name}” and its runs for good?`)) return;
    try {
      await api.delete(`/v1/canvases/${canvas.id}`);
    } catch (error) {
      toasts.error(`Could not delete “${canvas.name}”`, error);
    }
    await load();
  };

  return (
    <div className="page">
      <PageBar user={user} />
      <main className="page-body">
        <div className="page-head">
          <h1>Canvases</h1>
          <button
            type="button"
            className="button primary"
            data-testid="new-canvas"
            onClick={() => void create()}
          >
            <Plus size={15} /> New canvas
          </button>
        </div>
        {failure !== null && (
          <div className="notice error" role="alert">
            <span>
              The list could not be loaded: {failure}{" "}
              <button type="button" className="link-button" onClick={() => void load()}>
                Try again
              </button>
            </span>
          </div>
        )}
        {seen?.failure != null && (
          <div className="notice" role="status" data-testid="offline-list">
            <span>
              The server cannot be reached. These are your canvases as they were last seen; those that this
              browser keeps can be opened and edited.{" "}
              <button type="button" className="link-button" onClick={() => void load()}>
                Try again
              </button>
            </span>
          </div>
        )}
        <KeptCopies user={user} />
        {canvases !== null && canvases.length > 0 && (
          <ul className="canvas-grid" data-testid="canvas-list">
            {canvases.map((canvas) => (
              <CanvasCard
                key={canvas.id}
                canvas={canvas}
                away={seen?.failure != null && !seen.openable.has(canvas.id)}
                offline={seen?.failure != null}
                onRemove={() => void remove(canvas)}
              />
            ))}
          </ul>
        )}
        {canvases?.length === 0 && (
          <div className="empty-start" data-testid="empty-start">
            <h2>Nothing here yet</h2>
            <p>
              A spell is a graph of nodes that you draw together and run on your own server. Start from one of
              these, or from nothing.
            </p>
            <SampleCards onChoose={(sample) => void create(sample.spell)} />
          </div>
        )}
      </main>
      <ToastList toasts={toasts} />
    </div>
  );
}

interface CanvasCardProps {
  readonly canvas: Canvas;
  /** It cannot be opened now: the server is away, and this browser does not have it. */
  readonly away: boolean;
  readonly offline: boolean;
  readonly onRemove: () => void;
}

function CanvasCard({ canvas, away, offline, onRemove }: CanvasCardProps) {
  return (
    <li className="canvas-card" data-away={away} data-testid={`canvas-card-${canvas.id}`}>
      <div className="canvas-card-art">
        <SigilArt seed={seedOf(canvas.id)} columns={3} />
      </div>
      <div className="canvas-card-text">
        <Link to={`/canvas/${canvas.id}`}>{canvas.name}</Link>
        <span className="faint">
          {canvas.updated_at ? `Edited ${ago(canvas.updated_at)}` : ""}
          {canvas.role && canvas.role !== "owner" ? ` · ${canvas.role}` : ""}
          {away ? " · not in this browser" : ""}
        </span>
      </div>
      {canvas.role === "owner" && !offline && (
        <button
          type="button"
          className="icon-button small"
          aria-label={`Delete ${canvas.name}`}
          title="Delete"
          onClick={onRemove}
        >
          <Trash2 size={14} />
        </button>
      )}
    </li>
  );
}

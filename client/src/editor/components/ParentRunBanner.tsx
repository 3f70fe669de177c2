/**
 * A canvas that was opened through a node shows how its nodes stood in the last run of the canvas that uses it, until
 * it is run by itself or that is put away.
 */
import { CornerLeftUp } from "lucide-react";
import { useContext, useEffect, useMemo, useState } from "react";
import { usePlace } from "../../app/router";
import { goesOn, insideOfParent, type ParentRun, parentRun } from "../../engine/parent_run";
import type { Iteration } from "../../engine/types";
import { useStore } from "../../store";
import { ConnectionContext } from "../hooks/useConnection";
import { useEditor } from "../hooks/useEditor";
import { canvases } from "../store/canvases";
import { wayIn } from "../store/ways";

/** Milliseconds between two looks at whether the canvas that uses this one has run again. */
const LOOK_MS = 4_000;

export function ParentRunBanner() {
  const place = usePlace();
  const editor = useEditor();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another place is another address
  const way = useMemo(() => wayIn(location.search), [place]);
  const shown = useShown(way);
  const known = useStore(canvases);
  const own = useStore(editor.workbench.runs.current, (run) => run?.createdAt ?? 0);
  const [away, setAway] = useState<string | null>(null);
  const isNews = shown !== null && shown.of.run.created_at > own && shown.of.run.id !== away;
  const nodes = isNews ? shown.iteration.nodes : null;
  useEffect(() => {
    if (nodes === null) return;
    editor.overlay.set({ ...editor.overlay.get(), ...nodes });
    return () => {
      const rest = Object.entries(editor.overlay.get()).filter(([id]) => !(id in nodes));
      editor.overlay.set(Object.fromEntries(rest));
    };
  }, [editor, nodes]);
  if (!isNews) return null;
  return (
    <div className="past-banner parent-run" role="status" data-testid="parent-run">
      <CornerLeftUp size={14} aria-hidden="true" />
      <span className="truncate">
        As it ran inside {known?.get(shown.of.canvas)?.name ?? "the canvas that uses it"}
      </span>
      <button type="button" className="button" onClick={() => setAway(shown.of.run.id)}>
        By itself
      </button>
    </div>
  );
}

interface Shown {
  readonly of: ParentRun;
  readonly iteration: Iteration;
}

/** Look at the newest run above, and again while the page is looked at. */
function useShown(way: ReturnType<typeof wayIn>): Shown | null {
  const connection = useContext(ConnectionContext);
  const [shown, setShown] = useState<Shown | null>(null);
  useEffect(() => {
    setShown(null);
    if (way.length === 0 || !connection) return;
    let seen = "";
    let late = false;
    let end = () => {};
    const look = async () => {
      if (document.visibilityState !== "visible") return;
      const of = await parentRun(connection, way).catch(() => null);
      const state = of && `${of.run.id} ${of.run.status}`;
      if (late || of === null || (state === seen && !goesOn(of))) return;
      seen = state ?? "";
      end();
      const inside = insideOfParent(connection, of);
      const take = () => {
        const { loading, iterations } = inside.state.get();
        const iteration = iterations.find((each) => each.state === "failed") ?? iterations.at(-1);
        if (!loading && iteration) setShown({ of, iteration });
      };
      const stop = inside.state.subscribe(take);
      end = () => {
        stop();
        inside.close();
      };
      take();
    };
    void look();
    const timer = setInterval(() => void look(), LOOK_MS);
    return () => {
      late = true;
      clearInterval(timer);
      end();
    };
  }, [connection, way]);
  return shown;
}

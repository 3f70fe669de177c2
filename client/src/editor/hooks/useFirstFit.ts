/** Shows the whole spell when its canvas opens, also where the types of its nodes, and so their sizes, come later. */
import { type Node, useReactFlow, type Viewport } from "@xyflow/react";
import { useCallback, useEffect, useRef, useState } from "react";

/** Milliseconds in which nodes find their size once their types are known. */
const SETTLING = 500;

const INPUTS = ["pointerdown", "wheel", "keydown"] as const;

/**
 * Returns what fits the view at first, and whether nodes may yet find their sizes. The view is fitted again then,
 * unless somebody moved it, or pressed anything. `unknown` says that the types of `nodes` are still to come.
 */
export function useFirstFit(
  nodes: readonly Node[],
  unknown: boolean,
  fitAll: () => void,
): [() => void, boolean] {
  const view = useReactFlow();
  const fitted = useRef<Viewport | null>(null);
  const [settling, setSettling] = useState(unknown);
  const fitNow = useCallback(() => {
    fitAll();
    fitted.current = view.getViewport();
  }, [fitAll, view]);

  useEffect(() => {
    if (!settling) return;
    const leave = () => {
      fitted.current = null;
    };
    for (const kind of INPUTS) window.addEventListener(kind, leave, { capture: true, passive: true });
    return () => {
      for (const kind of INPUTS) window.removeEventListener(kind, leave, { capture: true });
    };
  }, [settling]);

  useEffect(() => {
    if (unknown || !settling) return;
    const timer = setTimeout(() => setSettling(false), SETTLING);
    return () => clearTimeout(timer);
  }, [unknown, settling]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the nodes are measured
  useEffect(() => {
    const before = fitted.current;
    if (unknown || !settling || before === null) return;
    const now = view.getViewport();
    if (now.x === before.x && now.y === before.y && now.zoom === before.zoom) fitNow();
    else fitted.current = null;
  }, [nodes, unknown, settling]);

  return [fitNow, settling];
}

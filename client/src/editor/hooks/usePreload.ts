/** Fetches parts that most people need soon, while nothing else is to do: they are then there offline too. */
import { useEffect } from "react";
import { loadCommentText } from "../components/comments/Words";

/** The code editor; its module is fetched once, whoever asks first. */
export const loadCodeEditor = () => import("../components/CodeEditor");

export function usePreload(): void {
  useEffect(() => {
    const fetchParts = () => {
      loadCodeEditor().catch(() => {}); // Asked for again when it is shown.
      void loadCommentText();
    };
    if (!("requestIdleCallback" in window)) {
      const timer = setTimeout(fetchParts, 1_000);
      return () => clearTimeout(timer);
    }
    const idle = requestIdleCallback(fetchParts, { timeout: 3_000 });
    return () => cancelIdleCallback(idle);
  }, []);
}

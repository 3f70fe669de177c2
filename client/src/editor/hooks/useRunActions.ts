/** Starting and stopping runs, with what went wrong said in a toast. */
import { useMemo } from "react";
import { ServerError } from "../../api";
import type { StartRun } from "../../engine/types";
import type { Editor } from "../store/editor";
import { nodeTitle, shortMessage } from "../store/graph";
import { useEditor } from "./useEditor";

export interface RunActions {
  /** Run the whole canvas, or what is given. */
  run(options?: StartRun): void;
  /** Run these nodes and everything they need. */
  runUntil(nodes: string[]): void;
  /** Run these nodes alone, with what the last run left before them. */
  runOnly(nodes: string[]): void;
  /** Run these nodes and everything that depends on them. */
  runFrom(nodes: string[]): void;
  stop(): void;
  /** Hold the run that is going, or let it go on. */
  togglePause(): void;
  /** Let one more node of the held run start. */
  step(): void;
  /** Turn live mode on or off. */
  toggleLive(): void;
}

/** Tell why a run was refused; where a node is the reason, by its name and with a way to it. */
function couldNotRun(editor: Editor, error: unknown): void {
  const node = nodeOf(error);
  const known = node === null ? undefined : editor.document.spell.get().nodes[node];
  if (node === null || !known || !(error instanceof ServerError)) {
    editor.toasts.error("Could not run", error);
    return;
  }
  const title = nodeTitle(known, editor.library.of(known)) || node;
  editor.toasts.error(
    `Could not run “${title}”`,
    new ServerError({ ...error.body, message: shortMessage(error.message) }),
    {
      label: "Show it",
      run: () => editor.reveal(node),
    },
  );
}

/** The node of the first problem that a refusal names. */
function nodeOf(error: unknown): string | null {
  const problems = error instanceof ServerError ? error.details.problems : undefined;
  const first = Array.isArray(problems) ? problems[0] : undefined;
  const node = (first as { node?: unknown } | undefined)?.node;
  return typeof node === "string" ? node : null;
}

/** The actions for one editor; also used outside of components. */
export function runActions(editor: Editor): RunActions {
  const { runs } = editor.workbench;
  const start = (options: StartRun) => {
    editor.viewing.set(null);
    const audience = editor.privately.get() ? "private" : "shared";
    runs.start({ audience, ...options }).catch((error: unknown) => couldNotRun(editor, error));
  };
  return {
    run: (options = {}) => start(options),
    runUntil: (nodes) => start({ scope: nodes }),
    runOnly: (nodes) => start({ scope: nodes, reach: "only" }),
    runFrom: (nodes) => start({ scope: nodes, reach: "onward" }),
    stop: () => {
      runs.cancel().catch((error: unknown) => editor.toasts.error("Could not stop the run", error));
    },
    togglePause: () => {
      const paused = runs.current.get()?.status === "paused";
      const done = paused ? runs.play() : runs.pause();
      done.catch((error: unknown) =>
        editor.toasts.error(`Could not ${paused ? "resume" : "pause"} the run`, error),
      );
    },
    step: () => {
      runs.step().catch((error: unknown) => editor.toasts.error("Could not take a step", error));
    },
    toggleLive: () => {
      editor.viewing.set(null);
      const audience = editor.privately.get() ? "private" : "shared";
      runs
        .setLive(!runs.live.get(), audience)
        .catch((error: unknown) => editor.toasts.error("Could not change live mode", error));
    },
  };
}

export function useRunActions(): RunActions {
  const editor = useEditor();
  return useMemo(() => runActions(editor), [editor]);
}

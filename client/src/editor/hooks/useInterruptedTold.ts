/** Say it when runs of the canvas ended because the server did: nobody meant that, and they can go on. */
import { useEffect } from "react";
import type { RunState } from "../../engine/types";
import type { RunDesk } from "../../runs";
import type { Connection } from "../../session";
import type { Editor } from "../store/editor";
import { resumeRun } from "../store/past_runs";

/** Told once the server is there again: before that nothing can go on. */
export function useInterruptedTold(editor: Editor, desk: RunDesk, connection: Connection): void {
  useEffect(() => {
    const { interrupted } = editor.workbench.runs;
    let untold: RunState[] = [];
    const tell = () => {
      const { state } = connection.status.get();
      const [only] = untold;
      if (state !== "online" || !only) return;
      const role = editor.document.role.get();
      const mayRun = role !== null && role !== "viewer";
      const goOn = { label: "Go on", run: () => void resumeRun(editor, desk, only.id) };
      const look = { label: "Runs", run: () => editor.panel.set("history") };
      editor.toasts.show({
        tone: "info",
        title: `${untold.length === 1 ? "A run was" : `${untold.length} runs were`} interrupted: the server started anew`,
        next: "What had ended in it is kept; nodes that did not run say so.",
        action: untold.length === 1 && mayRun ? goOn : look,
      });
      untold = [];
    };
    const ends = [
      interrupted.subscribe(() => {
        untold.push(...interrupted.get());
        tell();
      }),
      connection.onOnline(tell),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [editor, desk, connection]);
}

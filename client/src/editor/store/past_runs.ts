/** What a person does with past runs on the canvas: look at them, step through them, go on from them. */
import { isHandle, isRef, type Json } from "../../protocol";
import type { Fork, RunDesk } from "../../runs";
import type { Editor } from "./editor";

/** Put a run on the canvas. Resolves once it is there; its replay through the plugins goes on. */
export async function showRun(editor: Editor, id: string): Promise<void> {
  const { runs, replays } = editor.workbench;
  try {
    editor.viewing.set(await runs.load(id));
    await replays.replay(id);
  } catch (error) {
    editor.toasts.error("Could not replay the run", error);
  }
}

/** Step through a run, from its beginning. */
export async function stepRun(editor: Editor, desk: RunDesk, id: string): Promise<void> {
  try {
    const run = await editor.workbench.runs.load(id);
    editor.viewing.set(run);
    await desk.stepThrough(run);
  } catch (error) {
    editor.toasts.error("Could not step through the run", error);
  }
}

/** Leave the past: the canvas shows what is now. */
export function backToNow(editor: Editor): void {
  editor.workbench.replays.stop();
  editor.viewing.set(null);
}

/** Begin a new run with what another left. */
export async function forkRun(editor: Editor, desk: RunDesk, id: string, how: Fork = {}): Promise<void> {
  try {
    await desk.fork(id, how);
    backToNow(editor);
  } catch (error) {
    editor.toasts.error("Could not run again", error);
  }
}

export async function resumeRun(editor: Editor, desk: RunDesk, id: string): Promise<void> {
  try {
    await desk.resume(id);
    backToNow(editor);
  } catch (error) {
    editor.toasts.error("Could not go on with the run", error);
  }
}

/** Run a node again, and all that depends on it, with exactly what went into it then. */
export async function runWithTheseInputs(
  editor: Editor,
  desk: RunDesk,
  id: string,
  node: string,
): Promise<void> {
  try {
    const { inputs } = await desk.inputs(id, node);
    // Large ones are not sent back: they are what the run left before the node, and stand there as they were.
    const small = Object.entries(inputs).filter(([, value]) => !isLarge(value as Json));
    const given = Object.fromEntries(small.map(([port, value]) => [`${node}.${port}`, value as Json]));
    await desk.fork(id, { from: [node], spell: "now", ...(small.length > 0 ? { inputs: given } : {}) });
    backToNow(editor);
  } catch (error) {
    editor.toasts.error("Could not run again", error);
  }
}

function isLarge(value: Json): boolean {
  return isRef(value) || isHandle(value) || (Array.isArray(value) && value.some(isLarge));
}

/** The run that a node's state on the canvas comes from. */
export function runOf(editor: Editor, node: string): string | null {
  const past = editor.viewing.get();
  return past ? past.id : (editor.workbench.runs.board.get()[node]?.last.run ?? null);
}

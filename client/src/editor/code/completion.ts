/** Completion as the server finds it: what comes into the cell, its fields, and what the language has. */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { Connection } from "../../session";
import { placeAt } from "./places";

const WORD = /[\p{L}\p{N}_$]+$/u;
/** Where somebody expects a list without having begun a word. */
const OPENS = /(\.|\[\s*["'])$/;

const warmed = new WeakSet<Connection>();

/** Have the server start what completes Python, before somebody waits for it. */
export function warmUp(canvas: string, node: string, connection: Connection | null): void {
  if (!connection || warmed.has(connection)) return;
  warmed.add(connection);
  connection.request("code.complete", { canvas, node, code: "''.", line: 1, column: 4 }).catch(() => {});
}

/** Return a source for one node's code; offline it knows nothing. */
export function completesFor(canvas: string, node: string, connection: () => Connection | null) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const { doc } = context.state;
    const before = doc.sliceString(doc.lineAt(context.pos).from, context.pos);
    if (!context.explicit && !WORD.test(before) && !OPENS.test(before)) return null;
    const asked = connection()?.request("code.complete", {
      canvas,
      node,
      code: doc.toString(),
      ...placeAt(doc, context.pos),
    });
    const answer = await asked?.catch(() => null);
    if (!answer || context.aborted || answer.superseded || answer.items.length === 0) return null;
    return {
      from: context.pos - answer.length,
      options: answer.items.map(
        ({ label, kind, detail }, index): Completion => ({
          label,
          type: kind,
          boost: -index / answer.items.length,
          ...(detail ? { detail } : {}),
        }),
      ),
      validFor: /^[\p{L}\p{N}_$]*$/u,
    };
  };
}

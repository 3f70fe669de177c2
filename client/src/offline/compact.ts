/** Many updates as one, without what was deleted since. */
import * as Y from "yjs";

/** Rows of acknowledged updates beyond which they are made one. */
export const MANY_ROWS = 100;

/** The one update that says the same as all of `updates`; what has a gap is kept as it is. */
export function compact(updates: readonly Uint8Array[]): Uint8Array {
  const doc = new Y.Doc();
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update);
  });
  const whole = Y.encodeStateAsUpdate(doc);
  doc.destroy();
  return whole;
}

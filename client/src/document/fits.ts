/** Whether an update can be applied now, or builds on something that is not there. */
import * as Y from "yjs";

interface Id {
  readonly client: number;
  readonly clock: number;
}

/** Whether `doc` has all that `update` builds on or deletes. Nothing is applied. */
export function fits(doc: Y.Doc, update: Uint8Array): boolean {
  const { structs, ds } = Y.decodeUpdate(update);
  const known = Y.decodeStateVector(Y.encodeStateVector(doc));
  const end = (client: number) => known.get(client) ?? 0;
  for (const { id, length } of structs) {
    if (id.clock > end(id.client)) return false;
    known.set(id.client, Math.max(end(id.client), id.clock + length));
  }
  const has = (id: Id | null | undefined) => !id || id.clock < end(id.client);
  for (const struct of structs) {
    if (struct instanceof Y.Skip) return false;
    if (!(struct instanceof Y.Item)) continue;
    const { origin, rightOrigin, parent } = struct;
    if (!has(origin) || !has(rightOrigin)) return false;
    if (parent instanceof Y.ID && !has(parent)) return false;
  }
  for (const [client, ranges] of ds.clients) {
    if (ranges.some(({ clock, len }) => clock + len > end(client))) return false;
  }
  return true;
}

/** The clients whose edits are in an update. */
export function clientsOf(update: Uint8Array): ReadonlySet<number> {
  return new Set(Y.parseUpdateMeta(update).from.keys());
}

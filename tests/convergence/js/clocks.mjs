// What a document holds, counted: client -> the clock after its last edit.
import { Y } from "./yjs.mjs";

/** The clocks that a state vector names. */
export const clocksOf = (vector) => Y.decodeStateVector(vector);

/** Take over the clocks that an update brings. */
export function note(clocks, update) {
  for (const [client, clock] of Y.parseUpdateMeta(update).to) {
    if ((clocks.get(client) ?? 0) < clock) clocks.set(client, clock);
  }
}

/** Say what of `wanted` is not in `known`, or null. */
export function missing(wanted, known) {
  for (const [client, clock] of wanted) {
    if ((known.get(client) ?? 0) < clock) {
      return `client ${client}: ${clock} was durable, the server knows ${known.get(client) ?? 0}`;
    }
  }
  return null;
}

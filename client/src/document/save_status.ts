/** Whether edits are safe, in the one word that the page shows. */
import type { RefusedWork } from "../offline";
import type { Role } from "../protocol";
import type { SessionStatus } from "../session/types";
import type { SaveStatus } from "./types";

/** All that the word depends on. */
export interface SaveFacts {
  readonly role: Role | null;
  readonly mayEdit: boolean;
  /** Why the canvas is closed to this person. */
  readonly shut: string | null;
  readonly pending: number;
  readonly unkept: number;
  /** Why the server does not take edits for now. */
  readonly trouble: string | null;
  readonly session: SessionStatus;
  /** Whether the canvas is open on the server, or about to be. */
  readonly synced: boolean;
  /** Whether it is still being looked up what there is to send. */
  readonly busy: boolean;
  readonly copies: readonly RefusedWork[];
}

/** The first that holds, the worst first: nothing is called saved that is not. */
export function saveStatus(facts: SaveFacts): SaveStatus {
  const { role, mayEdit, shut, pending, unkept, trouble, session, synced, busy, copies } = facts;
  if (shut) return { state: "read-only", reason: shut };
  if (role && !mayEdit) return { state: "read-only", reason: readOnlyReason(role) };
  if (trouble) return { state: "offline", pending, unkept, reason: trouble };
  const connected = session.state === "online" || session.state === "stopping";
  if (!synced || !connected) return { state: "offline", pending, unkept, reason: connectionReason(session) };
  if (pending > 0 || busy) return { state: "saving", pending };
  const newest = copies.at(-1);
  return newest ? { state: "rejected", copies: copies.length, error: newest.error } : { state: "saved" };
}

/** What somebody who may not edit can do here. */
export function readOnlyReason(role: Role): string {
  const may = role === "runner" ? "look at this canvas and run it" : "look at this canvas";
  return `As ${role} you can ${may}, not edit it.`;
}

function connectionReason(session: SessionStatus): string {
  if (session.state === "offline") return session.reason;
  if (session.state === "refused") return session.error.message;
  return "Connecting.";
}

/** What is to happen after a refusal: which edits are left out, done again, or kept. */
import * as Y from "yjs";
import type { ErrorBody } from "../protocol";
import { clientsOf } from "./fits";
import { byKey, type UnsentEdit } from "./outbox";
import type { Waiting } from "./salvage";

/** Refusals after which the edits are sent again, with all that they may build on, once the canvas is open again. */
export const REOPEN: ReadonlySet<string> = new Set(["update_gap", "canvas_not_open"]);
/** Refusals of an edit that would be taken under another Yjs client id, or after others. */
export const REDO: ReadonlySet<string> = new Set(["client_id_taken", ...REOPEN]);
/** Refusals of the person or the tab, that no edit would be spared. */
export const ALL: ReadonlySet<string> = new Set(["forbidden", "epoch_mismatch", "not_found"]);
/** Refusals to open that time does not cure. */
export const FINAL: ReadonlySet<string> = new Set([
  "not_found",
  "forbidden",
  "bad_request",
  "unauthenticated",
]);
/** Those after which nothing of the canvas may stay in the browser, but copies of unsent work. */
export const TAKEN_OFF: ReadonlySet<string> = new Set(["not_found", "forbidden"]);

/** What to do when the canvas is next opened, in place of going on with the replica as it is. */
export interface FreshStart {
  /** The Yjs client id of the new replica. */
  readonly client: number;
  readonly error: ErrorBody;
  /** The edits that the server does not take. */
  readonly refused: ReadonlySet<UnsentEdit>;
  /** All that waits is refused. */
  readonly all: boolean;
  /** The edits of this Yjs client are done again under another; `every` one's of that. */
  readonly redo: number | "every" | null;
  /** What other tabs of this browser left out. */
  readonly dropped: readonly Uint8Array[];
}

/** One reason for a fresh start. */
export type Why = Partial<Omit<FreshStart, "client">>;

/** Add a reason to those there are. */
export function freshStart(before: FreshStart | null, why: Why): FreshStart {
  return {
    client: new Y.Doc().clientID,
    error: why.error ?? before?.error ?? { code: "refused", message: "An edit of another tab was refused." },
    refused: new Set([...(before?.refused ?? []), ...(why.refused ?? [])]),
    all: (why.all ?? false) || (before?.all ?? false),
    redo: why.redo ?? before?.redo ?? null,
    dropped: [...(before?.dropped ?? []), ...(why.dropped ?? [])],
  };
}

/** The edits of this tab and of others in the order of their making, each with what is to become of it. */
export function waiting(
  mine: readonly UnsentEdit[],
  theirs: readonly UnsentEdit[],
  { refused, redo }: FreshStart,
): Waiting[] {
  const fate = (edit: UnsentEdit): Waiting["fate"] => {
    if (refused.has(edit)) return "refused";
    const again = redo === "every" || (redo !== null && clientsOf(edit.update).has(redo));
    return again && !edit.again ? "redo" : "keep";
  };
  const known = new Set(mine.map(({ key }) => key));
  const others = theirs.filter(({ key }) => !known.has(key));
  return [
    ...mine.map((edit): Waiting => ({ edit, fate: fate(edit) })),
    ...others.map((edit): Waiting => ({ edit, fate: "theirs" })),
  ].sort((a, b) => byKey(a.edit, b.edit));
}

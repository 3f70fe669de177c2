/** Why live mode waits or cannot run, from what the server announces of it. */
import type { LiveNotice } from "./types";

/** Read `waiting` and `error` of a `canvas.live` announcement: a text, or an object with a message and a node. */
export function liveNoticeOf(announced: object): LiveNotice | null {
  const { live, waiting, error } = announced as { live?: unknown; waiting?: unknown; error?: unknown };
  if (live === false) return null;
  return notice("error", error) ?? notice("waiting", waiting);
}

function notice(kind: LiveNotice["kind"], said: unknown): LiveNotice | null {
  if (typeof said === "string" && said !== "") return { kind, message: said, node: null };
  if (typeof said !== "object" || said === null) return null;
  const { message, node, details } = said as {
    message?: unknown;
    node?: unknown;
    details?: { node?: unknown };
  };
  if (typeof message !== "string" || message === "") return null;
  const about = typeof node === "string" ? node : details?.node;
  return { kind, message, node: typeof about === "string" ? about : null };
}

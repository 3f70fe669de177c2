/** Signing out: what this browser kept for the person goes with them. */
import { auth } from "../api";
import { forgetComments, unsentComments } from "../comments";
import { pageBrowser, type Unsent } from "../offline";
import type { User } from "../protocol";
import { isLeaving, remembered, rememberLeaving, rememberUser } from "./remembered";
import { go } from "./router";

/** What is asked before work is deleted that only this browser has; null when there is none. */
export function question({ edits, copies, canvases }: Unsent, comments: number): string | null {
  const things = [
    comments > 0 ? `${comments} ${comments === 1 ? "comment" : "comments"} not sent yet` : null,
    edits > 0 ? `${edits} ${edits === 1 ? "edit" : "edits"} not sent yet` : null,
    copies > 0 ? `${copies} ${copies === 1 ? "copy" : "copies"} of refused work` : null,
  ].filter(Boolean);
  if (things.length === 0) return null;
  const where = canvases === 0 ? "" : canvases === 1 ? " of one canvas" : ` of ${canvases} canvases`;
  return `Only this browser has ${things.join(" and ")}${where}. Signing out deletes that for good. Sign out?`;
}

/** Sign out and go on at `to`, unless there is unsent work and the person wants to keep it. */
export async function signOut(user: User, to = "/"): Promise<void> {
  const browser = await pageBrowser().store;
  const unsent = await browser.unsent(user.id).catch(() => null);
  const ask = question(unsent ?? { edits: 0, copies: 0, canvases: 0 }, unsentComments(user.id));
  if (ask && !window.confirm(ask)) return;
  // The other tabs first: what they still hold would be written again.
  rememberUser(null);
  forgetComments(user.id);
  // All begun at once: a page that is closed now leaves to the next one what it had begun.
  const facts = Object.values(remembered).map((name) => name(user));
  const gone = [browser.clear(user.id), ...facts.map((name) => browser.remember(name, undefined))];
  await Promise.all(gone.map((each) => each.catch(() => {})));
  // Last, for the page for signing in says that it is all gone. Signed out here also when the server
  // cannot be told; it is told at the next start of the page.
  await auth.logout().catch(() => rememberLeaving(true));
  go(to, true);
}

/** Tell the server of a sign-out that it could not be told of; call before asking it who is signed in. */
export async function finishSignOut(): Promise<void> {
  if (!isLeaving()) return;
  await auth.logout();
  rememberLeaving(false);
}

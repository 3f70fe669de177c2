/** Signing out: what this browser kept for the person goes with them. */
import { auth } from "../api";
import { pageBrowser, type Unsent } from "../offline";
import type { User } from "../protocol";
import { remembered, rememberUser } from "./remembered";
import { go } from "./router";

/** What is asked before work is deleted that only this browser has; null when there is none. */
export function question({ edits, copies, canvases }: Unsent): string | null {
  const things = [
    edits > 0 ? `${edits} ${edits === 1 ? "edit" : "edits"} not sent yet` : null,
    copies > 0 ? `${copies} ${copies === 1 ? "copy" : "copies"} of refused work` : null,
  ].filter(Boolean);
  if (things.length === 0) return null;
  const where = canvases === 1 ? "of one canvas" : `of ${canvases} canvases`;
  return `Only this browser has ${things.join(" and ")} ${where}. Signing out deletes that for good. Sign out?`;
}

/** Sign out and go on at `to`, unless there is unsent work and the person wants to keep it. */
export async function signOut(user: User, to = "/"): Promise<void> {
  const browser = await pageBrowser().store;
  const unsent = await browser.unsent(user.id).catch(() => null);
  const ask = unsent && question(unsent);
  if (ask && !window.confirm(ask)) return;
  // The other tabs first: what they still hold would be written again.
  rememberUser(null);
  await auth.logout().catch(() => {}); // Forgotten here also when the server cannot be told.
  for (const name of Object.values(remembered)) await browser.remember(name(user), undefined).catch(() => {});
  await browser.clear(user.id).catch(() => {});
  go(to, true);
}

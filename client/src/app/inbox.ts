/** The inbox of whoever is signed in on this page. */
import { api, auth } from "../api";
import { Inbox } from "../comments";

export const inbox = new Inbox(api);

/** Look at once, whenever the page is looked at again, and while it is, every minute. Call once. */
export function startInbox(): void {
  const look = () => {
    if (auth.user.get() && document.visibilityState === "visible") inbox.refresh().catch(() => {});
  };
  let user = auth.user.get()?.id;
  auth.user.subscribe(() => {
    const now = auth.user.get()?.id;
    if (now === user) return;
    user = now;
    inbox.clear();
    look();
  });
  document.addEventListener("visibilitychange", look);
  setInterval(look, 60_000);
  look();
}

/** The tasks of whoever is signed in on this page. */
import { api, auth } from "../api";
import { TaskDesk } from "../tasks";

export const tasks = new TaskDesk(api);

/** Look at once, whenever the page is looked at again, and while it is, every minute. Call once. */
export function startTasks(): void {
  const look = () => {
    if (auth.user.get() && document.visibilityState === "visible") tasks.refresh().catch(() => {});
  };
  let user = auth.user.get()?.id;
  auth.user.subscribe(() => {
    const now = auth.user.get()?.id;
    if (now === user) return;
    user = now;
    tasks.clear();
    look();
  });
  document.addEventListener("visibilitychange", look);
  setInterval(look, 60_000);
  look();
}

/** What the page remembers of its last visit, so that it opens without the server. Nothing in it is secret. */
import { pageBrowser } from "../offline";
import type { Canvas, User } from "../protocol";

const USER = "spellwork.user";

/** Who was signed in here last; null when nobody, or when they signed out. */
export function recallUser(): User | null {
  try {
    const user = JSON.parse(localStorage.getItem(USER) ?? "null") as Partial<User> | null;
    return typeof user?.id === "string" && typeof user.email === "string" ? (user as User) : null;
  } catch {
    return null;
  }
}

/** Remember who is signed in; null forgets, and the other tabs of this browser are signed out. */
export function rememberUser(user: User | null): void {
  try {
    if (user === null) localStorage.removeItem(USER);
    else localStorage.setItem(USER, JSON.stringify(user));
  } catch {
    // A browser that keeps nothing asks the server at every start.
  }
}

/** Call `then` when another tab of this browser signed out. */
export function onSignedOutElsewhere(then: () => void): () => void {
  const hear = (event: StorageEvent) => {
    if (event.key === USER && event.newValue === null) then();
  };
  window.addEventListener("storage", hear);
  return () => window.removeEventListener("storage", hear);
}

/** Fetch a list and remember it; where that fails, give what was remembered. */
export async function fetchOrRecall<T>(
  name: string,
  fetch: () => Promise<T>,
): Promise<{ value: T; failure: unknown }> {
  const browser = await pageBrowser().store;
  try {
    const value = await fetch();
    void browser.remember(name, value).catch(() => {});
    return { value, failure: null };
  } catch (failure) {
    const value = (await browser.recall(name).catch(() => undefined)) as T | undefined;
    if (value === undefined) throw failure;
    return { value, failure };
  }
}

/** The names under which things are remembered for one person. */
export const remembered = {
  canvases: (user: User) => `canvases ${user.id}`,
  library: (user: User) => `library ${user.id}`,
};

/** A list of canvases as it was last seen, and which of them this browser can open by itself. */
export interface SeenCanvases {
  readonly items: readonly Canvas[];
  /** Why it is not the server's word; null when it is. */
  readonly failure: unknown;
  readonly openable: ReadonlySet<string>;
}

/** The person's canvases, from the server or as last seen. */
export async function seeCanvases(
  user: User,
  fetch: () => Promise<readonly Canvas[]>,
): Promise<SeenCanvases> {
  const { value, failure } = await fetchOrRecall(remembered.canvases(user), fetch);
  const openable = failure ? await (await pageBrowser().store).openable(user.id) : new Set<string>();
  return { items: value, failure, openable };
}

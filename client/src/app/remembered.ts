/** What the page remembers of its last visit, so that it opens without the server. Nothing in it is secret. */
import { type KeptHead, pageBrowser } from "../offline";
import type { Canvas, User } from "../protocol";

const USER = "spellwork.user";
const LEAVING = "spellwork.leaving";

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
    else {
      localStorage.setItem(USER, JSON.stringify(user));
      localStorage.removeItem(LEAVING);
    }
  } catch {
    // A browser that keeps nothing asks the server at every start.
  }
}

/** Whether somebody signed out here whom the server could not be told of: its cookie would sign them in again. */
export function isLeaving(): boolean {
  try {
    return localStorage.getItem(LEAVING) !== null;
  } catch {
    return false;
  }
}

/** Remember until the next start of the page, or sign-in, that the server is to be told; or that it was. */
export function rememberLeaving(leaving: boolean): void {
  try {
    if (leaving) localStorage.setItem(LEAVING, "yes");
    else localStorage.removeItem(LEAVING);
  } catch {
    // A browser that keeps nothing.
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

/** Fetch something and remember it. */
export async function fetchToRemember<T>(name: string, fetch: () => Promise<T>): Promise<T> {
  const value = await fetch();
  remember(name, value);
  return value;
}

/** What was remembered under a name; undefined when nothing. */
export async function recall<T>(name: string): Promise<T | undefined> {
  const browser = await pageBrowser().store;
  return (await browser.recall(name).catch(() => undefined)) as T | undefined;
}

/** Fetch something and remember it; where that fails, give what was remembered. */
export async function fetchOrRecall<T>(name: string, fetch: () => Promise<T>): Promise<T> {
  try {
    return await fetchToRemember(name, fetch);
  } catch (failure) {
    const value = await recall<T>(name);
    if (value === undefined) throw failure;
    return value;
  }
}

function remember(name: string, value: unknown): void {
  void pageBrowser()
    .store.then((browser) => browser.remember(name, value))
    .catch(() => {});
}

/** The names under which things are remembered for one person. */
export const remembered = {
  canvases: (user: User) => `canvases ${user.id}`,
  library: (user: User) => `library ${user.id}`,
};

/** The person's canvases as they can be told now. */
export interface SeenCanvases {
  readonly items: readonly Canvas[];
  /** Why it is not the server's word; null when it is. */
  readonly failure: unknown;
  /** The ids of those that this browser can open by itself; told only where the server is away. */
  readonly openable: ReadonlySet<string>;
}

/** The canvases that the server lists; where it is away, those last seen and those that this browser keeps. */
export async function seeCanvases(
  user: User,
  fetch: () => Promise<readonly Canvas[]>,
): Promise<SeenCanvases> {
  const name = remembered.canvases(user);
  try {
    const items = await fetchToRemember(name, fetch);
    return { items, failure: null, openable: new Set() };
  } catch (failure) {
    const browser = await pageBrowser().store;
    const [last, kept] = await Promise.all([browser.recall(name), browser.openable(user.id)]).catch(
      () => [undefined, new Map<string, KeptHead>()] as const,
    );
    const items = (last ?? []) as readonly Canvas[];
    const seen = new Set(items.map(({ id }) => id));
    const others = [...kept].filter(([id]) => !seen.has(id)).map(([id, head]) => keptCanvas(id, head));
    if (items.length + others.length === 0) throw failure;
    return { items: [...items, ...others], failure, openable: new Set(kept.keys()) };
  }
}

function keptCanvas(id: string, { name, role, at }: KeptHead): Canvas {
  const seconds = at / 1_000;
  return { id, name, role, created_at: seconds, updated_at: seconds } as Canvas;
}

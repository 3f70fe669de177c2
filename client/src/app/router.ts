/** Where on the site one is. Paths are real, so that a canvas's address can be sent to somebody. */
import { Store, useStore } from "../store";

export type Place =
  | { readonly page: "canvases" }
  | { readonly page: "canvas"; readonly id: string }
  | { readonly page: "account" }
  | { readonly page: "people" }
  /** A one-time sign-in link; the token is in the fragment so that no server log has it. */
  | { readonly page: "link"; readonly token: string }
  /** An invitation or share link, in the fragment for the same reason: no log and no Referer has it. */
  | { readonly page: "join"; readonly token: string }
  /** What a link asks of whoever has it, in the fragment too. */
  | { readonly page: "task"; readonly token: string }
  | { readonly page: "nowhere" };

/** Read a path and a fragment; pages other than a canvas live in the fragment of `/`. */
export function placeOf(path: string, hash: string): Place {
  const token = /^#\/(link|join|task)\/([^/]+)$/.exec(hash);
  if (token?.[2]) return { page: token[1] as "link" | "join" | "task", token: decoded(token[2]) };
  const canvas = /^\/canvas\/([A-Za-z0-9_-]+)\/?$/.exec(path);
  if (canvas?.[1]) return { page: "canvas", id: canvas[1] };
  if (path !== "/" && path !== "/index.html") return { page: "nowhere" };
  if (hash === "#/account") return { page: "account" };
  if (hash === "#/people") return { page: "people" };
  return { page: "canvases" };
}

/** A part of an address in clear; one that is no address's part as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function here(): Place {
  return placeOf(location.pathname, location.hash);
}

const place = new Store<Place>(typeof location === "undefined" ? { page: "canvases" } : here());

/** Follow the address; call once when the page starts. */
export function startRouter(): void {
  place.set(here());
  window.addEventListener("popstate", follow);
  window.addEventListener("hashchange", follow);
}

function follow(): void {
  const next = here();
  // A field that takes what is typed when it is left is left before its page is gone.
  if (JSON.stringify(next) !== JSON.stringify(place.get()))
    (globalThis.document?.activeElement as HTMLElement | null | undefined)?.blur?.();
  place.set(next);
}

/** Go to another address of this site; `replace` leaves no way back to the present one. */
export function go(to: string, replace = false): void {
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  follow();
}

export function usePlace(): Place {
  return useStore(place);
}

/**
 * Serves the page's own files when the server is away; built to `/service-worker.js`.
 *
 * It holds the files of one build, by name: every name but the page's holds a hash of the content. It never
 * answers for the server's interfaces (/v1, /socket.io, /healthz, ...), and keeps nothing of a person.
 *
 * A new build is fetched beside the old one and takes over when no tab of the old one is left, so that an open
 * tab finds the files it was built with. A page that is opened meanwhile comes from the network, as always when
 * the server answers.
 */

/** What the build puts in: a name of this build, and the paths of all its files. */
declare const SHELL: { readonly build: string; readonly files: readonly string[] };

/** What is used of a service worker's global scope; the library of types for it excludes that of pages. */
interface Scope {
  readonly location: Location;
  addEventListener(kind: "install" | "activate", listener: (event: Lifetime) => void): void;
  addEventListener(kind: "fetch", listener: (event: Fetching) => void): void;
}
interface Lifetime {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

const scope = globalThis as unknown as Scope;
const PREFIX = "spellwork-shell-";
const CACHE = PREFIX + SHELL.build;
const PAGE = "/";
/** The addresses that the page routes by itself. */
const PAGES = /^\/(index\.html|canvas\/[A-Za-z0-9_-]+\/?)?$/;
/** Milliseconds that the server has for the page before the kept one is shown. */
const PATIENCE_MS = 4_000;
const FILES: ReadonlySet<string> = new Set(SHELL.files);

scope.addEventListener("install", (event) => {
  event.waitUntil(keepShell());
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(dropOthers());
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== scope.location.origin) return;
  if (request.mode === "navigate") {
    if (PAGES.test(pathname)) event.respondWith(page(request));
  } else if (FILES.has(pathname)) event.respondWith(file(request));
});

async function keepShell(): Promise<void> {
  const cache = await caches.open(CACHE);
  const missing = [];
  for (const path of SHELL.files) if (!(await cache.match(path))) missing.push(path);
  await cache.addAll(missing);
  // The page last, and never one that another cache answered: it names the files.
  const page = await fetch(new Request(PAGE, { cache: "reload" }));
  const named = (await page.clone().text()).match(/\/assets\/[^"']+/g) ?? [];
  if (!page.ok || named.length === 0 || named.some((path) => !FILES.has(path))) {
    throw new Error("The page is of another build than this worker: the server is being updated.");
  }
  await cache.put(PAGE, page);
}

async function dropOthers(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** The page from the server; where that does not answer, or not as it should, the kept one. */
async function page(request: Request): Promise<Response> {
  const kept = async () => (await caches.open(CACHE)).match(PAGE);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  const fresh = fetch(request);
  const first = await Promise.race([fresh.catch(() => undefined), late]);
  clearTimeout(timer);
  // A proxy that says the server is away is no page either.
  if (first && first.status < 500) return first;
  return (await kept()) ?? first ?? fresh;
}

async function file(request: Request): Promise<Response> {
  const kept = await (await caches.open(CACHE)).match(request, { ignoreSearch: true });
  return kept ?? fetch(request);
}

export {};

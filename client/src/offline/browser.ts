/** What this page keeps in its browser. */
import { inTime, KeepError } from "./errors";
import { IndexedDbStore } from "./indexeddb_store";
import { MemoryStore } from "./memory_store";
import { BrowserTabLine, SolitaryLine } from "./tab_line";
import type { Browser, BrowserStore, TabLine } from "./types";

const DAY_MS = 86_400_000;
/** Acknowledged canvases are dropped when not opened for this long, or beyond this many. */
const KEPT_FOR_MS = 30 * DAY_MS;
const KEPT_CANVASES = 50;

/** The browser of a page: IndexedDB, or the page's memory where that is not to be had. */
export class PageBrowser implements Browser {
  readonly store: Promise<BrowserStore>;

  constructor() {
    this.store = openStore();
    void this.store.then((store) => store.evict(Date.now() - KEPT_FOR_MS, KEPT_CANVASES)).catch(() => {});
  }

  line(user: string, canvas: string): TabLine {
    return new BrowserTabLine(user, canvas);
  }
}

/** A browser that keeps nothing: for scripts and tests. */
export class NoBrowser implements Browser {
  readonly store: Promise<BrowserStore> = Promise.resolve(new MemoryStore());

  line(): TabLine {
    return new SolitaryLine();
  }
}

async function openStore(): Promise<BrowserStore> {
  if (typeof indexedDB === "undefined") return new MemoryStore("This browser has no storage for this page.");
  try {
    const store = await inTime(IndexedDbStore.open());
    await inTime(store.takeUp()).catch(() => {}); // It goes on meanwhile.
    return store;
  } catch (error) {
    if (error instanceof KeepError) return new MemoryStore(error.message);
    return new MemoryStore("This browser does not let this page keep anything, as in a private window.");
  }
}

/** This page's browser, opened when it is first needed. */
export const pageBrowser: () => Browser = (() => {
  let made: Browser | null = null;
  return () => {
    made ??= new PageBrowser();
    return made;
  };
})();

/** What the browser keeps while the server is away. */
export { NoBrowser, PageBrowser, pageBrowser } from "./browser";
export { inTime, KeepError, keepError } from "./errors";
export { IndexedDbStore } from "./indexeddb_store";
export { LastWords } from "./last_words";
export { MemoryStore } from "./memory_store";
export { BrowserTabLine, SolitaryLine } from "./tab_line";
export type * from "./types";
export { whenLeft } from "./when_left";

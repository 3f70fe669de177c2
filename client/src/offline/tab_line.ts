/** How the tabs of one browser know of one another. */
import { newId } from "../ids";
import type { TabLine } from "./types";

const LOCK = "spellwork tab ";

/**
 * A tab is alive while it holds the Web Lock of its name: the browser lets go of it however the tab ends, so no
 * heartbeat is needed, which a hidden tab would miss. Edits travel by BroadcastChannel.
 *
 * Web Locks exist on secure pages only (HTTPS, or localhost). Without them nobody is known to be alive or gone.
 */
export class BrowserTabLine implements TabLine {
  readonly id = newId();
  readonly ready: Promise<void>;
  readonly #locks = globalThis.navigator?.locks as LockManager | undefined;
  readonly #channel: BroadcastChannel | null;
  readonly #closed = new AbortController();
  #letGo: () => void = () => {};

  constructor(user: string, canvas: string) {
    const name = `spellwork ${user} ${canvas}`;
    this.#channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(name);
    this.ready = this.#live();
  }

  async alive(): Promise<ReadonlySet<string> | null> {
    if (!this.#locks) return null;
    const { held = [] } = await this.#locks.query();
    const names = held.map(({ name }) => name ?? "").filter((name) => name.startsWith(LOCK));
    return new Set(names.map((name) => name.slice(LOCK.length)));
  }

  whenGone(tab: string, then: () => void): void {
    this.#locks?.request(LOCK + tab, { signal: this.#closed.signal }, async () => then()).catch(() => {}); // Closed before the other went.
  }

  send(message: unknown): void {
    this.#channel?.postMessage(message);
  }

  listen(listener: (message: unknown) => void): void {
    this.#channel?.addEventListener("message", ({ data }) => {
      if (!this.#closed.signal.aborted) listener(data);
    });
  }

  close(): void {
    this.#closed.abort();
    this.#channel?.close();
    this.#letGo();
  }

  #live(): Promise<void> {
    const locks = this.#locks;
    if (!locks) return Promise.resolve();
    return new Promise((resolve) => {
      const hold = () => {
        resolve();
        return new Promise<void>((letGo) => {
          this.#letGo = letGo;
          if (this.#closed.signal.aborted) letGo();
        });
      };
      locks.request(LOCK + this.id, hold).catch(() => resolve());
    });
  }
}

/** A tab that has no others beside it. */
export class SolitaryLine implements TabLine {
  readonly id = newId();
  readonly ready = Promise.resolve();

  async alive(): Promise<ReadonlySet<string>> {
    return new Set([this.id]);
  }

  whenGone(): void {}
  send(): void {}
  listen(): void {}
  close(): void {}
}

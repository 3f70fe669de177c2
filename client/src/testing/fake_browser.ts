/** One browser with several tabs, in the test's own process: a store they share, their locks and their channel. */
import { newId } from "../ids";
import { type Browser, type BrowserStore, MemoryStore, type TabLine } from "../offline";

/** See `TabLine`; `die` ends it as a crash does. */
export class FakeLine implements TabLine {
  readonly id = newId();
  readonly ready = Promise.resolve();
  readonly listeners: ((message: unknown) => void)[] = [];

  constructor(readonly browser: FakeBrowser) {}

  async alive(): Promise<ReadonlySet<string>> {
    return new Set([...this.browser.lines].map(({ id }) => id));
  }

  whenGone(tab: string, then: () => void): void {
    const gone = () => {
      if (this.browser.lines.has(this)) then();
    };
    if ([...this.browser.lines].some(({ id }) => id === tab)) this.browser.waiting.push({ tab, gone });
    else queueMicrotask(gone);
  }

  send(message: unknown): void {
    for (const line of this.browser.lines) {
      if (line === this) continue;
      const copy = structuredClone(message);
      queueMicrotask(() => {
        if (this.browser.lines.has(line)) for (const listener of line.listeners) listener(copy);
      });
    }
  }

  listen(listener: (message: unknown) => void): void {
    this.listeners.push(listener);
  }

  close(): void {
    this.die();
  }

  die(): void {
    if (!this.browser.lines.delete(this)) return;
    for (const { tab, gone } of this.browser.waiting.splice(0)) {
      if (tab === this.id) queueMicrotask(gone);
      else this.browser.waiting.push({ tab, gone });
    }
  }
}

/** See the top of the file. All its tabs look at one canvas. */
export class FakeBrowser implements Browser {
  readonly lines = new Set<FakeLine>();
  readonly waiting: { tab: string; gone: () => void }[] = [];
  readonly store: Promise<BrowserStore>;

  constructor(readonly kept: BrowserStore = new MemoryStore(null)) {
    this.store = Promise.resolve(kept);
  }

  line(): FakeLine {
    const line = new FakeLine(this);
    this.lines.add(line);
    return line;
  }
}

/** A tab's browser: the store and the tabs of another, but writes stop when the tab is dead. */
export class FakeTab implements Browser {
  readonly store: Promise<BrowserStore>;
  #line: FakeLine | null = null;
  #dead = false;

  constructor(readonly browser: FakeBrowser) {
    this.store = Promise.resolve(mortal(browser.kept, () => this.#dead));
  }

  line(): FakeLine {
    this.#line = this.browser.line();
    return this.#line;
  }

  /** End as a crash does: nothing more is written or heard, and the others notice. */
  die(): void {
    this.#dead = true;
    this.#line?.die();
  }
}

/** `store` for as long as `dead` says no; then every call stays without an answer, as in a page that is gone. */
function mortal<T extends object>(store: T, dead: () => boolean): T {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        if (dead()) return new Promise(() => {});
        const result: unknown = value.apply(target, given);
        return name === "canvas" ? mortal(result as object, dead) : result;
      };
    },
  });
}

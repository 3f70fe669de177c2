/** Where the person at this page is mentioned, over all canvases. */
import type { Answer } from "../protocol";
import type { Connection } from "../session";
import { Store } from "../store";
import type { Mention } from "./types";

/** How the inbox reaches the server where there is no socket; implemented by `Api`. */
export interface MentionApi {
  get<T>(path: string, options?: { query?: Record<string, string | number | null> }): Promise<T>;
  post<T>(path: string, body?: object): Promise<T>;
}

/**
 * Mentions, those not read first. The count comes by socket while a canvas is open (`follow`), else by asking;
 * the list is asked for when it is looked at.
 */
export class Inbox {
  readonly unread = new Store(0);
  readonly mentions = new Store<readonly Mention[]>([]);
  /** From where the list goes on; null at its end, undefined before it was asked for. */
  readonly next = new Store<string | null | undefined>(undefined);
  readonly #api: MentionApi;
  #asking = 0;

  constructor(api: MentionApi) {
    this.#api = api;
  }

  /** Ask anew. */
  async refresh(): Promise<void> {
    const asking = ++this.#asking;
    const page = await this.#api.get<Answer<"mentions.find">>("/v1/mentions", { query: { limit: 30 } });
    if (asking !== this.#asking) return;
    this.mentions.set(page.items);
    this.next.set(page.next);
    this.unread.set(page.unread);
  }

  /** Ask for what follows. */
  async more(): Promise<void> {
    const after = this.next.get();
    if (!after) return;
    const asking = ++this.#asking;
    const page = await this.#api.get<Answer<"mentions.find">>("/v1/mentions", {
      query: { limit: 30, after },
    });
    if (asking !== this.#asking) return;
    const known = new Set(this.mentions.get().map((mention) => mention.comment));
    this.mentions.update((list) => [...list, ...page.items.filter((one) => !known.has(one.comment))]);
    this.next.set(page.next);
    this.unread.set(page.unread);
  }

  /** Note that one mention, or all, are read. */
  async markRead(comment: string | null): Promise<void> {
    const now = Date.now() / 1000;
    this.mentions.update((list) =>
      list.map((one) =>
        one.read_at === null && (comment === null || one.comment === comment)
          ? { ...one, read_at: now }
          : one,
      ),
    );
    const { unread } = await this.#api.post<Answer<"mentions.read">>("/v1/mentions/read", { comment });
    this.unread.set(unread);
  }

  /** Hear of mentions over a socket; returns the function that ends it. */
  follow(session: Connection): () => void {
    const ends = [
      session.onOnline(() => void this.refresh().catch(() => {})),
      session.on("user.mentions", ({ unread, mention }) => {
        this.unread.set(unread);
        if (mention)
          this.mentions.update((list) => [mention, ...list.filter((one) => one.comment !== mention.comment)]);
      }),
      // A canvas that was lost takes its mentions along.
      session.on("canvas.role", ({ role }) => {
        if (role === null) void this.refresh().catch(() => {});
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** Forget everything; for another person at the page. */
  clear(): void {
    this.#asking += 1;
    this.mentions.set([]);
    this.next.set(undefined);
    this.unread.set(0);
  }
}

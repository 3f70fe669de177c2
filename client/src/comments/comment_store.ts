/** The comments of one canvas, as this tab knows them. */
import { ServerError } from "../api";
import type { Answer } from "../protocol";
import type { Connection } from "../session";
import { type Readable, Store } from "../store";
import { browserKeep, type Draft, type Keep } from "./keep";
import { CommentOutbox } from "./outbox";
import { ThreadReader } from "./thread_reader";
import {
  type Author,
  type Comment,
  type CommentsEvent,
  type NewPlace,
  type OpenedThread,
  readThread,
  type Thread,
  type Waiting,
} from "./types";

const PAGE = 200;

export type Threads = ReadonlyMap<string, Thread>;
export type Member = Answer<"canvases.members">["items"][number];

/** What the store needs of the document. */
export interface CommentSource {
  readonly canvas: string;
  onOpened(listener: () => void): () => void;
}

/**
 * Threads, read marks, and the thread that is looked at.
 *
 * After each opening of the canvas everything is read anew, since that makes good whatever was missed; what the
 * server says meanwhile counts more than what was read. A comment that is written here is shown at once, kept in
 * the browser, and sent until the server has taken or refused it.
 */
export class CommentStore {
  /** All threads, the latest begun first; those that wait to be sent too. */
  readonly threads: Readable<Threads>;
  /** Whether the threads have been read once. */
  readonly ready = new Store(false);
  /** Until when this person has read each thread. */
  readonly read = new Store<Readonly<Record<string, number>>>({});
  readonly opened: Readable<OpenedThread | null>;
  readonly waiting: Readable<readonly Waiting[]>;
  readonly user: Author;
  readonly #session: Connection;
  readonly #canvas: string;
  readonly #keep: Keep;
  readonly #outbox: CommentOutbox;
  readonly #reader: ThreadReader;
  readonly #threads = new Store<Threads>(new Map());
  readonly #end: (() => void)[];
  #known = new Map<string, Thread>();
  /** Threads that changed while all were read; null when none are read. */
  #changed: Map<string, Thread | null> | null = null;
  #loading = 0;
  #members: Promise<readonly Member[]> | null = null;

  constructor(
    session: Connection,
    source: CommentSource,
    user: Author,
    keep: Keep = browserKeep(user.id, source.canvas),
  ) {
    this.user = user;
    this.#session = session;
    this.#canvas = source.canvas;
    this.#keep = keep;
    this.#outbox = new CommentOutbox(session, source.canvas, keep, (id, answer) => {
      this.#take(id, readThread(answer.thread), answer.comment);
      // It may have been there already, its answer lost, and others may have replied.
      if (answer.comment.id === id) void this.#reader.again(id);
    });
    this.#reader = new ThreadReader(session, source.canvas, (thread) => this.#put(thread.id, thread));
    this.threads = this.#threads;
    this.opened = this.#reader.opened;
    this.waiting = this.#outbox.waiting;
    this.#end = [
      source.onOpened(() => void this.#resume()),
      session.on("canvas.comments", (event) => this.#receive(event)),
      session.on("canvas.role", ({ canvas, role }) => {
        if (canvas === source.canvas && role === null) this.#forget();
      }),
      this.#outbox.waiting.subscribe(() => this.#publish()),
    ];
    this.#publish();
  }

  /** Begin a thread; returns its id at once. */
  begin(text: string, place: NewPlace): string {
    return this.#outbox.add({ text, ...place });
  }

  /** Reply in a thread. */
  reply(thread: string, text: string): void {
    this.#outbox.add({ text, thread });
  }

  /** Send what was refused once more. */
  retry(id: string): void {
    this.#outbox.retry(id);
  }

  /** Give up what was not sent. */
  discard(id: string): void {
    this.#outbox.drop(id);
  }

  async edit(comment: Comment, text: string): Promise<void> {
    const asked = { canvas: this.#canvas, id: comment.id, text };
    const answer = await this.#session.request("comments.patch", asked);
    this.#take(comment.thread, readThread(answer.thread), answer.comment);
  }

  async remove(comment: Comment): Promise<void> {
    await this.#session.request("comments.remove", { canvas: this.#canvas, id: comment.id });
    this.#reader.removed(comment.thread, comment.id);
    if (comment.id === comment.thread) this.#put(comment.thread, null);
  }

  async resolve(thread: string, resolved: boolean): Promise<void> {
    const asked = { canvas: this.#canvas, id: thread };
    const answer = await this.#session.request(resolved ? "comments.resolve" : "comments.reopen", asked);
    this.#put(thread, readThread(answer.thread));
  }

  /** Look at a thread, by the id of any of its comments; resolves to the thread's id, null when it is not there. */
  async open(comment: string): Promise<string | null> {
    if (this.#threads.get().get(comment)?.waiting) {
      this.#reader.begin(comment);
      return comment;
    }
    return this.#reader.open(comment);
  }

  /** Look at no thread any more. */
  close(): void {
    this.#reader.close();
  }

  /** Whether a thread has something that this person has not read. */
  unread(thread: Thread): boolean {
    return !thread.waiting && thread.last_at > (this.read.get()[thread.id] ?? 0);
  }

  /** Note that a thread is read. What is lost on the way is noted the next time. */
  markRead(id: string): void {
    const thread = this.#known.get(id);
    if (!thread || !this.unread(thread)) return;
    this.#mark(id, thread.last_at);
    this.#session.request("comments.read", { canvas: this.#canvas, thread: id }).catch(() => {});
  }

  /** Note that everything on the canvas is read. */
  async markAllRead(): Promise<void> {
    await this.#session.request("comments.read", { canvas: this.#canvas });
    for (const thread of this.#known.values()) this.#mark(thread.id, thread.last_at);
  }

  /** Who can be mentioned; asked for once, and again after a failure or a reconnection. */
  members(): Promise<readonly Member[]> {
    this.#members ??= this.#session
      .request("canvases.members", { id: this.#canvas })
      .then(({ items }) => items)
      .catch((error: unknown) => {
        this.#members = null;
        throw error;
      });
    return this.#members;
  }

  /** What was being written in a thread, or at a new place (`new`). */
  draft(key: string): Draft {
    return this.#keep.read().drafts[key] ?? { text: "", people: [] };
  }

  /** Keep what is being written; an empty text is forgotten. */
  setDraft(key: string, draft: Draft): void {
    this.#keep.change((kept) => {
      const { [key]: _before, ...drafts } = kept.drafts;
      return { ...kept, drafts: draft.text.trim() === "" ? drafts : { ...drafts, [key]: draft } };
    });
  }

  end(): void {
    for (const stop of this.#end) stop();
    this.#outbox.end();
    this.#loading += 1;
  }

  async #resume(): Promise<void> {
    this.#members = null;
    this.#outbox.flush();
    void this.#reader.again();
    const loading = ++this.#loading;
    this.#changed = new Map();
    try {
      const found = await this.#readAll(() => loading === this.#loading);
      if (loading !== this.#loading) return;
      this.#known = found.threads;
      for (const [id, thread] of this.#changed) {
        if (thread) this.#known.set(id, thread);
        else this.#known.delete(id);
      }
      this.#changed = null;
      this.read.update((read) => ({ ...found.read, ...newer(read, found.read) }));
      this.ready.set(true);
      this.#publish();
    } catch (error) {
      // The next opening reads again; what is known stays.
      if (!(error instanceof ServerError)) throw error;
    }
  }

  async #readAll(wanted: () => boolean) {
    const threads = new Map<string, Thread>();
    const read: Record<string, number> = {};
    let after: string | null = null;
    do {
      const asked = { canvas: this.#canvas, state: "all" as const, limit: PAGE, after };
      const page: Answer<"comments.find"> = await this.#session.request("comments.find", asked);
      for (const view of page.items) threads.set(view.id, readThread(view));
      Object.assign(read, page.read);
      after = page.next;
    } while (after !== null && wanted());
    return { threads, read };
  }

  #receive(event: CommentsEvent): void {
    if (event.canvas !== this.#canvas) return;
    if (event.removed !== null) this.#reader.removed(event.id, event.removed);
    if (event.thread === null) this.#put(event.id, null);
    else this.#take(event.id, readThread(event.thread), event.comment);
  }

  /** Take a thread and a comment of it as they are now. */
  #take(id: string, thread: Thread, comment: Comment | null): void {
    if (comment) {
      this.#outbox.arrived(comment.id);
      this.#reader.put(comment);
      if (comment.author.id === this.user.id && comment.created_at === thread.last_at)
        this.#mark(id, thread.last_at);
    }
    this.#put(id, thread);
  }

  /** The canvas is not this person's to see any more. */
  #forget(): void {
    this.#loading += 1;
    this.#known.clear();
    this.#members = null;
    this.#reader.close();
    this.#publish();
  }

  #put(id: string, thread: Thread | null): void {
    this.#changed?.set(id, thread);
    if (thread) this.#known.set(id, thread);
    else this.#known.delete(id);
    this.#publish();
  }

  #mark(id: string, at: number): void {
    if ((this.read.get()[id] ?? 0) < at) this.read.update((read) => ({ ...read, [id]: at }));
  }

  #publish(): void {
    const all = [...this.#known.values()];
    for (const one of this.#outbox.waiting.get()) {
      if (one.thread === one.id && one.at && !this.#known.has(one.id))
        all.push(unsent(one, this.#canvas, this.user));
    }
    all.sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
    this.#threads.set(new Map(all.map((thread) => [thread.id, thread])));
  }
}

/** Marks that are later than what the server has: their request is still on its way. */
function newer(mine: Readonly<Record<string, number>>, theirs: Readonly<Record<string, number>>) {
  return Object.fromEntries(Object.entries(mine).filter(([id, at]) => at > (theirs[id] ?? 0)));
}

function unsent(one: Waiting, canvas: string, author: Author): Thread {
  return {
    id: one.id,
    canvas,
    author,
    node: one.node,
    at: one.at ?? [0, 0],
    excerpt: one.text,
    created_at: one.createdAt,
    last_at: one.createdAt,
    count: 1,
    resolved_at: null,
    resolved_by: null,
    waiting: true,
  };
}

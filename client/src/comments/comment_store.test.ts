/** What is written here reaches the server once, and what others write is here, whatever the line does. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ErrorBody } from "../protocol";
import { FakeServer, type FakeSocket, settle } from "../testing/fake_server";
import { CommentStore } from "./comment_store";
import { Inbox, type MentionApi } from "./inbox";
import { memoryKeep } from "./keep";

const ADA = { id: "ada", name: "Ada" };
const GRACE = { id: "grace", name: "Grace" };

interface Kept {
  id: string;
  thread: string;
  author: typeof ADA;
  text: string;
  created_at: number;
  edited_at: number | null;
  mentions: Record<string, string>;
}

/** The comments of one canvas, as the server has them. */
class Comments {
  readonly all: Kept[] = [];
  readonly resolved = new Set<string>();
  readonly creates: string[] = [];
  read: Record<string, number> = {};
  /** Refuses, or loses the answer of, what is created next. */
  fate: ErrorBody | "lose answer" | null = null;
  clock = 100;

  constructor(readonly server: FakeServer) {
    server.answers.set("comments.find", () => ({
      items: this.all.filter((one) => one.id === one.thread).map((one) => this.thread(one.id)),
      read: this.read,
      next: null,
    }));
    server.answers.set("comments.get", ({ id }) => {
      const thread = this.all.find((one) => one.id === id)?.thread;
      if (!thread) return { ok: false, error: { code: "not_found", message: "There is no such comment." } };
      return { thread: this.thread(thread), comments: this.in(thread), next: null };
    });
    server.answers.set("comments.create", ({ id, text, thread }) => {
      this.creates.push(String(id));
      const { fate } = this;
      this.fate = null;
      if (fate !== null && fate !== "lose answer") return { ok: false, error: fate };
      const made = this.add(ADA, String(text), (thread as string | undefined) ?? null, String(id));
      if (fate === "lose answer") {
        for (const socket of [...server.sockets]) socket.cut();
        return {};
      }
      return { thread: this.thread(made.thread), comment: made };
    });
    server.answers.set("comments.remove", ({ id }) => {
      this.remove(String(id));
      return {};
    });
  }

  add(author: typeof ADA, text: string, thread: string | null, id = `c${this.all.length}`): Kept {
    const known = this.all.find((one) => one.id === id);
    if (known) return known;
    this.clock += 1;
    const made = {
      id,
      thread: thread ?? id,
      author,
      text,
      created_at: this.clock,
      edited_at: null,
      mentions: {},
    };
    this.all.push(made);
    this.tell(made.thread, { comment: made });
    return made;
  }

  remove(id: string): void {
    const gone = this.all.find((one) => one.id === id);
    const left = this.all.filter((one) => one.id !== id && one.thread !== id);
    this.all.splice(0, this.all.length, ...left);
    if (gone) this.tell(gone.thread, { removed: id });
  }

  in(thread: string): Kept[] {
    return this.all.filter((one) => one.thread === thread);
  }

  thread(id: string): object | null {
    const inside = this.in(id);
    const [first] = inside;
    if (!first) return null;
    return {
      id,
      canvas: "c",
      author: first.author,
      node: null,
      at: [1, 2],
      excerpt: first.text,
      created_at: first.created_at,
      last_at: inside.at(-1)?.created_at,
      count: inside.length,
      resolved_at: this.resolved.has(id) ? 1 : null,
      resolved_by: null,
    };
  }

  tell(id: string, more: object): void {
    const event = { canvas: "c", id, thread: this.thread(id), comment: null, removed: null, ...more };
    for (const socket of this.server.sockets) socket.emit("canvas.comments", event);
  }
}

interface World {
  server: FakeServer;
  comments: Comments;
  socket: FakeSocket;
  store: CommentStore;
  /** What the document does after each opening. */
  opened: () => void;
  connect: () => Promise<void>;
}

function world(keep = memoryKeep()): World {
  const server = new FakeServer();
  const comments = new Comments(server);
  const { session, socket } = server.session();
  let opened = () => {};
  const source = {
    canvas: "c",
    onOpened: (listener: () => void) => {
      opened = listener;
      return () => {};
    },
  };
  const store = new CommentStore(session, source, ADA, keep);
  session.onOnline(() => opened());
  const connect = async () => {
    session.connect();
    await settle();
  };
  return { server, comments, socket, store, opened: () => opened(), connect };
}

const texts = (store: CommentStore) => store.opened.get()?.comments.map((one) => one.text) ?? [];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("threads are read when the canvas opens, and follow what others do", async () => {
  const { comments, store, connect } = world();
  comments.add(GRACE, "One", null, "t1");
  await connect();
  expect(store.ready.get()).toBe(true);
  comments.add(GRACE, "Two", null, "t2");
  expect([...store.threads.get().keys()]).toEqual(["t2", "t1"]);
  comments.remove("t1");
  expect([...store.threads.get().keys()]).toEqual(["t2"]);
});

test("what a tab misses while it is away is read when it comes back", async () => {
  const { server, comments, store, socket, connect } = world();
  comments.add(GRACE, "One", null, "t1");
  await connect();
  await store.open("t1");
  server.reachable = false;
  socket.cut();
  comments.add(GRACE, "Reply", "t1", "r1");
  comments.add(GRACE, "Two", null, "t2");
  server.reachable = true;
  await vi.advanceTimersByTimeAsync(50);
  expect([...store.threads.get().keys()]).toEqual(["t2", "t1"]);
  expect(texts(store)).toEqual(["One", "Reply"]);
});

test("what is said while all is read counts more than what was read", async () => {
  const { server, comments, store, connect } = world();
  comments.add(GRACE, "One", null, "t1");
  const find = server.answers.get("comments.find");
  server.answers.set("comments.find", (asked) => {
    const before = find?.(asked) ?? {};
    comments.remove("t1");
    comments.add(GRACE, "Two", null, "t2");
    server.answers.set("comments.find", find ?? (() => ({})));
    return before;
  });
  await connect();
  expect([...store.threads.get().keys()]).toEqual(["t2"]);
});

test("a comment is shown at once and is there once, with its thread", async () => {
  const { comments, store, connect } = world();
  await connect();
  const id = store.begin("Why?", { node: null, at: [5, 6] });
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(store.threads.get().get(id)).toMatchObject({ waiting: true, at: [5, 6], excerpt: "Why?" });
  await store.open(id);
  await settle();
  expect(store.threads.get().get(id)?.waiting).toBe(false);
  expect(store.waiting.get()).toEqual([]);
  store.reply(id, "Because");
  await settle();
  expect(texts(store)).toEqual(["Why?", "Because"]);
  expect(comments.in(id)).toHaveLength(2);
});

test("a comment written offline is kept, also over a reload, and sent in order", async () => {
  const keep = memoryKeep();
  const before = world(keep);
  const id = before.store.begin("Offline", { node: null, at: [0, 0] });
  before.store.reply(id, "More");
  await settle();
  expect(before.store.threads.get().get(id)?.waiting).toBe(true);
  before.store.end();
  const after = world(keep);
  expect(after.store.waiting.get().map((one) => one.text)).toEqual(["Offline", "More"]);
  await after.connect();
  await settle();
  expect(after.comments.all.map((one) => one.text)).toEqual(["Offline", "More"]);
  expect(after.store.waiting.get()).toEqual([]);
  expect(keep.read().waiting).toEqual([]);
});

test("a comment whose answer was lost is sent again with its id", async () => {
  const { comments, store, connect } = world();
  await connect();
  comments.fate = "lose answer";
  const id = store.begin("Once", { node: null, at: [0, 0] });
  await vi.advanceTimersByTimeAsync(100);
  await settle();
  expect(comments.all.map((one) => one.id)).toEqual([id]);
  expect(store.waiting.get()).toEqual([]);
});

test("a refusal is shown with the text, which can be sent again or given up", async () => {
  const { comments, store, connect } = world();
  await connect();
  comments.fate = { code: "cannot_mention", message: "Only people who may see the canvas." };
  const id = store.begin("Hello", { node: null, at: [0, 0] });
  await settle();
  expect(store.waiting.get()[0]).toMatchObject({ text: "Hello", error: { code: "cannot_mention" } });
  store.retry(id);
  await settle();
  expect(comments.in(id)).toHaveLength(1);
  comments.fate = { code: "too_many_threads", message: "Too many." };
  const other = store.begin("Never", { node: null, at: [0, 0] });
  await settle();
  store.discard(other);
  expect(store.waiting.get()).toEqual([]);
  expect(store.threads.get().has(other)).toBe(false);
});

test("what others write is unread until it is looked at, and one's own never is", async () => {
  const { server, comments, store, connect } = world();
  const asked: unknown[] = [];
  server.answers.set("comments.read", (payload) => {
    asked.push(payload);
    return {};
  });
  comments.add(GRACE, "One", null, "t1");
  await connect();
  const unread = (id: string) => {
    const thread = store.threads.get().get(id);
    return thread !== undefined && store.unread(thread);
  };
  expect(unread("t1")).toBe(true);
  store.markRead("t1");
  store.markRead("t1");
  await settle();
  expect(unread("t1")).toBe(false);
  expect(asked).toEqual([{ canvas: "c", thread: "t1" }]);
  const mine = store.begin("Mine", { node: null, at: [0, 0] });
  await settle();
  expect(unread(mine)).toBe(false);
  comments.add(GRACE, "Reply", mine, "r1");
  expect(unread(mine)).toBe(true);
});

test("a comment that is not there says so", async () => {
  const { store, connect } = world();
  await connect();
  expect(await store.open("gone")).toBeNull();
  expect(store.opened.get()?.error?.code).toBe("not_found");
  store.close();
  expect(store.opened.get()).toBeNull();
});

test("a removal while a thread is read is not undone by what was read", async () => {
  const { server, comments, store, connect } = world();
  comments.add(GRACE, "One", null, "t1");
  comments.add(GRACE, "Two", "t1", "r1");
  await connect();
  const get = server.answers.get("comments.get");
  server.answers.set("comments.get", (asked) => {
    const before = get?.(asked) ?? {};
    comments.remove("r1");
    return before;
  });
  await store.open("t1");
  expect(texts(store)).toEqual(["One"]);
});

test("who loses the canvas has its comments no more", async () => {
  const { comments, store, socket, connect } = world();
  comments.add(GRACE, "Secret", null, "t1");
  await connect();
  await store.open("t1");
  socket.emit("canvas.role", { canvas: "c", role: null });
  expect(store.threads.get().size).toBe(0);
  expect(store.opened.get()).toBeNull();
});

test("a draft is kept until it is emptied", () => {
  const { store } = world();
  store.setDraft("t1", { text: "Half a tho", people: [] });
  expect(store.draft("t1").text).toBe("Half a tho");
  store.setDraft("t1", { text: " ", people: [] });
  expect(store.draft("t1").text).toBe("");
});

test("the inbox counts what comes, and what is read", async () => {
  const mention = {
    comment: "m1",
    thread: "m1",
    canvas: "c",
    canvas_name: "One",
    author: GRACE,
    excerpt: "Hi @Ada",
    created_at: 5,
    read_at: null,
  };
  const calls: unknown[] = [];
  const api: MentionApi = {
    get: async <T>(path: string) => {
      calls.push(path);
      return { items: [mention], unread: 1, next: null } as T;
    },
    post: async <T>(path: string, body?: object) => {
      calls.push([path, body]);
      return { unread: 0 } as T;
    },
  };
  const inbox = new Inbox(api);
  const { server, socket } = world();
  const { session } = server.session();
  inbox.follow(session);
  session.connect();
  await settle();
  expect(inbox.unread.get()).toBe(1);
  const [line] = server.sockets;
  line?.emit("user.mentions", { unread: 2, mention: { ...mention, comment: "m2" } });
  expect(inbox.unread.get()).toBe(2);
  expect(inbox.mentions.get().map((one) => one.comment)).toEqual(["m2", "m1"]);
  await inbox.markRead("m2");
  expect(inbox.unread.get()).toBe(0);
  expect(inbox.mentions.get()[0]?.read_at).not.toBeNull();
  expect(calls).toEqual(["/v1/mentions", ["/v1/mentions/read", { comment: "m2" }]]);
  inbox.clear();
  expect(inbox.mentions.get()).toEqual([]);
  expect(socket.connected).toBe(false);
});

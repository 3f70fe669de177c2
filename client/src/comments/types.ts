/** What comments are, in the browser. */
import type { Announced, Answer, ErrorBody, Pair } from "../protocol";

type ThreadView = Answer<"comments.find">["items"][number];

/** Somebody, by the name they have now. */
export type Author = ThreadView["author"];

/** One comment; `mentions` has the names that mentioned people have now, by user id. */
export type Comment = Answer<"comments.get">["comments"][number];

/** A thread at a node or a place; its id is its first comment's. Times are Unix seconds. */
export interface Thread extends Omit<ThreadView, "at"> {
  /** Where it is; for a node, where that was last. */
  readonly at: Pair;
  /** Begun here and not yet on the server. */
  readonly waiting: boolean;
}

/** A comment that was written here and is not yet on the server. */
export interface Waiting {
  readonly id: string;
  /** Its thread; its own id for the first of one. */
  readonly thread: string;
  readonly text: string;
  readonly node: string | null;
  readonly at: Pair | null;
  readonly createdAt: number;
  /** Why the server refused it; null while it is only on its way. */
  readonly error: ErrorBody | null;
}

/** The thread that is looked at, with its comments, oldest first. */
export interface OpenedThread {
  readonly id: string;
  readonly comments: readonly Comment[];
  /** Whether all its comments are here. */
  readonly whole: boolean;
  readonly error: ErrorBody | null;
}

/** Where a new thread begins. */
export interface NewPlace {
  readonly node: string | null;
  readonly at: Pair;
}

/** A mention of the person at this tab. */
export type Mention = Answer<"mentions.find">["items"][number];

/** What the server says of a change. */
export type CommentsEvent = Announced<"canvas.comments">;

/** Read a thread as it comes over the wire. */
export function readThread(view: ThreadView): Thread {
  const [x, y] = view.at;
  return { ...view, at: [Number(x), Number(y)], waiting: false };
}

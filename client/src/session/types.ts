/** What others may use of the session: one socket to the server. */
import type { Announced, Announcement, Answer, Asked, ErrorBody, Operation } from "../protocol";
import type { Readable } from "../store";

/** Where the connection stands. */
export type SessionStatus =
  | { readonly state: "connecting"; readonly attempt: number }
  | { readonly state: "online" }
  /** Lost; tries again by itself at `retryAt` (milliseconds since 1970). */
  | { readonly state: "offline"; readonly attempt: number; readonly retryAt: number; readonly reason: string }
  /** The server does not let this person in (again); signing in anew is the way on. */
  | { readonly state: "refused"; readonly error: ErrorBody }
  /** The server said that it is about to stop; the session comes back by itself. */
  | { readonly state: "stopping"; readonly reason: string }
  /** Closed by this page. */
  | { readonly state: "closed" };

/** How to make one request. */
export interface RequestOptions {
  /** Milliseconds until the request counts as unanswered; 10 000 when left out. */
  timeout?: number;
}

/** What comes after the event's name; the payload may be left out where no field is needed. */
export type Request<E extends Operation> =
  Record<never, never> extends Asked<E>
    ? [payload?: Asked<E>, options?: RequestOptions]
    : [payload: Asked<E>, options?: RequestOptions];

/** A connection that keeps itself up. Implemented by `Session`. */
export interface Connection {
  readonly status: Readable<SessionStatus>;
  /** Send `event` and wait for the answer without its `ok`; rejects with a ProtocolError. */
  request<E extends Operation>(event: E, ...rest: Request<E>): Promise<Answer<E>>;
  /** Call `listener` for each `event` of the server; returns the function that ends it. */
  on<E extends Announcement>(event: E, listener: (data: Announced<E>) => void): () => void;
  /** Call `listener` now if online, and after every (re)connection; returns the function that ends it. */
  onOnline(listener: () => void): () => void;
}

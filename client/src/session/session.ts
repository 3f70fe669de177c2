/** One socket to the server, kept up through lost connections. */
import { ProtocolError } from "../api/errors";
import type { Announced, Announcement, Answer, ErrorBody, Operation } from "../protocol";
import { Store } from "../store";
import { type BackoffRange, backoff } from "./backoff";
import { type ConnectFailure, socketTransport, type Transport, type TransportFactory } from "./transport";
import type { Connection, Request, SessionStatus } from "./types";

/** What a session needs to know. */
export interface SessionOptions {
  /** A token for each connection, or null to come by cookie. */
  token?: () => Promise<string | null>;
  /** Told when the server refused the token, so that the next one is fresh. */
  rejectToken?: () => void;
  /** The server; this page's when left out. */
  url?: string;
  transport?: TransportFactory;
  backoff?: BackoffRange;
}

const TIMEOUT_MS = 10_000;
const BACKOFF: BackoffRange = { first: 500, longest: 15_000 };
/** How many times longer the first wait is when the server stops: all tabs lose it at once, and it takes a while. */
const STOPPING = 4;
/** How many times longer a tab waits that nobody looks at. */
const HIDDEN = 2;
/** Refusals that a fresh token may cure. */
const TOKEN_CODES = new Set(["token_expired", "token_invalid", "unauthenticated"]);
/** Refusals that time may cure. */
const PASSING_CODES = new Set([
  "unavailable",
  "store_unavailable",
  "rate_limited",
  "too_many_sockets",
  "internal",
]);

/**
 * A connection that keeps itself up: see `Connection`.
 *
 * It waits with exponential backoff and jitter between attempts, and tries at once when the browser says that
 * the network is back or the tab is looked at again. A tab that nobody looks at waits longer, and all wait longer
 * for a server that said it stops: those who come back are spread. A refusal by the server ends it until `connect` is called.
 * Nothing is queued here: a request while offline is rejected, and its caller knows what to send again.
 */
export class Session implements Connection {
  readonly status = new Store<SessionStatus>({ state: "closed" });
  readonly #options: SessionOptions;
  readonly #transport: Transport;
  readonly #listeners = new Map<string, Set<(data: never) => void>>();
  readonly #onlineListeners = new Set<() => void>();
  #wanted = false;
  #attempt = 0;
  #tokenRefused = false;
  /** What the server said before it cut the connection, which may come back. */
  #cut: string | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(options: SessionOptions = {}) {
    this.#options = options;
    const make = options.transport ?? socketTransport(options.url);
    this.#transport = make(
      {
        connected: () => this.#connected(),
        failed: (failure) => this.#failed(failure),
        disconnected: (reason) => this.#disconnected(reason),
        event: (name, data) => this.#receive(name, data),
      },
      options.token ?? (async () => null),
    );
  }

  /** Connect, and stay connected until `close`. */
  connect(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#attempt = 0;
    this.#tokenRefused = false;
    globalThis.addEventListener?.("online", this.#retryNow);
    globalThis.document?.addEventListener("visibilitychange", this.#retryNow);
    this.#try();
  }

  /** Disconnect for good. */
  close(): void {
    this.#stop({ state: "closed" });
  }

  async request<E extends Operation>(event: E, ...[payload, options]: Request<E>): Promise<Answer<E>> {
    const now = this.status.get().state;
    if (now !== "online" && now !== "stopping") {
      throw new ProtocolError({ code: "offline", message: "There is no connection to the server." });
    }
    return readAck(event, await this.#send(event, payload ?? {}, options?.timeout ?? TIMEOUT_MS));
  }

  on<E extends Announcement>(event: E, listener: (data: Announced<E>) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  onOnline(listener: () => void): () => void {
    this.#onlineListeners.add(listener);
    if (this.status.get().state === "online") call(listener, undefined);
    return () => {
      this.#onlineListeners.delete(listener);
    };
  }

  async #send(event: string, payload: object, timeout: number): Promise<unknown> {
    try {
      return await this.#transport.send(event, payload, timeout);
    } catch {
      const lost = this.status.get().state !== "online" && this.status.get().state !== "stopping";
      throw new ProtocolError(
        lost
          ? { code: "disconnected", message: `The connection was lost before ${event} was answered.` }
          : { code: "timeout", message: `The server did not answer ${event} within ${timeout / 1000} s.` },
      );
    }
  }

  #try(): void {
    this.#timer = null;
    this.#attempt += 1;
    this.status.set({ state: "connecting", attempt: this.#attempt });
    this.#transport.connect();
  }

  #connected(): void {
    this.#attempt = 0;
    this.#tokenRefused = false;
    this.status.set({ state: "online" });
    for (const listener of [...this.#onlineListeners]) call(listener, undefined);
  }

  #failed(failure: ConnectFailure): void {
    if (!this.#wanted) return;
    const { refused } = failure;
    if (refused && !PASSING_CODES.has(refused.code)) {
      if (!TOKEN_CODES.has(refused.code) || this.#tokenRefused) {
        this.#stop({ state: "refused", error: refused });
        return;
      }
      this.#tokenRefused = true;
      this.#options.rejectToken?.();
    }
    this.#retryLater(refused?.message ?? "The server cannot be reached.");
  }

  #disconnected(reason: string): void {
    if (!this.#wanted) return;
    const was = this.status.get();
    const why = this.#cut;
    this.#cut = null;
    if (was.state === "stopping") this.#retryLater(was.reason, STOPPING);
    else this.#retryLater(why ?? DISCONNECT_REASONS[reason] ?? reason);
  }

  /** Try again after a while, at most `spread` times as long as usual. */
  #retryLater(reason: string, spread = 1): void {
    const { first, longest } = this.#options.backoff ?? BACKOFF;
    const slow = spread * (globalThis.document?.visibilityState === "hidden" ? HIDDEN : 1);
    const wait = backoff(Math.max(1, this.#attempt), { first: first * slow, longest: longest * slow });
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#try(), wait);
    this.status.set({ state: "offline", attempt: this.#attempt, retryAt: Date.now() + wait, reason });
  }

  readonly #retryNow = () => {
    if (!this.#timer || globalThis.document?.visibilityState === "hidden") return;
    clearTimeout(this.#timer);
    this.#try();
  };

  #stop(status: SessionStatus): void {
    this.#wanted = false;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    globalThis.removeEventListener?.("online", this.#retryNow);
    globalThis.document?.removeEventListener("visibilitychange", this.#retryNow);
    this.status.set(status);
    this.#transport.disconnect();
  }

  /** The server is about to hang up. What a fresh token may cure is tried again, all else ends the session. */
  #revoked(error: ErrorBody): void {
    if (TOKEN_CODES.has(error.code)) this.#options.rejectToken?.();
    else this.#stop({ state: "refused", error });
  }

  #receive(name: string, data: unknown): void {
    if (name === "session.revoked") this.#revoked(revocation(data));
    if (name === "session.resync") this.#cut = revocation(data).message;
    if (name === "server.stopping") this.status.set({ state: "stopping", reason: "The server is stopping." });
    for (const listener of [...(this.#listeners.get(name) ?? [])]) call(listener, data);
  }
}

const DISCONNECT_REASONS: Record<string, string> = {
  "io server disconnect": "The server closed the connection.",
  "ping timeout": "The server has not been heard of for a while.",
  "transport close": "The connection was lost.",
  "transport error": "The connection broke.",
};

function revocation(data: unknown): ErrorBody {
  const body = (data ?? {}) as Partial<ErrorBody> & { reason?: string };
  return {
    code: body.code ?? "session_revoked",
    message: body.message ?? body.reason ?? "The session was ended by the server.",
  };
}

/** Call a listener; its error is reported and stops nobody else. */
function call(listener: (data: never) => void, data: unknown): void {
  try {
    listener(data as never);
  } catch (error) {
    console.error("A listener of the session failed", error);
  }
}

function readAck<T>(event: string, ack: unknown): T {
  if (typeof ack === "object" && ack !== null && "ok" in ack) {
    const { ok, error, ...answer } = ack as { ok: boolean; error?: ErrorBody };
    if (ok === true) return answer as T;
    if (error) throw new ProtocolError(error);
  }
  throw new ProtocolError({
    code: "malformed_answer",
    message: `The server's answer to ${event} is malformed.`,
  });
}

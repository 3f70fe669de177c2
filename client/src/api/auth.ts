/**
 * Signing in, and an access token that is always good.
 *
 * The access token lives in this object only. What outlives the page is the refresh token, in a cookie that
 * scripts cannot read. The server takes each refresh token once, so tabs take turns (by a Web Lock): a token that
 * comes again looks stolen and ends the sign-in, but for the few seconds that it takes two tabs to meet.
 */
import type { User } from "../protocol";
import { Store } from "../store";
import { Api, type Fetch, type TokenSource } from "./api";
import { ApiError } from "./errors";
import type { Authentication, SignedIn } from "./types";

/** A token this much older than its end is refreshed before it is used. */
const MARGIN_MS = 30_000;
const LOCK = "spellwork-refresh";

interface TokenAnswer {
  access_token: string;
  /** Seconds. */
  expires_in?: number;
  user?: User;
}

/** See `Authentication`; also the token source of the `Api`. */
export class Auth implements Authentication, TokenSource {
  readonly user = new Store<SignedIn>(undefined);
  readonly #api: Api;
  #token: string | null = null;
  /** When the token came, in milliseconds of two clocks. */
  #got = { wall: 0, page: 0 };
  /** Milliseconds that it is good for. */
  #lasts = 0;
  #refreshing: Promise<boolean> | null = null;

  constructor(options: { base?: string; fetch?: Fetch } = {}) {
    this.#api = new Api({ ...options, tokens: null });
  }

  async restore(): Promise<User | null> {
    if (!(await this.#refresh())) {
      this.#forget();
      return null;
    }
    return this.user.get() ?? null;
  }

  login(email: string, password: string): Promise<User> {
    return this.#signIn("/v1/auth/login", { email, password });
  }

  link(token: string): Promise<User> {
    return this.#signIn("/v1/auth/link", { token });
  }

  async join(token: string, name: string, password: string): Promise<string> {
    const answer = await this.#api.post<TokenAnswer & { canvas: string }>("/v1/invitations/join", {
      token,
      name,
      password,
    });
    this.user.set(await this.#accept(answer));
    return answer.canvas;
  }

  async rename(name: string): Promise<User> {
    await this.token();
    const user = await this.#withToken().patch<User>("/v1/auth/me", { name });
    this.user.set(user);
    return user;
  }

  async logout(): Promise<void> {
    try {
      await this.#withToken().post("/v1/auth/logout");
    } finally {
      this.#forget();
    }
  }

  leave(): void {
    this.#forget();
  }

  async token(): Promise<string | null> {
    if (this.user.get() === null) return null;
    if (this.#token && this.#isFresh()) return this.#token;
    if (!(await this.#refresh())) this.#forget();
    return this.#token;
  }

  reject(token: string): void {
    if (token === this.#token) this.#token = null;
  }

  async #signIn(path: string, body: object): Promise<User> {
    const user = await this.#accept(await this.#api.post<TokenAnswer>(path, body));
    this.user.set(user);
    return user;
  }

  /** Take a fresh token by the cookie; false when it is not good any more. One at a time. */
  #refresh(): Promise<boolean> {
    this.#refreshing ??= inTurn(() => this.#refreshNow()).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #refreshNow(): Promise<boolean> {
    try {
      // A page that is left meanwhile does not take the answer's cookie along: the old one is good no more.
      const answer = this.#api.post<TokenAnswer>("/v1/auth/refresh", undefined, { keepalive: true });
      const user = await this.#accept(await answer);
      this.user.set(user);
      return true;
    } catch (error) {
      // Only a clear no signs the person out; an unreachable server may be back in a moment.
      if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) {
        return false;
      }
      throw error;
    }
  }

  async #accept(answer: TokenAnswer): Promise<User> {
    this.#token = answer.access_token;
    this.#got = { wall: Date.now(), page: performance.now() };
    this.#lasts = (answer.expires_in ?? 300) * 1000;
    return answer.user ?? this.user.get() ?? (await this.#withToken().get<User>("/v1/auth/me"));
  }

  #withToken(): Api {
    const base = this.#api;
    const token = this.#token;
    return base.with({ token: async () => token, reject: () => {} });
  }

  #forget(): void {
    this.#token = null;
    this.#lasts = 0;
    this.user.set(null);
  }

  /** By the wall clock, which may be set to another time, and by the page's, which may stand still in sleep. */
  #isFresh(): boolean {
    const wall = Date.now() - this.#got.wall;
    const page = performance.now() - this.#got.page;
    return wall >= 0 && Math.max(wall, page) < this.#lasts - MARGIN_MS;
  }
}

/** Run `work` when no other tab of this browser is at it. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  return locks ? (locks.request(LOCK, work) as Promise<T>) : work();
}

/** What others may use of REST and of signing in. */
import type { User } from "../protocol";
import type { Readable } from "../store";

/** How to make one call. */
export interface CallOptions {
  query?: Record<string, string | number | boolean | null | undefined>;
  signal?: AbortSignal;
  /** Bring it to its end though the page is left meanwhile. */
  keepalive?: boolean;
}

/** JSON over HTTP with the access token; every method rejects with an ApiError. Implemented by `Api`. */
export interface Rest {
  get<T = unknown>(path: string, options?: CallOptions): Promise<T>;
  post<T = unknown>(path: string, body?: object, options?: CallOptions): Promise<T>;
  put<T = unknown>(path: string, body?: object, options?: CallOptions): Promise<T>;
  patch<T = unknown>(path: string, body?: object, options?: CallOptions): Promise<T>;
  delete<T = unknown>(path: string, options?: CallOptions): Promise<T>;
}

/** Who is signed in: `undefined` until known, null when nobody. */
export type SignedIn = User | null | undefined;

/** Signing in and out. The access token lives in memory only; the refresh token is a cookie scripts can't read. */
export interface Authentication {
  readonly user: Readable<SignedIn>;
  /** Find out who is signed in by the cookie; call once when the page starts. */
  restore(): Promise<User | null>;
  login(email: string, password: string): Promise<User>;
  /** Sign in by a one-time link's token. */
  link(token: string): Promise<User>;
  /** Make the account that an invitation is for, and sign in; resolves to the id of its canvas. */
  join(token: string, name: string, password: string): Promise<string>;
  /** Be called otherwise, in everybody's sight. */
  rename(name: string): Promise<User>;
  logout(): Promise<void>;
  /** Forget who is signed in, because another tab of this browser signed out. */
  leave(): void;
  /** A token good for at least 30 s, refreshed when needed; null when nobody is signed in. */
  token(): Promise<string | null>;
}

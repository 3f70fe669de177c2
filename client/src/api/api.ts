/** JSON over HTTP: one fetch, one error type, and one retry with a fresh access token. */
import type { ErrorBody } from "../protocol";
import { ApiError } from "./errors";
import type { CallOptions, Rest } from "./types";

/** Where the access token comes from. */
export interface TokenSource {
  /** A token that is good now, or null. */
  token(): Promise<string | null>;
  /** The server refused this token: do not give it again. */
  reject(token: string): void;
}

/** What replaces `fetch` in tests. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * The server's REST interface.
 *
 * A call refused with 401 is sent once more with a fresh token; the server refuses before it acts, so nothing
 * happens twice. No other call is repeated.
 */
export class Api implements Rest {
  readonly #base: string;
  readonly #tokens: TokenSource | null;
  readonly #fetch: Fetch;

  constructor(options: { base?: string; tokens?: TokenSource | null; fetch?: Fetch } = {}) {
    this.#base = options.base ?? "";
    this.#tokens = options.tokens ?? null;
    this.#fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  }

  /** The same server, with another source of tokens. */
  with(tokens: TokenSource): Api {
    return new Api({ base: this.#base, fetch: this.#fetch, tokens });
  }

  get<T>(path: string, options?: CallOptions): Promise<T> {
    return this.#call("GET", path, undefined, options);
  }

  post<T>(path: string, body?: object, options?: CallOptions): Promise<T> {
    return this.#call("POST", path, body ?? {}, options);
  }

  put<T>(path: string, body?: object, options?: CallOptions): Promise<T> {
    return this.#call("PUT", path, body ?? {}, options);
  }

  patch<T>(path: string, body?: object, options?: CallOptions): Promise<T> {
    return this.#call("PATCH", path, body ?? {}, options);
  }

  delete<T>(path: string, options?: CallOptions): Promise<T> {
    return this.#call("DELETE", path, undefined, options);
  }

  async #call<T>(method: string, path: string, body?: object, options: CallOptions = {}): Promise<T> {
    const url = this.#base + path + queryString(options.query);
    const token = (await this.#tokens?.token()) ?? null;
    let response = await this.#send(method, url, body, token, options);
    if (response.status === 401 && token && this.#tokens) {
      this.#tokens.reject(token);
      const fresh = await this.#tokens.token();
      if (fresh) response = await this.#send(method, url, body, fresh, options);
    }
    return readAnswer<T>(response);
  }

  async #send(
    method: string,
    url: string,
    body: object | undefined,
    token: string | null,
    { signal, keepalive }: CallOptions,
  ): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    const init: RequestInit = { method, headers, credentials: "same-origin" };
    if (body) init.body = JSON.stringify(body);
    if (signal) init.signal = signal;
    if (keepalive) init.keepalive = true;
    try {
      return await this.#fetch(url, init);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError({ code: "unreachable", message: "The server cannot be reached." }, 0);
    }
  }
}

function queryString(query: CallOptions["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text && `?${text}`;
}

async function readAnswer<T>(response: Response): Promise<T> {
  const text = await response.text();
  let body: unknown = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    // Not ours: a proxy's page, or a server that died while it answered.
    if (response.ok) {
      throw new ApiError({ code: "not_json", message: "The server's answer is not JSON." }, response.status);
    }
  }
  if (response.ok) return body as T;
  const error = (body as { error?: ErrorBody } | null)?.error;
  throw new ApiError(
    error ?? { code: `http_${response.status}`, message: `The server answered ${response.status}.` },
    response.status,
  );
}

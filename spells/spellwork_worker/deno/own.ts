/** What a cell says progress and logs with, and asks the server for: `spellwork`, and `fetch` by way of it. */

import type { Level } from "./printed.ts";
import {
  fieldNames,
  freeze,
  fromJson,
  fromUtf8,
  maximum,
  minimum,
  NativeError,
  numberOf,
  startsWith,
  textOf,
} from "./primordials.ts";

/** What the calls do for `spellwork`. */
export interface Server {
  progress(fraction: number | null, message: string): void;
  log(message: string, level: Level): void;
  ask(what: string, fields: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/** The server refused what was asked for, or could not do it. */
export class RequestError extends NativeError {
  override name = "RequestError";
  readonly retryable = true;
  constructor(message: string, readonly code: string) {
    super(message);
  }
}

interface Asked {
  headers?: Record<string, string>;
  params?: Record<string, string>;
  json?: unknown;
  content?: string | Uint8Array;
  timeout?: number;
}

interface Told {
  status: number;
  headers: Record<string, string>;
  content: Uint8Array;
  url: string;
}

const LEVELS: Record<string, Level> = freeze({
  __proto__: null,
  debug: "debug",
  info: "info",
  warn: "warning",
  warning: "warning",
  error: "error",
}) as never;

/** Put `spellwork` and a `fetch` that asks the server where cells find them. */
export function offer(server: Server): void {
  const nativeFetch = globalThis.fetch;
  const NativeRequest = Request;
  const NativeResponse = Response;

  const request = (method: string, url: string | URL, asked: Asked = {}) => made("request", method, url, asked);

  async function made(what: string, method: string, url: string | URL, asked: Asked) {
    if (asked.json !== undefined && asked.content !== undefined) {
      throw new TypeError("a request has json or content, not both");
    }
    const fields: Record<string, unknown> = {
      method: textOf(method),
      url: textOf(url),
      headers: texts(asked.headers),
      params: texts(asked.params),
      timeout: asked.timeout ?? 30,
    };
    if (asked.json !== undefined) fields.json = asked.json;
    if (asked.content !== undefined) fields.content = asked.content;
    const told = (await server.ask(what, fields)) as unknown as Told;
    return freeze({
      status: told.status,
      headers: told.headers,
      content: told.content,
      url: told.url,
      ok: told.status >= 200 && told.status < 300,
      text: fromUtf8(told.content),
      json: () => fromJson(fromUtf8(told.content)),
    });
  }

  const spellwork = freeze({
    progress(fraction: number | null, message = "") {
      server.progress(fraction === null ? null : minimum(1, maximum(0, numberOf(fraction) || 0)), textOf(message));
    },
    log(message: unknown, level = "info") {
      server.log(textOf(message), LEVELS[level] ?? "info");
    },
    request,
    RequestError,
  });
  Object.defineProperty(globalThis, "spellwork", { value: spellwork, writable: false, configurable: false });

  globalThis.fetch = async (input, init) => {
    const wanted = new NativeRequest(input as Request, init);
    if (!startsWith(wanted.url, "http:") && !startsWith(wanted.url, "https:")) return await nativeFetch(wanted);
    const headers: Record<string, string> = {};
    wanted.headers.forEach((value, name) => {
      headers[name] = value;
    });
    const content = wanted.body === null ? undefined : new Uint8Array(await wanted.arrayBuffer());
    const told = await made("fetch", wanted.method, wanted.url, { headers, content });
    const empty = told.status === 204 || told.status === 205 || told.status === 304;
    return new NativeResponse(empty ? null : (told.content as BodyInit), { status: told.status, headers: told.headers });
  };
}

function texts(given: Record<string, string> | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  const names = fieldNames(given ?? {});
  for (let place = 0; place < names.length; place++) found[names[place]] = textOf(given![names[place]]);
  return found;
}

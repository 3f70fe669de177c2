/** The server over HTTP: REST, and signing in. */
import { Api } from "./api";
import { Auth } from "./auth";

export { Api, type Fetch, type TokenSource } from "./api";
export { Auth } from "./auth";
export { ApiError, ProtocolError, ServerError } from "./errors";
export type * from "./types";

/** Who is signed in on this page. */
export const auth = new Auth();

/** The server this page came from. */
export const api = new Api({ tokens: auth });

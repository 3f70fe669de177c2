/** The server over HTTP: REST, and signing in. */
export { ApiError, ProtocolError, ServerError } from "./errors";
export type * from "./types";

/** The socket to the server. */
export { type BackoffRange, backoff } from "./backoff";
export { Session, type SessionOptions } from "./session";
export {
  type ConnectFailure,
  socketTransport,
  type Transport,
  type TransportEvents,
  type TransportFactory,
} from "./transport";
export type * from "./types";

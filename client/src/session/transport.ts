/** The one seam to Socket.IO: what the session needs of a socket, so that tests can play the server. */
import { io } from "socket.io-client";
import type { ErrorBody } from "../protocol";

/** Why a socket could not connect; `refused` when the server said no, rather than not being there. */
export interface ConnectFailure {
  readonly message: string;
  readonly refused: ErrorBody | null;
}

/** What a transport tells its owner. */
export interface TransportEvents {
  connected(): void;
  failed(failure: ConnectFailure): void;
  disconnected(reason: string): void;
  event(name: string, data: unknown): void;
}

/** A socket that does not reconnect by itself. */
export interface Transport {
  connect(): void;
  disconnect(): void;
  /** Send, and settle with the acknowledgement; rejects when none came within `timeout` milliseconds or the socket closed. */
  send(event: string, payload: object, timeout: number): Promise<unknown>;
}

/** Makes a transport that asks for `token` at every connection. */
export type TransportFactory = (events: TransportEvents, token: () => Promise<string | null>) => Transport;

/** A Socket.IO connection to `url` (this page's server when empty), WebSocket first. */
export function socketTransport(url = ""): TransportFactory {
  return (events, token) => {
    const options = {
      autoConnect: false,
      reconnection: false,
      forceNew: true,
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      withCredentials: true,
      auth: (give: (data: object) => void) => {
        token().then(
          (value) => give(value ? { token: value } : {}),
          (error: unknown) => {
            // Not by the cookie instead: it may be another person's by now.
            socket.disconnect();
            const message = error instanceof Error ? error.message : String(error);
            events.failed({ message, refused: null });
          },
        );
      },
    };
    const socket = url ? io(url, options) : io(options);
    socket.on("connect", () => events.connected());
    socket.on("disconnect", (reason) => events.disconnected(reason));
    socket.on("connect_error", (error: Error & { data?: unknown }) => {
      events.failed({ message: error.message, refused: refusal(error) });
    });
    socket.onAny((name: string, data: unknown) => events.event(name, data));
    return {
      connect: () => socket.connect(),
      disconnect: () => socket.disconnect(),
      send: (event, payload, timeout) => socket.timeout(timeout).emitWithAck(event, payload),
    };
  };
}

/** The server's refusal of a connection: only those carry data. */
function refusal(error: Error & { data?: unknown }): ErrorBody | null {
  const data = error.data as Partial<ErrorBody> | undefined;
  if (typeof data !== "object" || data === null) return null;
  return {
    code: typeof data.code === "string" ? data.code : "refused",
    message: typeof data.message === "string" ? data.message : error.message,
    ...(data.details ? { details: data.details } : {}),
  };
}

/**
 * What goes wrong between this tab and the server.
 *
 *     ServerError         code, message, details
 *     ├── ApiError        from REST: also status
 *     └── ProtocolError   from the socket; codes of its own: offline, timeout, disconnected
 */
import type { ErrorBody, Json } from "../protocol";

/** An answer that says no, with the server's stable code. */
export class ServerError extends Error {
  readonly code: string;
  readonly details: { [key: string]: Json };

  constructor(body: ErrorBody) {
    super(body.message);
    this.name = new.target.name;
    this.code = body.code;
    this.details = body.details ?? {};
  }

  /** The error as plain data, for stores and panels. */
  get body(): ErrorBody {
    return { code: this.code, message: this.message, details: this.details };
  }
}

/** A REST call that failed; `status` is 0 when no answer came. */
export class ApiError extends ServerError {
  readonly status: number;

  constructor(body: ErrorBody, status: number) {
    super(body);
    this.status = status;
  }
}

/** A socket request that failed. */
export class ProtocolError extends ServerError {
  /** Whether the server never answered, so that the same request may be sent again. */
  get unanswered(): boolean {
    return this.code === "offline" || this.code === "timeout" || this.code === "disconnected";
  }
}

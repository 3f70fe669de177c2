/** What can go wrong when a browser keeps work. */

/**
 * The browser did not keep what it was given.
 *
 * Codes: `full` (its quota is used up), `other_epoch` (the store holds another life of the canvas),
 * `failed` (all else).
 */
export class KeepError extends Error {
  override readonly name = "KeepError";

  constructor(
    readonly code: "full" | "other_epoch" | "failed",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Put the browser's own error into words. */
export function keepError(error: unknown): KeepError {
  if (error instanceof KeepError) return error;
  const name = (error as { name?: unknown } | null)?.name;
  if (name === "QuotaExceededError")
    return new KeepError("full", "This browser keeps no more.", { cause: error });
  return new KeepError("failed", "This browser's storage failed.", { cause: error });
}

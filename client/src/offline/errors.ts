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

/** Milliseconds that a browser has to answer; some never do when their storage is broken. */
const PATIENCE_MS = 3_000;

/** Wait for `answer`, but not for ever: rejects with a KeepError when the browser does not answer. */
export async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new KeepError("failed", "This browser's storage does not answer.");
    timer = setTimeout(() => reject(error), PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

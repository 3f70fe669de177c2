/** Why something failed, in the words of the wire. */
import { ServerError } from "../api";
import type { ErrorBody } from "../protocol";

export function failure(error: unknown): ErrorBody {
  if (error instanceof ServerError) return { code: error.code, message: error.message };
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}

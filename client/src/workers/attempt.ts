/** Doing what a person asked for on a desk, and telling why it failed. */
import type { Store } from "../store";

/** Do the work; true when it is done, else `failure` says that `what` was not possible, and why. */
export async function attempt(
  what: string,
  work: () => Promise<unknown>,
  failure: Store<string | null>,
): Promise<boolean> {
  try {
    await work();
    failure.set(null);
    return true;
  } catch (error) {
    failure.set(`${what}: ${reason(error)}`);
    return false;
  }
}

/** What an error says. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** How long to wait before trying again. */

/** First wait and longest wait, in milliseconds. */
export interface BackoffRange {
  first: number;
  longest: number;
}

/**
 * Milliseconds before attempt `attempt` (counts from 1): doubling up to the longest, and of that a random part
 * between a half and the whole, so that the tabs of a restarted server do not all come at once.
 */
export function backoff(attempt: number, range: BackoffRange, random: () => number = Math.random): number {
  const ceiling = Math.min(range.longest, range.first * 2 ** Math.min(attempt - 1, 30));
  return ceiling / 2 + (ceiling / 2) * random();
}

/** How roles and times are said to people. */
import type { Role } from "../protocol";

export const ROLES: readonly [role: Role, may: string][] = [
  ["viewer", "may look"],
  ["runner", "may run"],
  ["editor", "may edit"],
  ["owner", "owns it"],
];

/** The roles that a link can give. */
export const LINK_ROLES = ROLES.filter(([role]) => role !== "owner");

/** A day in seconds. */
export const DAY = 86_400;

/** How long a share link may be good; null: until it is revoked. */
export const LINK_LIVES: readonly [seconds: number | null, words: string][] = [
  [DAY, "for a day"],
  [7 * DAY, "for a week"],
  [30 * DAY, "for 30 days"],
  [null, "until revoked"],
];

/** What is left until a time, both in seconds: `6 days left`, `expired`. */
export function timeLeft(until: number | null, now: number): string {
  if (until === null) return "no end";
  const left = until - now;
  if (left <= 0) return "expired";
  for (const [size, one, many] of [
    [DAY, "day", "days"],
    [3600, "hour", "hours"],
    [60, "minute", "minutes"],
  ] as const) {
    const count = Math.round(left / size);
    if (count >= 1) return `${count} ${count === 1 ? one : many} left`;
  }
  return "seconds left";
}

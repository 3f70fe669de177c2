/** Times as people say them. All are Unix seconds. */

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long ago `at` was: `just now`, `5 minutes ago`, `yesterday`. */
export function ago(at: number, now = Date.now() / 1000, locale?: string): string {
  const format = new Intl.RelativeTimeFormat(locale ?? [], { numeric: "auto" });
  const past = Math.min(0, at - now); // another clock may be ahead
  for (const [unit, length] of UNITS) {
    if (-past >= length) return format.format(Math.round(past / length), unit);
  }
  return "just now";
}

/** The full time. */
export function fullTime(at: number): string {
  return new Date(at * 1000).toLocaleString([], { dateStyle: "full", timeStyle: "short" });
}

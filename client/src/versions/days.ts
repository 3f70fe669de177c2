/** Versions by the day on which they were made. */
import type { Version } from "./types";

/** The versions of one day, newest first. */
export interface Day {
  readonly title: string;
  readonly versions: readonly Version[];
}

/** `Today`, `Yesterday`, or the date. */
export function dayTitle(seconds: number, now = new Date()): string {
  const date = new Date(seconds * 1000);
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (date.toDateString() === now.toDateString()) return "Today";
  if (date.toDateString() === yesterday.toDateString()) return "Yesterday";
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return date.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short", ...year });
}

/** Group versions, which come newest first, by day. */
export function byDay(versions: readonly Version[], now = new Date()): Day[] {
  const days: { title: string; versions: Version[] }[] = [];
  for (const version of versions) {
    const title = dayTitle(version.created_at, now);
    const last = days.at(-1);
    if (last?.title === title) last.versions.push(version);
    else days.push({ title, versions: [version] });
  }
  return days;
}

/** The time of day of a version: `14:02`. */
export function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** When a version was made, in a sentence: `14:02`, or `12 Mar, 14:02` on another day. */
export function moment(seconds: number, now = new Date()): string {
  const title = dayTitle(seconds, now);
  return title === "Today" ? clock(seconds) : `${title.replace("Yesterday", "yesterday")}, ${clock(seconds)}`;
}

/**
 * Reads dates and times, and writes them in ISO 8601.
 *
 * The engine's `date_reading.py` does the same; `tests/cases/transforms.json` holds for both.
 */
import type { Json } from "../protocol";
import { shown, stripped } from "./casting";

/** A value that is no such date, or a format that cannot be read. */
export class DateError extends Error {}

const ISO =
  /^(?<Y>[0-9]{4})-(?<m>[0-9]{2})-(?<d>[0-9]{2})(?:[T ](?<H>[0-9]{2}):(?<M>[0-9]{2})(?::(?<S>[0-9]{2})(?:[.,](?<f>[0-9]{1,6})[0-9]*)?)? ?(?<z>Z|[+-][0-9]{2}:?[0-9]{2})?)?$/i;
const MONTHS = "january february march april may june july august september october november december".split(
  " ",
);
const DAYS = "monday tuesday wednesday thursday friday saturday sunday".split(" ");
const short = (names: readonly string[]) => names.map((name) => name.slice(0, 3)).join("|");

const DIRECTIVES: Readonly<Record<string, string>> = {
  Y: "[0-9]{4}",
  y: "[0-9]{2}",
  m: "[0-9]{1,2}",
  B: MONTHS.join("|"),
  b: short(MONTHS),
  d: "[0-9]{1,2}",
  A: DAYS.join("|"),
  a: short(DAYS),
  H: "[0-9]{1,2}",
  I: "[0-9]{1,2}",
  p: "am|pm",
  M: "[0-9]{1,2}",
  S: "[0-9]{1,2}",
  f: "[0-9]{1,6}",
  z: "Z|[+-][0-9]{2}:?[0-9]{2}",
};
const BLANKS = "[ \\t\\r\\n]+";
const TIME = [..."HIpMSfz"];
const LAST_SECOND = 253_402_300_799;

type Parts = Readonly<Record<string, string | undefined>>;

/** A date, or a date and time, in ISO 8601; without a format ISO 8601 is read, and a number as seconds since 1970. */
export function readDate(value: Json, format?: string): string {
  if (format === undefined && typeof value === "number") return ofSeconds(value);
  const pattern = format === undefined ? ISO : compiled(format);
  const match = typeof value === "string" ? pattern.exec(stripped(value)) : null;
  if (!match) {
    const wanted = format === undefined ? "in ISO 8601" : `of the form ${format}`;
    throw new DateError(`${shown(value)} is no date ${wanted}`);
  }
  const written = write(match.groups ?? {}, format);
  if (written === null) throw new DateError(`${shown(value)} is no date that exists`);
  return written;
}

/** A format as a pattern with one group per directive. Throws a DateError. */
export function compiled(format: string): RegExp {
  let pattern = "";
  const seen = new Set<string>();
  const letters = [...format];
  for (let place = 0; place < letters.length; place += 1) {
    const letter = letters[place] ?? "";
    if (letter !== "%") {
      // Several blanks stand for one: else a match could take for ever to fail.
      if (!" \t\r\n".includes(letter)) pattern += escaped(letter);
      else if (!pattern.endsWith(BLANKS)) pattern += BLANKS;
      continue;
    }
    place += 1;
    const name = letters[place] ?? "";
    if (name === "%") pattern += "%";
    else if (!Object.hasOwn(DIRECTIVES, name)) {
      const known = Object.keys(DIRECTIVES).map((each) => `%${each}`);
      throw new DateError(`the format '${format}' has %${name}; there are ${known.join(", ")}`);
    } else if (seen.has(name)) throw new DateError(`the format '${format}' has %${name} twice`);
    else {
      seen.add(name);
      pattern += `(?<${name}>${DIRECTIVES[name]})`;
    }
  }
  if (!seen.has("Y") && !seen.has("y")) throw new DateError(`the format '${format}' names no year: %Y or %y`);
  return new RegExp(`^${pattern}$`, "i");
}

function escaped(letter: string): string {
  return letter.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}

/** The parts in ISO 8601; null when there is no such day or time. */
function write(parts: Parts, format: string | undefined): string | null {
  const [year, month, day] = [yearOf(parts), monthOf(parts), Number(parts.d ?? 1)];
  const last = new Date(Date.UTC(2000, month, 0)).getUTCDate();
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > (month === 2 && !leap ? 28 : last)) return null;
  const date = `${padded(year, 4)}-${padded(month)}-${padded(day)}`;
  const hasTime = format === undefined ? parts.H !== undefined : TIME.some((name) => name in parts);
  if (!hasTime) return date;
  const [hour, minute, second] = [hourOf(parts), Number(parts.M ?? 0), Number(parts.S ?? 0)];
  const zone = zoneOf(parts.z);
  if (hour === null || hour > 23 || minute > 59 || second > 59 || zone === null) return null;
  const fraction = (parts.f ?? "").padEnd(6, "0");
  const rest = Number(fraction) === 0 ? "" : `.${fraction}`;
  return `${date}T${padded(hour)}:${padded(minute)}:${padded(second)}${rest}${zone}`;
}

function padded(number: number, length = 2): string {
  return String(number).padStart(length, "0");
}

function yearOf(parts: Parts): number {
  if (parts.Y !== undefined) return Number(parts.Y);
  const year = Number(parts.y);
  return year + (year >= 69 ? 1900 : 2000);
}

function monthOf(parts: Parts): number {
  const name = parts.B ?? parts.b;
  if (name === undefined) return Number(parts.m ?? 1);
  return 1 + MONTHS.findIndex((month) => month.startsWith(name.toLowerCase()));
}

function hourOf(parts: Parts): number | null {
  if (parts.H !== undefined) return Number(parts.H);
  if (parts.I === undefined) return parts.p?.toLowerCase() === "pm" ? 12 : 0;
  const hour = Number(parts.I);
  if (hour < 1 || hour > 12) return null;
  if (parts.p === undefined) return hour;
  return (hour % 12) + (parts.p.toLowerCase() === "pm" ? 12 : 0);
}

function zoneOf(zone: string | undefined): string | null {
  if (zone === undefined) return "";
  if (zone.toUpperCase() === "Z") return "+00:00";
  const digits = zone.slice(1).replace(":", "");
  const [hours, minutes] = [digits.slice(0, 2), digits.slice(2)];
  return Number(hours) > 23 || Number(minutes) > 59 ? null : `${zone[0]}${hours}:${minutes}`;
}

function ofSeconds(value: number): string {
  if (!(value >= 0 && value <= LAST_SECOND))
    throw new DateError(`${shown(value)} is no time in seconds since 1970`);
  const iso = new Date(Math.round(value * 1000)).toISOString();
  const milliseconds = iso.slice(20, 23);
  return `${iso.slice(0, 19)}${milliseconds === "000" ? "" : `.${milliseconds}000`}+00:00`;
}

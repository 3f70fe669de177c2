/**
 * Paths into JSON values: `a.b[0]`, `rows[-1]["two words"]`, `rows[*].name`.
 *
 * The engine's `paths.py` reads the same language; `tests/cases/transforms.json` holds for both.
 */
import type { Json } from "../protocol";

/** The part `[*]`: every item of a list. */
export const EVERY = Symbol("every item");

/** A name, a place in a list, or every item. */
export type PathPart = string | number | typeof EVERY;

/** A path that cannot be read, or that leads nowhere in a value. */
export class PathError extends Error {}

const PART = /^(?:\.?([^.[\]"]+)|\[(-?[0-9]{1,15})\]|\["([^"]*)"\]|\[(\*)\])/;
const PLACE = /^-?[0-9]{1,15}$/;

/** The parts of a path; a leading `$` is allowed. Throws a PathError. */
export function readPath(path: string): PathPart[] {
  let rest = path.trim().replace(/^\$/, "");
  const parts: PathPart[] = [];
  while (rest) {
    const match = PART.exec(rest);
    if (!match)
      throw new PathError(
        `the path '${path}' cannot be read at '${rest.slice(0, 12)}'; write it like a.b[0]`,
      );
    const [all, name, place, quoted, every] = match;
    parts.push(every ? EVERY : place !== undefined ? Number(place) : (quoted ?? name ?? ""));
    rest = rest.slice(all.length);
  }
  return parts;
}

/** What lies at the path; a PathError says where it ends and what there is instead. */
export function pick(value: Json, parts: readonly PathPart[]): Json {
  const [part, ...rest] = parts;
  if (part === undefined) return value;
  if (part !== EVERY) return pick(step(value, part), rest);
  if (!Array.isArray(value)) throw new PathError(`[*] needs a list, and there is ${kind(value)}`);
  return value.map((item) => pick(item, rest));
}

function step(value: Json, part: string | number): Json {
  const name = typeof part === "number" ? String(part) : `'${part}'`;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const found = Object.hasOwn(value, String(part)) ? value[String(part)] : undefined;
    if (found !== undefined) return found;
    const there = Object.keys(value).slice(0, 10);
    throw new PathError(
      `there is no ${name}; there is ${there.map((each) => `'${each}'`).join(", ") || "nothing"}`,
    );
  }
  if (Array.isArray(value) && PLACE.test(String(part))) {
    const place = Number(part);
    const found = value.at(place);
    if (found !== undefined) return found;
    throw new PathError(`there is no item ${place} in a list of ${value.length}`);
  }
  throw new PathError(`${name} leads nowhere in ${kind(value)}`);
}

function kind(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  const names: Record<string, string> = { object: "an object", string: "a text", boolean: "a boolean" };
  return names[typeof value] ?? "a number";
}

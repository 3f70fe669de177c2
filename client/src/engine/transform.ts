/**
 * What a wire does to a value on its way: pick, index, default, cast, date, in their order.
 *
 * The engine's `transform.py` does the same; `tests/cases/transforms.json` holds for both.
 */
import type { Json, Transform } from "../protocol";
import { CastError, cast, shown } from "./casting";
import { compiled, DateError, readDate } from "./date_reading";
import { PathError, pick, readPath } from "./paths";

/** A value that a transform cannot take. */
export class TransformError extends Error {
  constructor(
    readonly reason: string,
    /** Its place in the list, from 0. */
    readonly place: number,
  ) {
    super(reason);
  }
}

/** What `transforms` make of a value, one after the other. Throws a TransformError. */
export function reshape(value: Json, transforms: readonly Transform[]): Json {
  let now = value;
  transforms.forEach((transform, place) => {
    try {
      now = apply(now, transform);
    } catch (error) {
      if (!(error instanceof PathError || error instanceof CastError || error instanceof DateError))
        throw error;
      const where = error instanceof PathError ? `, in ${shown(now)}` : "";
      throw new TransformError(`${transformWords(transform)}: ${error.message}${where}`, place);
    }
  });
  return now;
}

/** What a wire brings where nothing came: undefined, unless a default stands in. Throws a TransformError. */
export function reshapeNothing(transforms: readonly Transform[]): Json | undefined {
  const first = transforms.findIndex((transform) => transform.op === "default");
  return first === -1 ? undefined : reshape(null, transforms.slice(first));
}

/** Why a transform can never work, whatever the value; null when it may. */
export function whyInvalid(transform: Transform): string | null {
  try {
    if (transform.op === "pick") readPath(transform.path);
    else if (transform.op === "date" && transform.format !== undefined) compiled(transform.format);
  } catch (error) {
    if (error instanceof PathError || error instanceof DateError) return error.message;
    throw error;
  }
  return null;
}

/** A transform in a few words: `pick rows[0]`, `cast to number`. */
export function transformWords(transform: Transform): string {
  switch (transform.op) {
    case "pick":
      return `pick ${transform.path}`;
    case "index":
      return `item ${transform.index}`;
    case "default":
      return `default ${shown(transform.value ?? null)}`;
    case "cast":
      return `cast to ${transform.to}`;
    case "date":
      return transform.format === undefined ? "date" : `date ${transform.format}`;
  }
}

function apply(value: Json, transform: Transform): Json {
  switch (transform.op) {
    case "pick":
      return pick(value, readPath(transform.path));
    case "index":
      if (!Array.isArray(value)) throw new PathError("there is no list");
      return pick(value, [transform.index]);
    case "default":
      return value ?? transform.value ?? null;
    case "cast":
      return cast(value, transform.to);
    case "date":
      return readDate(value, transform.format);
  }
}

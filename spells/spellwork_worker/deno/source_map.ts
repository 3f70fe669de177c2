/** Where a place of transformed text was before: source maps (https://tc39.es/ecma426/), as far as needed. */

import { fromJson, indexOf, split } from "./primordials.ts";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

export type Place = [line: number, column: number];

/** Return a function from a place (from 1) of the new text to that of the old; null where the map says nothing. */
export function readMap(json: string): (line: number, column: number) => Place | null {
  const { mappings } = fromJson(json) as { mappings: string };
  const lines: number[][][] = [];
  const rows = split(mappings, ";");
  let line = 0;
  let column = 0;
  for (let row = 0; row < rows.length; row++) {
    let at = 0;
    const places: number[][] = [];
    const parts = rows[row] ? split(rows[row], ",") : [];
    for (let part = 0; part < parts.length; part++) {
      const fields = numbers(parts[part]);
      at += fields[0];
      if (fields.length < 4) continue;
      line += fields[2];
      column += fields[3];
      places[places.length] = [at, line, column];
    }
    lines[row] = places;
  }
  return (atLine, atColumn) => {
    const places = lines[atLine - 1] ?? [];
    let found: number[] | null = null;
    for (let place = 0; place < places.length && places[place][0] <= atColumn - 1; place++) found = places[place];
    return found === null ? null : [found[1] + 1, found[2] + 1];
  };
}

/** Return the numbers of a segment (base 64, variable length). */
function numbers(text: string): number[] {
  const found: number[] = [];
  let value = 0;
  let shift = 0;
  for (let place = 0; place < text.length; place++) {
    const digit = indexOf(DIGITS, text[place]);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    found[found.length] = value & 1 ? -(value >> 1) : value >> 1;
    value = 0;
    shift = 0;
  }
  return found;
}

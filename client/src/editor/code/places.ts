/** Places in code as the server tells them: lines and characters from 1, where an editor counts UTF-16 units from 0. */
import type { Text } from "@codemirror/state";

/** Where something stands, as `details` of a problem or failure have it. */
export interface CodePlace {
  readonly line: number;
  readonly column?: number;
  readonly endColumn?: number;
}

/** Return the place that details name, if they do. */
export function placeIn(details: Readonly<Record<string, unknown>> | null | undefined): CodePlace | null {
  const line = count(details?.line);
  if (line === null) return null;
  const [column, end] = [count(details?.column), count(details?.end_column)];
  return { line, ...(column ? { column } : {}), ...(end ? { endColumn: end } : {}) };
}

/** Return the range of a place; without an end it goes to the end of the line; null where there is no such line. */
export function rangeOf(doc: Text, place: CodePlace): { from: number; to: number } | null {
  if (place.line > doc.lines) return null;
  const line = doc.line(place.line);
  const from = line.from + unitsOf(line.text, (place.column ?? 1) - 1);
  const to = place.endColumn === undefined ? line.to : line.from + unitsOf(line.text, place.endColumn - 1);
  return { from, to: Math.max(from, to) };
}

/** Return the place of a position, for the server. */
export function placeAt(doc: Text, at: number): { line: number; column: number } {
  const line = doc.lineAt(at);
  return { line: line.number, column: [...line.text.slice(0, at - line.from)].length + 1 };
}

function unitsOf(text: string, characters: number): number {
  let units = 0;
  for (const character of text) {
    if (characters-- <= 0) break;
    units += character.length;
  }
  return units;
}

function count(value: unknown): number | null {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : null;
}

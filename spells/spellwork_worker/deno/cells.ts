/** Makes functions of cells: types are taken out, what is left is compiled once for each text. */

import { stripTypeScriptTypes } from "node:module";
import { readMap, type Place } from "./source_map.ts";
import {
  bytesFromBinary,
  firstKey,
  freeze,
  indexOf,
  lastIndexOf,
  match,
  NativeError,
  numberOf,
  slice,
  split,
  startsWith,
  Table,
  textOf,
  trim,
} from "./primordials.ts";

const strip = stripTypeScriptTypes as (code: string, options?: { mode: string; sourceMap?: boolean }) => string;
const evaluate = globalThis.eval;
const createUrl = URL.createObjectURL;
const revokeUrl = URL.revokeObjectURL;
const NativeBlob = Blob;
const MAP = "//# sourceMappingURL=data:application/json;base64,";
const MOST = 256;
const AT_END = /:(\d+):(\d+)\s*$/;
const LOCATED = / at (?:blob|data):\S*?:(\d+):(\d+)/;

/** What reading a cell found, see `unit.py`. */
export interface Unit {
  text: string;
  inserted: [line: number, column: number, length: number][];
  form: string;
  free: string[];
  outputs: string[];
  parameters: Record<string, unknown>[] | null;
  forms: Record<string, unknown>;
  streams: boolean;
}

/** A cell that can be run. `place` says where in the cell a place of the compiled text is. */
export interface Compiled {
  name: string;
  body: (...free: unknown[]) => Promise<unknown>;
  lines: string[];
  place: (line: number, column: number) => Place | null;
}

/** The cell's text is no TypeScript after all; `line` and `column` are its own, where they are known. */
export class SyntaxFailed extends NativeError {
  override name = "SyntaxError";
  constructor(message: string, readonly line: number | null, readonly column: number | null) {
    super(message);
  }
}

// Now, while all of this process is at hand, and not in the first call: the tool looks where its stack lies.
strip("let warm: (string | number)[] | undefined");
const cells = new Table<string, Compiled>();
const byName = new Table<string, Compiled>();
let count = 0;

/** Return the compiled cell; the last few hundred are kept. */
export async function compiled(unit: Unit, code: string): Promise<Compiled> {
  const known = cells.get(unit.text);
  if (known) return known;
  const fresh = await compile(unit, code);
  if (cells.size >= MOST) {
    const oldest = firstKey(cells)!;
    byName.delete(cells.get(oldest)!.name);
    cells.delete(oldest);
  }
  cells.set(unit.text, fresh);
  byName.set(fresh.name, fresh);
  return fresh;
}

/** Return the cell of a name in a stack, where it is still known. */
export function cellNamed(name: string): Compiled | undefined {
  return byName.get(name);
}

async function compile(unit: Unit, code: string): Promise<Compiled> {
  const name = `cell:${++count}`;
  const lines = split(code, "\n");
  const own = (line: number, column: number) => place(unit, lines.length, line, column);
  let text: string;
  let back: ((line: number, column: number) => Place | null) | null = null;
  try {
    text = strip(unit.text);
  } catch (error) {
    if (indexOf(textOf((error as Error).message), "not supported in strip-only mode") < 0) {
      throw await diagnose(unit, own);
    }
    // Enums and the like are more than types: these are written anew, with a map of what went where.
    try {
      text = strip(unit.text, { mode: "transform", sourceMap: true });
    } catch {
      throw await diagnose(unit, own);
    }
    const at = lastIndexOf(text, MAP);
    back = readMap(bytesFromBinary(slice(text, at + MAP.length)));
    text = slice(text, 0, at);
  }
  let body: Compiled["body"];
  try {
    body = evaluate(`${text}\n//# sourceURL=${name}`);
  } catch {
    throw await diagnose(unit, own);
  }
  return freeze({
    name,
    body,
    lines,
    place: (line: number, column: number) => {
      const before = back === null ? ([line, column] as Place) : back(line, column);
      return before && own(before[0], before[1]);
    },
  });
}

/** Return where in the cell a place of the unit's text is: one line further up, less what was put in. */
function place(unit: Unit, lines: number, line: number, column: number): Place | null {
  if (line < 2 || line > lines + 1) return null;
  let moved = column;
  for (let at = 0; at < unit.inserted.length; at++) {
    const put = unit.inserted[at];
    if (put[0] === line && put[1] < column) moved -= put[2];
  }
  return [line - 1, moved < 1 ? 1 : moved];
}

/** Return why a text does not compile: a module of it says where, which a compiled expression does not. */
async function diagnose(
  unit: Unit,
  own: (line: number, column: number) => Place | null,
): Promise<SyntaxFailed> {
  const url = createUrl(new NativeBlob([unit.text], { type: "application/typescript" }));
  try {
    await import(url);
    return new SyntaxFailed("the cell cannot be compiled", null, null);
  } catch (error) {
    const message = textOf((error as Error).message);
    const first = split(message, "\n")[0];
    const found = match(LOCATED, message) ?? match(AT_END, message);
    const at = found && own(numberOf(found[1]), numberOf(found[2]));
    const end = indexOf(first, " at blob:");
    let words = trim(end < 0 ? first : slice(first, 0, end));
    if (startsWith(words, "SyntaxError: ")) words = slice(words, "SyntaxError: ".length);
    return new SyntaxFailed(words, at && at[0], at && at[1]);
  } finally {
    revokeUrl(url);
  }
}

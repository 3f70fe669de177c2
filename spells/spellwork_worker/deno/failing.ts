/** Errors for the person who wrote the code: only its frames, with lines and columns of the cell. */

import { cellNamed, type Compiled, SyntaxFailed } from "./cells.ts";
import {
  indexOf,
  join,
  match,
  NativeError,
  NativeRangeError,
  numberOf,
  slice,
  split,
  startsWith,
  textOf,
  trim,
} from "./primordials.ts";
import { NotTransferable } from "./plain.ts";
import { TooLarge } from "./msgpack.ts";

const FRAME = /^\s*at (?:(.*) \()?(cell:\d+)(?:, <anonymous>)?:(\d+):(\d+)\)?$/;
const MOST_FRAMES = 30;
const CLOSED: [part: string, words: string][] = [
  ["net access", "no network (wire an HTTP node to it, or ask by spellwork.request)"],
  ["read access", "no files"],
  ["write access", "no files"],
  ["run access", "no other programs"],
  ["env access", "no environment"],
  ["ffi access", "no libraries of the system"],
  ["sys access", "nothing of the system"],
  ["import access", "no modules from the network"],
  ["remote specifier", "no modules from the network"],
  ["npm specifiers", "no packages"],
];

interface Frame {
  cell: Compiled;
  inside: string;
  line: number;
  column: number;
}

/** Return an error that code raised as the fields of a Failed frame. */
export function failure(error: unknown, cell: Compiled | null, memory: number): Record<string, unknown> {
  if (error instanceof NotTransferable) {
    return failed("not_transferable", error.message, null, { type: error.kind });
  }
  if (error instanceof TooLarge) throw error;
  const details: Record<string, unknown> = { exception: nameOf(error) };
  let message = headline(error);
  const at = error instanceof SyntaxFailed ? placeOf(error) : own(framesOf(error), cell);
  const closed = refusal(message);
  if (isExhausted(error)) {
    message = `the code needs more memory than its worker has (${memory} MB): ${message}`;
    details.limit = "memory_mb";
  }
  if (at !== null) {
    message += ` (cell line ${at.line}, column ${at.column})`;
    details.line = at.line;
    details.column = at.column;
  }
  if (closed !== null) {
    message += `; code in a worker reaches ${closed}`;
    details.confined = true;
  }
  const code = fieldOf(error, "code");
  const known = typeof code === "string" && typeof fieldOf(error, "retryable") === "boolean";
  return failed(
    known ? (code as string) : "exception",
    message,
    explain(error, cell),
    details,
    known ? (fieldOf(error, "retryable") as boolean) : true,
  );
}

function failed(
  code: string,
  message: string,
  traceback: string | null,
  details: Record<string, unknown>,
  retryable = true,
): Record<string, unknown> {
  return { code, message, traceback, details, port: null, retryable };
}

/** Return a field of what may be anything, whose getters may raise. */
function fieldOf(error: unknown, name: string): unknown {
  try {
    return (error as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

function nameOf(error: unknown): string {
  const name = fieldOf(error, "name");
  if (typeof name === "string" && name && error instanceof NativeError) return name;
  return typeof error;
}

function headline(error: unknown): string {
  try {
    if (!(error instanceof NativeError)) return `the code threw ${textOf(error)}`;
    const message = trim(split(textOf(error.message), "\n")[0]);
    const plain = indexOf(message, ", run again with") >= 0 ? slice(message, 0, indexOf(message, ", run again with")) : message;
    return plain ? `${nameOf(error)}: ${plain}` : nameOf(error);
  } catch {
    return "the code threw something that cannot be shown";
  }
}

function isExhausted(error: unknown): boolean {
  const message = fieldOf(error, "message");
  return (
    error instanceof NativeRangeError &&
    typeof message === "string" &&
    (startsWith(message, "Array buffer allocation failed") ||
      indexOf(message, "could not allocate memory") >= 0 ||
      indexOf(message, "Out of memory") >= 0)
  );
}

function refusal(message: string): string | null {
  for (let place = 0; place < CLOSED.length; place++) {
    if (indexOf(message, CLOSED[place][0]) >= 0) return CLOSED[place][1];
  }
  return null;
}

function framesOf(error: unknown): Frame[] {
  const stack = fieldOf(error, "stack");
  const frames: Frame[] = [];
  if (typeof stack !== "string") return frames;
  const lines = split(stack, "\n");
  for (let place = 0; place < lines.length && frames.length < MOST_FRAMES; place++) {
    const found = match(FRAME, lines[place]);
    const cell = found && cellNamed(found[2]);
    const at = found && cell && cell.place(numberOf(found[3]), numberOf(found[4]));
    if (found && cell && at) {
      const named = found[1] ?? "";
      const inside = named === "eval" || named === "async eval" ? "" : startsWith(named, "async ") ? slice(named, 6) : named;
      frames[frames.length] = { cell, inside, line: at[0], column: at[1] };
    }
  }
  return frames;
}

function own(frames: Frame[], cell: Compiled | null): Frame | null {
  for (let place = 0; place < frames.length; place++) {
    if (frames[place].cell === cell) return frames[place];
  }
  return null;
}

function placeOf(error: SyntaxFailed): { line: number; column: number } | null {
  return error.line === null ? null : { line: error.line, column: error.column ?? 1 };
}

/** Return the traceback as text, the innermost frame last, as of Python's cells; what led to it comes first. */
function explain(error: unknown, cell: Compiled | null): string {
  const parts: string[] = [];
  let link: unknown = error;
  for (let depth = 0; depth < 8 && link !== undefined && link !== null; depth++) {
    const part = one(link, cell);
    for (let place = parts.length; place > 0; place--) parts[place] = parts[place - 1];
    parts[0] = part;
    link = link instanceof NativeError ? fieldOf(link, "cause") : null;
  }
  return join(parts, "\n\nwhich led to\n\n");
}

function one(error: unknown, cell: Compiled | null): string {
  const frames = framesOf(error);
  const lines: string[] = [];
  for (let place = frames.length - 1; place >= 0; place--) {
    const frame = frames[place];
    const where = frame.cell === cell ? "cell" : "another cell";
    const inside = frame.inside ? `, in ${frame.inside}` : "";
    const text = trim(frame.cell.lines[frame.line - 1] ?? "");
    lines[lines.length] = `${where} line ${frame.line}, column ${frame.column}${inside}${text ? `\n    ${text}` : ""}`;
  }
  lines[lines.length] = headline(error);
  return join(lines, "\n");
}

/** Sends what code prints, in few frames, while it still runs. */

import { endsWith, join, later, minimum, never, now, slice, trimEnd } from "./primordials.ts";

/** Milliseconds for which lines are gathered into one message. */
const GATHER = 30;
/** Characters of one message. */
const MAX_MESSAGE = 8_192;
/** Characters one call may print; what comes after is dropped, and one line says so. */
const MAX_PRINTED = 1_000_000;

export type Level = "debug" | "info" | "warning" | "error";

/** The lines of a call, by level. `begin` and `end` enclose the call. */
export class Printed {
  private lines: string[] = [];
  private size = 0;
  private level: Level = "info";
  private room = 0;
  private sent = 0;
  private timer: ReturnType<typeof later> | undefined;
  private open = false;

  constructor(private readonly say: (message: string, level: Level) => void) {}

  /** Start the count of a new call. */
  begin(): void {
    this.room = MAX_PRINTED;
    this.open = true;
    this.sent = now();
  }

  /** Send what is left; until the next call nothing more is taken. */
  end(): void {
    this.flush();
    this.open = false;
  }

  /** Take lines that were printed, and send them soon. */
  add(text: string, level: Level): void {
    if (!this.open || this.room <= 0) return;
    if (level !== this.level) this.flush();
    this.level = level;
    this.keep(slice(text, 0, this.room));
    this.room -= text.length;
    if (this.room <= 0) this.keep(`(further output was dropped: a call may print ${MAX_PRINTED} characters)`);
    if (this.size >= MAX_MESSAGE || now() - this.sent >= GATHER) this.flush();
    else this.timer ??= later(() => this.flush(), GATHER);
  }

  private keep(text: string): void {
    this.lines[this.lines.length] = endsWith(text, "\n") ? slice(text, 0, -1) : text;
    this.size += text.length + 1;
  }

  private flush(): void {
    if (this.timer !== undefined) never(this.timer);
    this.timer = undefined;
    this.sent = now();
    if (!this.lines.length) return;
    const message = trimEnd(join(this.lines, "\n"));
    this.lines = [];
    this.size = 0;
    for (let at = 0; at < message.length; at += MAX_MESSAGE) {
      this.say(slice(message, at, minimum(at + MAX_MESSAGE, message.length)), this.level);
    }
  }
}

const LEVELS: [string, Level][] = [
  ["debug", "debug"],
  ["log", "info"],
  ["info", "info"],
  ["warn", "warning"],
  ["error", "error"],
];

/** Have the console print into a log. What it formats, it formats as ever. */
export function redirectConsole(print: (text: string, level: Level) => void): void {
  const shown = Deno.inspect;
  for (let place = 0; place < LEVELS.length; place++) {
    const [name, level] = LEVELS[place];
    (console as unknown as Record<string, unknown>)[name] = (...parts: unknown[]) => print(format(parts, shown), level);
  }
  const plain = console.log;
  console.dir = (value: unknown) => print(shown(value), "info");
  console.trace = (...parts: unknown[]) => print(format(parts, shown), "debug");
  console.assert = (holds?: boolean, ...parts: unknown[]) => {
    if (!holds) print(`Assertion failed: ${format(parts, shown)}`, "error");
  };
  console.dirxml = plain;
}

function format(parts: unknown[], shown: (value: unknown) => string): string {
  const words: string[] = [];
  for (let place = 0; place < parts.length; place++) {
    const part = parts[place];
    words[place] = typeof part === "string" ? part : shown(part);
  }
  return join(words, " ");
}


/** `deno run main.ts --parent PID --memory-mb N --max-frame N`: answers calls of TypeScript cells until its pipe closes. */

import { Calls } from "./calls.ts";
import { closeWays } from "./closing.ts";
import { offer } from "./own.ts";
import { Pipe } from "./pipe.ts";
import { redirectConsole } from "./printed.ts";

function option(name: string, otherwise: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(Deno.args[at + 1]);
}

const limit = option("max-frame", 64 * 1024 * 1024);
const pid = Deno.pid;
const pipe = new Pipe(limit);
const calls = new Calls(pipe, limit, option("memory-mb", 1024));

redirectConsole((text, level) => calls.printed.add(text, level));
closeWays((text, level) => calls.printed.add(text, level));
offer(calls);
// What a cell left behind, and nobody waits for, is told of and ends nothing.
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  calls.printed.add(`nobody awaited an error: ${event.reason}`, "error");
});
globalThis.addEventListener("error", (event) => {
  event.preventDefault();
  calls.printed.add(`nobody caught an error: ${event.message}`, "error");
});

pipe.send({ type: "ready", pid, reads: ["bytes"], memory: false });
for (;;) calls.take(await pipe.next());

/** Takes from cells what would end the process, or write past its frames, by mistake. */

import type { Level } from "./printed.ts";

const { defineProperty } = Object;

function leave(): never {
  throw new Error("a cell cannot end its worker; end with a value, or throw an error");
}

/** Close the ways out; what is written to the standard streams is printed. */
export function closeWays(print: (text: string, level: Level) => void): void {
  const decoder = new TextDecoder();
  const stream = (level: Level) => {
    const written = (bytes: Uint8Array) => {
      print(decoder.decode(bytes), level);
      return bytes.length;
    };
    return Object.freeze({
      writeSync: written,
      write: (bytes: Uint8Array) => Promise.resolve(written(bytes)),
      get writable() {
        return new WritableStream<Uint8Array>({ write: (bytes) => void written(bytes) });
      },
      isTerminal: () => false,
      close() {},
    });
  };
  const nothing = Object.freeze({
    readSync: () => null,
    read: () => Promise.resolve(null),
    get readable() {
      return new Blob([]).stream();
    },
    isTerminal: () => false,
    close() {},
  });
  replace(Deno, "stdin", nothing);
  replace(Deno, "stdout", stream("info"));
  replace(Deno, "stderr", stream("warning"));
  replace(Deno, "exit", leave);
  replace(globalThis, "close", leave);
  replace(globalThis, "Worker", class {
    constructor() {
      throw new Error("a cell has no threads of its own: use more cells");
    }
  });
  const host = globalThis.process;
  if (host === undefined) return;
  replace(host, "exit", leave);
  replace(host, "reallyExit", leave);
  replace(host, "abort", leave);
  const node = (level: Level) =>
    Object.freeze({ write: (text: string | Uint8Array) => (print(typeof text === "string" ? text : decoder.decode(text), level), true) });
  replace(host, "stdin", null);
  replace(host, "stdout", node("info"));
  replace(host, "stderr", node("warning"));
}

function replace(target: object, name: string, value: unknown): void {
  try {
    defineProperty(target, name, { value, writable: false, configurable: false, enumerable: true });
  } catch {
    // it cannot be replaced: then it stays, and does what it may without permissions
  }
}

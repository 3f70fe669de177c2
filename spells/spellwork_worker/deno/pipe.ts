/** The worker's end of its pipe: frames, each behind its length. */

import { Reader, TooLarge, Writer } from "./msgpack.ts";
import { call, copied, fieldNames, NativeBytes, NativeView, piece, set } from "./primordials.ts";

const HEADER = 4;
const SMALL = 64 * 1024;
const LARGE = 1024 * 1024;
const { getUint32, setUint32 } = DataView.prototype;
const { read } = Deno.stdin;
const { writeSync } = Deno.stdout;
const source = Deno.stdin;
const target = Deno.stdout;
const exit = Deno.exit;

export type Frame = Record<string, unknown> & { type: string; id: number };

/** Reads and writes frames. Writing waits for the other end, as printing does. */
export class Pipe {
  private buffer = new NativeBytes(SMALL);
  private have = 0;
  private spare: Uint8Array<ArrayBuffer> | null = null;

  /** `limit`: bytes of the largest frame. */
  constructor(private readonly limit: number) {}

  /** Return the next frame. The process ends with its pipe: without its pool it has nothing to live for. */
  async next(): Promise<Frame> {
    const size = call(getUint32, viewOf(await this.exactly(HEADER)), [0]) as number;
    return new Reader(await this.exactly(size)).any() as Frame;
  }

  private async exactly(size: number): Promise<Uint8Array> {
    while (this.have < size) {
      if (this.buffer.length < size) {
        const grown = new NativeBytes(size);
        set(grown, piece(this.buffer, 0, this.have), 0);
        this.buffer = grown;
      }
      const count = await (call(read, source, [piece(this.buffer, this.have, this.buffer.length)]) as Promise<
        number | null
      >);
      if (count === null) exit(0);
      this.have += count as number;
    }
    const taken = copied(this.buffer, 0, size);
    const rest = copied(this.buffer, size, this.have);
    this.have -= size;
    if (this.buffer.length > LARGE && rest.length < SMALL) this.buffer = new NativeBytes(SMALL);
    set(this.buffer, rest, 0);
    return taken;
  }

  /**
   * Write a frame: a map of `fields`, among which `write` may write one more.
   * Throws TooLarge, and writes nothing, when it is over the limit.
   */
  send(fields: Record<string, unknown>, name?: string, write?: (out: Writer) => void): void {
    const out = this.begin();
    const names = fieldNames(fields);
    out.map(names.length + (write ? 1 : 0));
    for (let place = 0; place < names.length; place++) {
      out.text(names[place]);
      out.any(fields[names[place]]);
    }
    if (write && name) {
      out.text(name);
      write(out);
    }
    this.end(out);
  }

  /** Writing a value may run its own code, which may print: each frame under way has bytes of its own. */
  private begin(): Writer {
    const out = new Writer(this.spare ?? new NativeBytes(SMALL));
    this.spare = null;
    out.at = HEADER;
    out.limit = this.limit + HEADER;
    return out;
  }

  private end(out: Writer): void {
    const size = out.at - HEADER;
    if (size > this.limit) throw new TooLarge(size);
    call(setUint32, out.view, [0, size]);
    let at = 0;
    while (at < out.at) at += call(writeSync, target, [piece(out.bytes, at, out.at)]) as number;
    if (out.bytes.length <= LARGE) this.spare = out.bytes;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new NativeView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

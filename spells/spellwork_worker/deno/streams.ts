/** Streams at the worker's end: credit for the chunks it makes, and chunks for the streams that it reads. */

import { NativeError, NativePromise, Table } from "./primordials.ts";

interface Batch {
  chunks: unknown[] | null;
  error: string | null;
  code: string;
}

/** The node that fills a stream failed while this code read it. */
export class StreamFailed extends NativeError {
  override name = "StreamFailed";
  readonly retryable = false;

  constructor(message: string, readonly code: string) {
    super(message);
  }
}

/** What comes for one call while it runs. */
export class Inlet {
  private readonly waiting = new Table<string, (batch: Batch) => void>();
  private readonly answers = new Table<number, (answer: Record<string, unknown>) => void>();
  private asked = 0;
  private room: number;
  private onRoom: (() => void) | null = null;

  /** `credit`: how many chunks may be sent before more is granted; 0 for any number. */
  constructor(readonly call: number, credit: number) {
    this.room = credit || Infinity;
  }

  /** Allow so many more chunks. */
  credit(chunks: number): void {
    this.room += chunks;
    const go = this.onRoom;
    this.onRoom = null;
    go?.();
  }

  /** Wait until one more chunk may be sent. */
  async spend(): Promise<void> {
    while (this.room <= 0) {
      await new NativePromise<void>((resolve) => {
        this.onRoom = resolve;
      });
    }
    this.room--;
  }

  /** Take the next chunks of a stream, or its end. */
  feed(stream: string, batch: Batch): void {
    const take = this.waiting.get(stream);
    this.waiting.delete(stream);
    take?.(batch);
  }

  /** Wait for the next chunks of a stream. */
  next(stream: string): Promise<Batch> {
    return new NativePromise((resolve) => {
      this.waiting.set(stream, resolve);
    });
  }

  /** Return the number of a question to the server, and what will come of it. */
  ask(): { number: number; coming: Promise<Record<string, unknown>> } {
    const number = ++this.asked;
    const coming = new NativePromise<Record<string, unknown>>((resolve) => {
      this.answers.set(number, resolve);
    });
    return { number, coming };
  }

  /** Take an answer. */
  answer(number: number, answer: Record<string, unknown>): void {
    this.answers.get(number)?.(answer);
    this.answers.delete(number);
  }
}

async function settled<T>(value: T): Promise<T> {
  return await value;
}

/** Return a stream as the code reads it: by `for await`, once. It asks for chunks as it runs out of them. */
export function chunksOf(inlet: Inlet, stream: string, pull: (stream: string) => void): AsyncIterableIterator<unknown> {
  let batch: unknown[] = [];
  let at = 0;
  let ended = false;
  let turn: Promise<unknown> = settled(null);

  async function next(): Promise<IteratorResult<unknown>> {
    while (at >= batch.length) {
      if (ended) return { done: true, value: undefined };
      const coming = inlet.next(stream);
      pull(stream);
      const { chunks, error, code } = await coming;
      if (chunks === null) {
        ended = true;
        if (error !== null) throw new StreamFailed(error, code);
      } else {
        batch = chunks;
        at = 0;
      }
    }
    return { done: false, value: batch[at++] };
  }

  const found: AsyncIterableIterator<unknown> = {
    next() {
      const coming = (async () => {
        try {
          await turn;
        } catch {
          // told to whoever asked before
        }
        return await next();
      })();
      turn = coming;
      return coming;
    },
    return() {
      ended = true;
      batch = [];
      at = 0;
      return settled({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]() {
      return found;
    },
  };
  return found;
}

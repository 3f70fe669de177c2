/** Carries out one call at a time, and sends what comes of it. */

import { type Compiled, compiled, type Unit } from "./cells.ts";
import { failure } from "./failing.ts";
import { formed } from "./forms.ts";
import { keptOf, NoSuchPart, pageOf, parcelOf, plainSize, PLAIN, Store, unpacked } from "./keeping.ts";
import { put, TooLarge, type Writer } from "./msgpack.ts";
import { RequestError } from "./own.ts";
import type { Frame, Pipe } from "./pipe.ts";
import { NotTransferable, PlainWriter } from "./plain.ts";
import {
  call as callOn,
  define,
  fieldNames,
  hasOwn,
  isArray,
  NativeBytes,
  NativeError,
  NativePromise,
  Table,
} from "./primordials.ts";
import { type Level, Printed } from "./printed.ts";
import { chunksOf, Inlet } from "./streams.ts";

const RESULT = "result";
const iterate = Symbol.iterator;
const iterateLater = Symbol.asyncIterator;

interface Call extends Frame {
  inputs: Record<string, unknown>;
  code: string;
  unit: Unit | null;
  streams: Record<string, number | null>;
  credit: number;
  given: Given[];
  keep: boolean;
  previews: boolean;
}

interface Given {
  path: (string | number)[];
  value: number | null;
  parcel: Record<string, unknown> | null;
}

/** A value that the process was given by number has gone. */
class ValueGone extends NativeError {
  override name = "ValueGone";
  readonly code = "value_gone";
  readonly retryable = false;
}

export class Calls {
  private current = 0;
  private inlet = new Inlet(0, 0);
  private readonly store: Store;
  readonly printed = new Printed((message, level) => this.say(message, level));

  /** `memory`: MB that the process may use. */
  constructor(private readonly pipe: Pipe, private readonly limit: number, private readonly memory: number) {
    this.store = new Store((memory * 1024 * 1024) / 2);
  }

  /** Take a frame of the pool. */
  take(frame: Frame): void {
    switch (frame.type) {
      case "call":
        void this.run(frame as Call);
        return;
      case "drop":
        this.store.drop(frame.values as number[]);
        return;
      case "fetch":
        this.answer(frame, () => ({
          type: "fetched",
          parcel: parcelOf(this.held(frame.value as number), frame.encodings as string[], frame.limit as number),
        }));
        return;
      case "read_page":
        this.answer(frame, () => ({ type: "page_read", ...pageOf(this.held(frame.value as number), frame) }));
        return;
    }
    if (frame.id !== this.inlet.call) return;
    if (frame.type === "credit") this.inlet.credit(frame.chunks as number);
    else if (frame.type === "answer") this.inlet.answer(frame.number as number, frame);
    else if (frame.type === "feed") this.feed(frame);
    else if (frame.type === "feed_end") {
      const error = frame.error as string | null;
      this.inlet.feed(frame.stream as string, { chunks: null, error, code: frame.code as string });
    }
  }

  // What running code says

  log(message: string, level: Level): void {
    this.printed.add(message, level);
  }

  private say(message: string, level: Level): void {
    if (this.current) this.pipe.send({ type: "log", id: this.current, message, level });
  }

  progress(fraction: number | null, message: string): void {
    if (this.current) this.pipe.send({ type: "progress", id: this.current, fraction, message });
  }

  async ask(what: string, fields: Record<string, unknown>): Promise<Record<string, unknown>> {
    const { number, coming } = this.inlet.ask();
    const own = { type: "ask", id: this.current, number, what };
    this.pipe.send(own, "fields", (out) => {
      const names = fieldNames(fields);
      out.map(names.length);
      for (let place = 0; place < names.length; place++) {
        const value = fields[names[place]];
        out.text(names[place]);
        if (value instanceof NativeBytes) out.binary(value);
        else new PlainWriter(out, names[place]).write(value);
      }
    });
    const answer = await coming;
    if (answer.error !== null) throw new RequestError(answer.error as string, answer.code as string);
    return answer.value as Record<string, unknown>;
  }

  // The call

  private async run(call: Call): Promise<void> {
    this.current = call.id;
    this.inlet = new Inlet(call.id, call.credit);
    this.printed.begin();
    define(NativeError, "stackTraceLimit", { value: 30, writable: true, configurable: true });
    let cell: Compiled | null = null;
    let last: Record<string, unknown> | (() => void);
    try {
      if (call.unit === null) throw new TypeError("this worker runs TypeScript only");
      cell = await compiled(call.unit, call.code);
      last = await this.deliver(call, call.unit, await this.value(call, call.unit, cell));
    } catch (error) {
      last = this.failed(error, cell);
    }
    this.printed.end();
    this.end(call.id, last);
    this.current = 0;
    if (this.store.let_.length) {
      this.pipe.send({ type: "let", values: this.store.let_, reason: "the worker came near its limit of memory" });
      this.store.let_ = [];
    }
  }

  private async value(call: Call, unit: Unit, cell: Compiled): Promise<unknown> {
    const inputs = this.inputs(call, unit);
    const free: unknown[] = [];
    for (let place = 0; place < unit.free.length; place++) free[place] = inputs[unit.free[place]];
    const value = await (callOn(cell.body as never, undefined, free) as Promise<unknown>);
    if (unit.parameters === null) return value;
    const given = callOn(value as never, undefined, placed(unit, inputs));
    return isStream(given) ? given : await given;
  }

  private inputs(call: Call, unit: Unit): Record<string, unknown> {
    const inputs = call.inputs;
    for (let place = 0; place < call.given.length; place++) this.give(inputs, call.given[place]);
    const names = fieldNames(inputs);
    for (let place = 0; place < names.length; place++) {
      const form = hasOwn(unit.forms, names[place]) ? unit.forms[names[place]] : null;
      put(inputs, names[place], formed(inputs[names[place]], form as never));
    }
    const streams = fieldNames(call.streams);
    const pull = (stream: string) => this.pipe.send({ type: "pull", id: call.id, stream });
    for (let place = 0; place < streams.length; place++) {
      const name = streams[place];
      const count = call.streams[name];
      if (count === null) {
        put(inputs, name, chunksOf(this.inlet, name, pull));
        continue;
      }
      const several: unknown[] = [];
      for (let at = 0; at < count; at++) several[at] = chunksOf(this.inlet, `${name}[${at}]`, pull);
      put(inputs, name, several);
    }
    return inputs;
  }

  /** Put a value that stays here, or one that came, where it belongs. */
  private give(target: unknown, given: Given): void {
    let at = target as Record<string | number, unknown>;
    const { path } = given;
    for (let place = 0; place < path.length - 1; place++) at = at[path[place]] as typeof at;
    at[path[path.length - 1]] = given.parcel === null ? this.held(given.value as number) : unpacked(given.parcel);
  }

  private held(number: number): unknown {
    if (!this.store.has(number)) throw new ValueGone("the value is not in its worker any more");
    return this.store.get(number);
  }

  private feed(frame: Frame): void {
    const chunks = frame.chunks as unknown[];
    const given = (frame.given ?? []) as Given[];
    for (let place = 0; place < given.length; place++) this.give(chunks, given[place]);
    this.inlet.feed(frame.stream as string, { chunks, error: null, code: "" });
  }

  // What it gives

  /** Return what ends the call: the fields of its last frame, or what sends it. */
  private async deliver(call: Call, unit: Unit, value: unknown): Promise<() => void> {
    if (unit.streams) {
      await this.stream(call, value);
      return () => this.pipe.send({ type: "returned", id: call.id });
    }
    const outputs = unit.parameters === null ? (value as Record<string, unknown>) : { [RESULT]: value };
    for (let place = 0; place < unit.outputs.length; place++) {
      const output = outputs[unit.outputs[place]];
      if (output instanceof NativePromise) put(outputs, unit.outputs[place], await output);
    }
    const names: string[] = [];
    const kept: Record<string, unknown> = {};
    for (let place = 0; place < unit.outputs.length; place++) {
      const name = unit.outputs[place];
      const output = outputs[name];
      if (output === undefined && name !== RESULT) continue;
      if (call.keep && output !== undefined && !isSmall(output)) put(kept, name, keptOf(this.store, output, call.previews));
      else if (call.keep || this.mayLeave(name, output)) names[names.length] = name;
    }
    return () =>
      this.pipe.send({ type: "returned", id: call.id, kept }, "value", (out) => {
        out.map(names.length);
        for (let place = 0; place < names.length; place++) {
          out.text(names[place]);
          new PlainWriter(out, names[place]).write(outputs[names[place]]);
        }
      });
  }

  /** Whether an output has a plain form: one that has none is left out, but a result must. */
  private mayLeave(name: string, value: unknown): boolean {
    if (value === null || typeof value !== "object") {
      if (typeof value !== "function" && typeof value !== "symbol") return true;
    } else if (plainSize(value, Infinity) >= 0) return true;
    try {
      parcelOf(value, ["bytes"], 0);
      return true;
    } catch (error) {
      if (!(error instanceof NotTransferable)) throw error;
      const told = new NotTransferable(error.kind, name === RESULT ? "" : name, error.reason);
      if (name === RESULT) throw told;
      if (typeof value !== "function") {
        this.printed.add(`${told.message}; begin its name with _ to keep it in the cell`, "warning");
      }
      return false;
    }
  }

  private async stream(call: Call, value: unknown): Promise<void> {
    this.pipe.send({ type: "streaming", id: call.id });
    const items = iteratorOf(value);
    for (let place = 0; ; place++) {
      const { done, value: item } = await items.next();
      if (done) return;
      await this.inlet.spend();
      try {
        this.pipe.send({ type: "chunk", id: call.id }, "value", (out) => writeChunk(out, item, `chunk ${place}`));
      } catch (error) {
        throw error instanceof TooLarge ? new ChunkTooLarge(error.size, `chunk ${place}`) : error;
      }
    }
  }

  // Sending

  private end(id: number, last: Record<string, unknown> | (() => void)): void {
    try {
      if (typeof last === "function") last();
      else this.pipe.send({ type: "failed", id, ...last });
    } catch (error) {
      const told = error instanceof TooLarge ? new ChunkTooLarge(error.size, "the result") : error;
      this.pipe.send({ type: "failed", id, ...this.failed(told, null) });
    }
  }

  private failed(error: unknown, cell: Compiled | null): Record<string, unknown> {
    if (error instanceof ChunkTooLarge || error instanceof TooLarge) {
      const what = error instanceof ChunkTooLarge ? error.what : "the result";
      const message = `${what} is ${error.size} bytes; at most ${this.limit} can leave a worker`;
      const details = { size: error.size, limit: this.limit };
      return { code: "output_too_large", message, details };
    }
    return failure(error, cell, this.memory);
  }

  private answer(frame: Frame, make: () => Record<string, unknown>): void {
    const number = frame.number as number;
    try {
      this.pipe.send({ ...make(), number });
    } catch (error) {
      this.pipe.send({ type: "refused", number, ...refusal(error) });
    }
  }
}

/** A chunk, or all of the outputs, are larger than a frame may be. */
class ChunkTooLarge {
  constructor(readonly size: number, readonly what: string) {}
}

function refusal(error: unknown): { code: string; message: string } {
  if (error instanceof ValueGone) return { code: "value_gone", message: error.message };
  if (error instanceof NotTransferable) return { code: "not_transferable", message: error.message };
  if (error instanceof NoSuchPart) return { code: "value_not_found", message: `the value has no part ${error.name}` };
  if (error instanceof TooLarge) return { code: "output_too_large", message: `the value is ${error.size} bytes` };
  return { code: "not_transferable", message: "the value cannot be read" };
}

function isSmall(value: unknown): boolean {
  const size = plainSize(value);
  return size >= 0 && size <= PLAIN;
}

/** Return a function's arguments by its parameters. */
function placed(unit: Unit, inputs: Record<string, unknown>): unknown[] {
  const parameters = unit.parameters ?? [];
  const found: unknown[] = [];
  const used = new Table<string, true>();
  for (let place = 0; place < parameters.length; place++) {
    const parameter = parameters[place];
    if (typeof parameter.name === "string") used.set(parameter.name, true);
    if (typeof parameter.rest === "string") used.set(parameter.rest, true);
    const fields = (parameter.fields ?? []) as string[];
    for (let at = 0; at < fields.length; at++) used.set(fields[at], true);
  }
  for (let place = 0; place < unit.free.length; place++) used.set(unit.free[place], true);
  for (let place = 0; place < parameters.length; place++) {
    const { name, rest, fields, extra } = parameters[place];
    if (typeof name === "string") found[found.length] = inputs[name];
    else if (typeof rest === "string") {
      const items = inputs[rest];
      const list = isArray(items) ? items : items === undefined || items === null ? [] : [items];
      for (let at = 0; at < list.length; at++) found[found.length] = list[at];
    } else found[found.length] = gathered(inputs, fields as string[], extra === true, used);
  }
  return found;
}

function gathered(
  inputs: Record<string, unknown>,
  fields: string[],
  extra: boolean,
  used: Table<string, true>,
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (let at = 0; at < fields.length; at++) {
    if (hasOwn(inputs, fields[at])) put(found, fields[at], inputs[fields[at]]);
  }
  const names = extra ? fieldNames(inputs) : [];
  for (let at = 0; at < names.length; at++) {
    if (!used.has(names[at])) put(found, names[at], inputs[names[at]]);
  }
  return found;
}

function isStream(value: unknown): boolean {
  if (value === null || typeof value !== "object") return false;
  return iterateLater in value;
}

function iteratorOf(value: unknown): AsyncIterator<unknown> | Iterator<unknown> {
  const streamed = value as Record<symbol, (() => AsyncIterator<unknown>) | undefined> | null;
  const begin = streamed?.[iterateLater] ?? streamed?.[iterate];
  if (typeof begin !== "function") throw new NotTransferable(typeof value, "", "it is no stream");
  return callOn(begin, value, []) as AsyncIterator<unknown>;
}

function writeChunk(out: Writer, chunk: unknown, where: string): void {
  if (chunk instanceof NativeBytes) out.binary(chunk);
  else new PlainWriter(out, where).write(chunk);
}

/** MessagePack, as far as frames and plain values need it. */

import {
  codeAt,
  define,
  encodeInto,
  fieldNames,
  fromUtf8,
  isArray,
  isInteger,
  NativeBigInt,
  NativeBuffer,
  NativeBytes,
  NativeView,
  numberOf,
  piece,
  set,
} from "./primordials.ts";

const SHORT = 32;
const MOST_SAFE = Number.MAX_SAFE_INTEGER;
const getU16 = DataView.prototype.getUint16;
const getU32 = DataView.prototype.getUint32;
const getI16 = DataView.prototype.getInt16;
const getI32 = DataView.prototype.getInt32;
const getI64 = DataView.prototype.getBigInt64;
const getU64 = DataView.prototype.getBigUint64;
const getF32 = DataView.prototype.getFloat32;
const getF64 = DataView.prototype.getFloat64;
const setU32 = DataView.prototype.setUint32;
const setU16 = DataView.prototype.setUint16;
const setF64 = DataView.prototype.setFloat64;
const setU64 = DataView.prototype.setBigUint64;
const setI64 = DataView.prototype.setBigInt64;
const { apply } = Reflect;

/** Bytes that grow as they are written. One frame is written at a time. */
export class Writer {
  view: DataView;
  at = 0;
  /** Bytes after which writing is given up, with a TooLarge. */
  limit = Infinity;

  constructor(public bytes: Uint8Array<ArrayBuffer> = new NativeBytes(1024)) {
    this.view = new NativeView(bytes.buffer);
  }

  room(more: number): void {
    const needed = this.at + more;
    if (needed <= this.bytes.length) return;
    if (needed > this.limit) throw new TooLarge(needed);
    let size = this.bytes.length;
    while (size < needed) size *= 2;
    const grown = new NativeBytes(size);
    set(grown, piece(this.bytes, 0, this.at), 0);
    this.bytes = grown;
    this.view = new NativeView(grown.buffer);
  }

  byte(value: number): void {
    this.room(1);
    this.bytes[this.at++] = value;
  }

  head(small: number, most: number, wide: number, count: number): void {
    this.room(5);
    if (count <= most) {
      this.bytes[this.at++] = small | count;
    } else if (count < 0x10000) {
      this.bytes[this.at++] = wide;
      apply(setU16, this.view, [this.at, count]);
      this.at += 2;
    } else {
      this.bytes[this.at++] = wide + 1;
      apply(setU32, this.view, [this.at, count]);
      this.at += 4;
    }
  }

  nil(): void {
    this.byte(0xc0);
  }

  boolean(value: boolean): void {
    this.byte(value ? 0xc3 : 0xc2);
  }

  array(count: number): void {
    this.head(0x90, 15, 0xdc, count);
  }

  map(count: number): void {
    this.head(0x80, 15, 0xde, count);
  }

  number(value: number): void {
    this.room(9);
    if (isInteger(value) && value >= -MOST_SAFE && value <= MOST_SAFE) {
      this.integer(value);
    } else {
      this.bytes[this.at++] = 0xcb;
      apply(setF64, this.view, [this.at, value]);
      this.at += 8;
    }
  }

  integer(value: number): void {
    if (value >= 0 && value < 0x80) this.bytes[this.at++] = value;
    else if (value < 0 && value >= -32) this.bytes[this.at++] = value & 0xff;
    else if (value >= 0 && value <= 0xffffffff) {
      this.bytes[this.at++] = 0xce;
      apply(setU32, this.view, [this.at, value]);
      this.at += 4;
    } else this.large(NativeBigInt(value));
  }

  large(value: bigint): void {
    this.room(9);
    this.bytes[this.at++] = value < 0n ? 0xd3 : 0xcf;
    apply(value < 0n ? setI64 : setU64, this.view, [this.at, value]);
    this.at += 8;
  }

  text(value: string): void {
    const length = value.length;
    if (length < SHORT) {
      this.room(1 + length);
      const start = this.at;
      let at = start + 1;
      for (let place = 0; place < length; place++) {
        const code = codeAt(value, place);
        if (code >= 0x80) {
          at = -1;
          break;
        }
        this.bytes[at++] = code;
      }
      if (at >= 0) {
        this.bytes[start] = 0xa0 | length;
        this.at = at;
        return;
      }
    }
    this.room(5 + length * 3);
    const { written } = encodeInto(value, piece(this.bytes, this.at + 5, this.bytes.length));
    this.bytes[this.at] = 0xdb;
    apply(setU32, this.view, [this.at + 1, written]);
    this.at += 5 + written;
  }

  binary(value: Uint8Array): void {
    this.room(5 + value.length);
    this.bytes[this.at] = 0xc6;
    apply(setU32, this.view, [this.at + 1, value.length]);
    set(this.bytes, value, this.at + 5);
    this.at += 5 + value.length;
  }

  /** Write plain values that this program made itself. */
  any(value: unknown): void {
    if (value === null || value === undefined) this.nil();
    else if (typeof value === "string") this.text(value);
    else if (typeof value === "number") this.number(value);
    else if (typeof value === "boolean") this.boolean(value);
    else if (value instanceof NativeBytes) this.binary(value);
    else if (isArray(value)) {
      this.array(value.length);
      for (let place = 0; place < value.length; place++) this.any(value[place]);
    } else {
      const names = fieldNames(value as object);
      this.map(names.length);
      for (let place = 0; place < names.length; place++) {
        this.text(names[place]);
        this.any((value as Record<string, unknown>)[names[place]]);
      }
    }
  }
}

/** What is written is larger than it may be. */
export class TooLarge {
  constructor(readonly size: number) {}
}

/** Reads one value. Whole numbers beyond 2^53 become the nearest number. */
export class Reader {
  at = 0;
  view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new NativeView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
  }

  any(): unknown {
    const kind = this.bytes[this.at++];
    if (kind < 0x80) return kind;
    if (kind < 0x90) return this.map(kind & 15);
    if (kind < 0xa0) return this.array(kind & 15);
    if (kind < 0xc0) return this.text(kind & 31);
    if (kind >= 0xe0) return kind - 0x100;
    switch (kind) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.binary(this.bytes[this.at++]);
      case 0xc5:
        return this.binary(this.read(getU16, 2));
      case 0xc6:
        return this.binary(this.read(getU32, 4));
      case 0xca:
        return this.read(getF32, 4);
      case 0xcb:
        return this.read(getF64, 8);
      case 0xcc:
        return this.bytes[this.at++];
      case 0xcd:
        return this.read(getU16, 2);
      case 0xce:
        return this.read(getU32, 4);
      case 0xcf:
        return numberOf(this.read(getU64, 8));
      case 0xd0:
        return (this.bytes[this.at++] << 24) >> 24;
      case 0xd1:
        return this.read(getI16, 2);
      case 0xd2:
        return this.read(getI32, 4);
      case 0xd3:
        return numberOf(this.read(getI64, 8));
      case 0xd9:
        return this.text(this.bytes[this.at++]);
      case 0xda:
        return this.text(this.read(getU16, 2));
      case 0xdb:
        return this.text(this.read(getU32, 4));
      case 0xdc:
        return this.array(this.read(getU16, 2));
      case 0xdd:
        return this.array(this.read(getU32, 4));
      case 0xde:
        return this.map(this.read(getU16, 2));
      case 0xdf:
        return this.map(this.read(getU32, 4));
    }
    throw new Error(`a frame has the byte ${kind} where a value begins`);
  }

  private read<T extends number | bigint>(method: (at: number) => T, size: number): T {
    const value = apply(method, this.view, [this.at]) as T;
    this.at += size;
    return value;
  }

  private binary(size: number): Uint8Array {
    const copy = new NativeBytes(new NativeBuffer(size));
    set(copy, piece(this.bytes, this.at, this.at + size), 0);
    this.at += size;
    return copy;
  }

  private text(size: number): string {
    const end = this.at + size;
    const value = fromUtf8(piece(this.bytes, this.at, end));
    this.at = end;
    return value;
  }

  private array(count: number): unknown[] {
    const found: unknown[] = [];
    for (let place = 0; place < count; place++) found[place] = this.any();
    return found;
  }

  private map(count: number): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    for (let place = 0; place < count; place++) put(found, this.any() as string, this.any());
    return found;
  }
}

/** Give an object a field of its own, whatever its prototype has under that name. */
export function put(target: object, name: string, value: unknown): void {
  if (name in target) define(target, name, { value, writable: true, enumerable: true, configurable: true });
  else (target as Record<string, unknown>)[name] = value;
}

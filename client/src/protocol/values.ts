/** Tells the values of ports apart; they are plain JSON that describes itself. */
import type { Bytes, Json, PortValue, ValueRef } from "./types";

/** Whether a value stands for a larger one on the server. */
export function isRef(value: PortValue | undefined): value is ValueRef {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    typeof (value as { $ref?: unknown }).$ref === "string" &&
    "size" in value
  );
}

/** What can be shown of a value at once: the head of a large one, else itself. */
export function preview(value: PortValue): Json {
  return isRef(value) ? value.preview : value;
}

/** Bytes from either transport as a Uint8Array (no copy). */
export function toBytes(bytes: Bytes): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  return new Uint8Array(bytes);
}

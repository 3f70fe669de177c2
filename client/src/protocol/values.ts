/** Tells the values of ports apart; they are plain JSON that describes itself. */
import type { Bytes, HandleForm, HandleRef, Json, PortValue, ValueRef } from "./types";

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

/** Whether a value stands for one that stays in a worker's process. */
export function isHandle(value: unknown): value is HandleRef {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { $handle?: unknown }).$handle === "string" &&
    typeof (value as { kind?: unknown }).kind === "string"
  );
}

/** What can be shown of a value at once: the head of a large one or of one in a worker, else itself. */
export function preview(value: PortValue): Json {
  if (isHandle(value)) return headOf(value.preview);
  return isRef(value) ? value.preview : value;
}

/** The head of a value in a worker, as plain JSON of its kind; null where nothing is known of it. */
function headOf(form: HandleForm | null): Json {
  switch (form?.form) {
    case "table":
      return form.rows as Json;
    case "list":
      return form.values as Json;
    case "object":
      return form.value as Json;
    case "array":
      return form.values as Json;
    case "image":
      return form.image;
    case "text":
      return form.text;
    default:
      return null;
  }
}

/** Bytes from either transport as a Uint8Array (no copy). */
export function toBytes(bytes: Bytes): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  return new Uint8Array(bytes);
}

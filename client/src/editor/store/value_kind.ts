/** How a value on a port is to be shown, told from the value itself and its port's schema. */
import { isHandle } from "../../protocol";
import type { JsonSchema } from "./schema";

export type ValueKind =
  | "empty"
  | "scalar"
  | "text"
  | "markdown"
  | "table"
  | "image"
  | "bytes"
  | "plot"
  | "large"
  | "handle"
  | "json";

/** A value over the size limit: its hash, its size in bytes, and its head. */
export interface LargeValue {
  readonly $ref: string;
  readonly size: number;
  readonly preview?: unknown;
  /** Where in the value of the hash it lies, as a JSON Pointer; all of it when left out. */
  readonly path?: string;
}

export function isLarge(value: unknown): value is LargeValue {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as LargeValue).$ref === "string" &&
    typeof (value as LargeValue).size === "number"
  );
}

/** True for a list whose entries are flat objects: rows of a table. */
export function isRecords(value: unknown): value is Record<string, unknown>[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.slice(0, 20).every((row) => {
    if (typeof row !== "object" || row === null || Array.isArray(row)) return false;
    return Object.values(row).every((cell) => typeof cell !== "object" || cell === null);
  });
}

export function isPlot(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const schema = (value as Record<string, unknown>).$schema;
  return typeof schema === "string" && schema.includes("vega");
}

/** Tell how `value` is shown; a port's `format` decides where the value alone is ambiguous. */
export function valueKind(value: unknown, schema?: JsonSchema): ValueKind {
  if (value === undefined) return "empty";
  if (value === null || typeof value === "number" || typeof value === "boolean") return "scalar";
  if (typeof value === "string") {
    if (value.startsWith("data:")) return value.startsWith("data:image/") ? "image" : "bytes";
    return schema?.format === "markdown" ? "markdown" : "text";
  }
  if (isHandle(value)) return "handle";
  if (isLarge(value)) return "large";
  if (isPlot(value)) return "plot";
  if (isRecords(value)) return "table";
  return "json";
}

const UNITS = ["B", "kB", "MB", "GB"];

/** Write a number of bytes for people: `71.3 kB`. */
export function formatBytes(size: number): string {
  let unit = 0;
  let amount = size;
  while (amount >= 1000 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${UNITS[unit]}`;
}

/** Write a duration given in seconds, as short as is honest: `<1 ms`, `12 ms`, `1.4 s`, `2 min 5 s`, `3 h 20 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0.001) return "<1 ms";
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return [`${minutes} min`, ...(whole % 60 ? [`${whole % 60} s`] : [])].join(" ");
  return [`${Math.floor(minutes / 60)} h`, ...(minutes % 60 ? [`${minutes % 60} min`] : [])].join(" ");
}

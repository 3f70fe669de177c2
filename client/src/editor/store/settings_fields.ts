/** The fields of a node's settings: their words, and the bounds that the server's schema has for them. */
import type { NodeLimits, NodeSettings } from "../../protocol";
import type { JsonSchema } from "./schema";

export interface SettingField<K extends string> {
  readonly key: K;
  readonly title: string;
  readonly about: string;
  readonly schema: JsonSchema;
}

export const SETTING_FIELDS: readonly SettingField<keyof NodeSettings>[] = [
  {
    key: "timeout",
    title: "Time limit",
    about: "Seconds until the node counts as failed.",
    schema: { type: "number", exclusiveMinimum: 0, maximum: 86_400 },
  },
  {
    key: "retries",
    title: "Retries",
    about: "How often to try again after a failure.",
    schema: { type: "integer", minimum: 0, maximum: 20 },
  },
  {
    key: "backoff",
    title: "Wait between",
    about: "Seconds before the first retry; doubles each time.",
    schema: { type: "number", minimum: 0, maximum: 3_600 },
  },
  {
    key: "cache",
    title: "Cache",
    about: "When an output may be used again.",
    schema: { enum: ["deterministic", "private", "none", "ttl"] },
  },
  {
    key: "ttl",
    title: "Valid for",
    about: "Seconds an output stays valid, with cache “ttl”.",
    schema: { type: "number", exclusiveMinimum: 0 },
  },
  {
    key: "debounce",
    title: "Debounce",
    about: "Live: seconds without a change before it runs.",
    schema: { type: "number", minimum: 0, maximum: 60 },
  },
];

export const LIMIT_FIELDS: readonly SettingField<keyof NodeLimits>[] = [
  {
    key: "concurrency",
    title: "At once",
    about: "Calls under way at most.",
    schema: { type: "integer", minimum: 1, maximum: 10_000 },
  },
  {
    key: "delay",
    title: "Delay",
    about: "Seconds before each call.",
    schema: { type: "number", exclusiveMinimum: 0, maximum: 3_600 },
  },
  {
    key: "rate",
    title: "Calls",
    about: "At most so many …",
    schema: { type: "integer", minimum: 1, maximum: 1_000_000 },
  },
  {
    key: "per",
    title: "within",
    about: "… in so many seconds.",
    schema: { type: "number", exclusiveMinimum: 0, maximum: 86_400 },
  },
  {
    key: "spacing",
    title: "Spacing",
    about: "Seconds between two starts.",
    schema: { type: "number", exclusiveMinimum: 0, maximum: 3_600 },
  },
];

/** The limits with one of them set, or left out with `undefined`; null when none is left. */
export function limitsWith(
  limits: NodeLimits | undefined,
  key: keyof NodeLimits,
  value: number | undefined,
): NodeLimits | null {
  const next: { -readonly [K in keyof NodeLimits]: NodeLimits[K] } = { ...limits };
  if (value === undefined) delete next[key];
  else next[key] = value;
  // "Within how many seconds" says nothing without a number of calls.
  if (next.rate === undefined) delete next.per;
  return Object.keys(next).length > 0 ? next : null;
}

/** The fields of a node's settings: their words, and the bounds that the server's schema has for them. */
import { type NodeLimits, type NodeSettings, SETTING_BOUNDS } from "../../protocol";
import type { JsonSchema } from "./schema";

const { settings, limits } = SETTING_BOUNDS;

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
    schema: settings.timeout,
  },
  {
    key: "retries",
    title: "Retries",
    about: "How often to try again after a failure.",
    schema: settings.retries,
  },
  {
    key: "backoff",
    title: "Wait between",
    about: "Seconds before the first retry; doubles each time.",
    schema: settings.backoff,
  },
  {
    key: "cache",
    title: "Cache",
    about: "When an output may be used again.",
    schema: settings.cache,
  },
  {
    key: "ttl",
    title: "Valid for",
    about: "Seconds an output stays valid, with cache “ttl”.",
    schema: settings.ttl,
  },
  {
    key: "debounce",
    title: "Debounce",
    about: "Live: seconds without a change before it runs.",
    schema: settings.debounce,
  },
];

export const LIMIT_FIELDS: readonly SettingField<keyof NodeLimits>[] = [
  {
    key: "concurrency",
    title: "At once",
    about: "Calls under way at most.",
    schema: limits.concurrency,
  },
  {
    key: "delay",
    title: "Delay",
    about: "Seconds before each call.",
    schema: limits.delay,
  },
  {
    key: "rate",
    title: "Calls",
    about: "At most so many …",
    schema: limits.rate,
  },
  {
    key: "per",
    title: "within",
    about: "… in so many seconds.",
    schema: limits.per,
  },
  {
    key: "spacing",
    title: "Spacing",
    about: "Seconds between two starts.",
    schema: limits.spacing,
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

/** Triggers and times in words that people say. */
import type { Firing, Trigger, TriggerKind } from "./types";

export const KINDS: Readonly<Record<TriggerKind, readonly [title: string, about: string]>> = {
  cron: ["At times", "By a cron expression, in a time zone"],
  interval: ["Every so often", "At equal distances, which do not drift"],
  webhook: ["Webhook", "When a program elsewhere sends something"],
  poll: ["Watched address", "When what is at an address changes"],
  event: ["After another canvas", "When a run of another canvas ends"],
};

export const OUTCOMES: Readonly<Record<Firing["outcome"], readonly [word: string, tone: string]>> = {
  started: ["Started", "done"],
  missed: ["Missed", "stale"],
  skipped: ["Skipped", "quiet"],
  refused: ["Refused", "failed"],
};

export const UNITS = [
  ["second", 1],
  ["minute", 60],
  ["hour", 3_600],
  ["day", 86_400],
] as const;

/** Seconds as a number of the largest unit that fits: 90 is [90, "second"], 120 is [2, "minute"]. */
export function inUnits(seconds: number): readonly [count: number, unit: string] {
  for (const [unit, size] of [...UNITS].reverse())
    if (seconds >= size && Number.isInteger(seconds / size)) return [seconds / size, unit];
  return [seconds, "second"];
}

/** Every minute; every 5 minutes. */
export function everyWords(seconds: number): string {
  const [count, unit] = inUnits(seconds);
  return count === 1 ? `every ${unit}` : `every ${count} ${unit}s`;
}

/** When a trigger fires, in one line. */
export function whenWords(trigger: Pick<Trigger, "settings">): string {
  const { settings } = trigger;
  switch (settings.kind) {
    case "cron":
      return `${cronWords(settings.expression)}, ${settings.zone}`;
    case "interval":
      return capital(everyWords(settings.every));
    case "webhook":
      return settings.proof === "bearer"
        ? "When it is sent to, with its token"
        : "When it is sent to, signed";
    case "poll":
      return `When ${host(settings.url)} changes, looked at ${everyWords(settings.every)}`;
    case "event":
      return `When a run of another canvas ${settings.on.map((how) => (how === "failed" ? "fails" : "completes")).join(" or ")}`;
  }
}

const DAYS: Readonly<Record<string, string>> = {
  "MON-FRI": "on weekdays",
  "1-5": "on weekdays",
  "SAT,SUN": "on weekends",
  MON: "on Mondays",
  TUE: "on Tuesdays",
  WED: "on Wednesdays",
  THU: "on Thursdays",
  FRI: "on Fridays",
  SAT: "on Saturdays",
  SUN: "on Sundays",
  "*": "every day",
};

/** The usual expressions in words; any other as it is. */
export function cronWords(expression: string): string {
  const [minute = "", hour = "", day, month, week = "", ...more] = expression
    .trim()
    .toUpperCase()
    .split(/\s+/);
  const days = DAYS[week];
  if (more.length > 0 || month !== "*") return expression;
  if (/^\d+$/.test(minute) && /^\d+$/.test(hour)) {
    const at = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
    if (day === "*" && days) return capital(`${days} at ${at}`);
    if (day === "1" && week === "*") return `On the first of the month at ${at}`;
  }
  if (day !== "*" || week !== "*" || hour !== "*") return expression;
  if (minute === "*") return "Every minute";
  const step = /^\*\/(\d+)$/.exec(minute)?.[1];
  if (step) return `Every ${step} minutes`;
  return /^\d+$/.test(minute) ? `Every hour at ${minute} past` : expression;
}

/** A time where the reader is, with its zone: Mon 23 Nov, 09:00 CET. */
export function timeWords(seconds: number, zone?: string): string {
  return new Date(seconds * 1000).toLocaleString([], {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
    ...(zone ? { timeZone: zone } : {}),
  });
}

/** How far a time is from now: in 5 minutes, 2 days ago. */
export function distanceWords(seconds: number, now: number): string {
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const away = seconds - now;
  for (const [unit, size] of [...UNITS].reverse())
    if (Math.abs(away) >= size || unit === "second") return format.format(Math.round(away / size), unit);
  return "";
}

/** How somebody sends to a webhook, for the command line; the secret is where a shell finds it. */
export function curlOf(trigger: Trigger): string {
  const url = trigger.url ?? "";
  const body = `BODY='{"hello": "world"}'`;
  if (trigger.settings.kind === "webhook" && trigger.settings.proof === "bearer")
    return [
      body,
      `curl '${url}' -d "$BODY" -H 'Content-Type: application/json' \\`,
      '  -H "Authorization: Bearer $SECRET"',
    ].join("\n");
  return [
    body,
    "ID=msg_$(openssl rand -hex 8)",
    "TIME=$(date +%s)",
    `KEY=$(printf %s "\${SECRET#whsec_}" | base64 -d | od -An -tx1 | tr -d ' \\n')`,
    'SIGNATURE=$(printf %s "$ID.$TIME.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)',
    `curl '${url}' -d "$BODY" -H 'Content-Type: application/json' \\`,
    '  -H "webhook-id: $ID" -H "webhook-timestamp: $TIME" -H "webhook-signature: v1,$SIGNATURE"',
  ].join("\n");
}

function host(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What is typed into the form of a schedule means what it says, and the list is as the server has it. */
import { expect, it, vi } from "vitest";
import { ProtocolError } from "../api/errors";
import type { Connection } from "../session";
import {
  cronWords,
  curlOf,
  distanceWords,
  everyWords,
  fieldsOf,
  type Trigger,
  TriggerDesk,
  timedOf,
  triggerDraft,
  whenWords,
  whyNotTrigger,
} from ".";

const TRIGGER: Trigger = {
  id: "t",
  canvas: "c",
  user: "ada",
  name: "Orders",
  kind: "webhook",
  settings: { kind: "webhook", proof: "signature", headers: ["x-event"] },
  inputs: { "a.value": { $from: "body.id" }, "b.value": "7", "c.value": [1] },
  run: { audience: "private", overlap: "allow", timeout: 5, queue: "nightly", priority: 3, retry: null },
  missed: "once",
  enabled: true,
  next_at: null,
  fault: null,
  url: "http://here/v1/hooks/t",
  last: null,
  created_at: 1,
  updated_at: 1,
};

it("keeps what the form does not show, and reads back what it was given", () => {
  const draft = triggerDraft(TRIGGER, "UTC");
  expect(draft.inputs.map(({ text }) => text)).toEqual(["body.id", '"7"', "[1]"]);
  const { name, settings, inputs, run, missed } = TRIGGER;
  expect(fieldsOf(draft, TRIGGER)).toEqual({ name, settings, inputs, run, missed });
});

it("says what cannot be right before the server is asked", () => {
  const empty = triggerDraft(null, "Europe/Berlin");
  expect(whyNotTrigger(empty)).toEqual({ name: "Give it a name" });
  const poll = { ...empty, name: "P", kind: "poll", count: "9", unit: "second", sent: "no colon" } as const;
  expect(Object.keys(whyNotTrigger(poll)).sort()).toEqual(["every", "headers", "url"]);
  const input = { port: "nowhere", from: false, text: "" };
  expect(whyNotTrigger({ ...empty, name: "N", inputs: [input] })).toHaveProperty(["input.0"]);
  expect(timedOf(empty)).toEqual({ kind: "cron", expression: "0 9 * * MON-FRI", zone: "Europe/Berlin" });
  expect(timedOf({ ...poll, kind: "webhook" })).toBeNull();
});

it("says when in words that people use", () => {
  expect(cronWords("0 9 * * mon-fri")).toBe("On weekdays at 09:00");
  expect(cronWords("5 7 1 * *")).toBe("On the first of the month at 07:05");
  expect(cronWords("*/15 * * * *")).toBe("Every 15 minutes");
  expect(cronWords("0 9 * JAN MON")).toBe("0 9 * JAN MON");
  expect(everyWords(3_600)).toBe("every hour");
  expect(everyWords(90)).toBe("every 90 seconds");
  expect(whenWords(TRIGGER)).toBe("When it is sent to, signed");
  expect(distanceWords(1_300, 1_000)).toBe("in 5 minutes");
  expect(curlOf(TRIGGER)).toContain("'http://here/v1/hooks/t'");
  expect(curlOf(TRIGGER)).toContain(`"\${SECRET#whsec_}"`);
});

it("follows what the server tells, and shows a secret until it is put away (X12)", async () => {
  const listeners = new Map<string, (event: never) => void>();
  const request = vi.fn(async (event: string): Promise<unknown> => {
    if (event === "triggers.find") return { items: [TRIGGER] };
    if (event === "triggers.create")
      return { trigger: { ...TRIGGER, id: "u", created_at: 2 }, secret: "whsec_x" };
    throw new ProtocolError({
      code: "bad_request",
      message: "no",
      details: { errors: [{ field: "settings.cron.expression", message: "Bad minute" }] },
    });
  });
  const session = {
    request,
    on: (event: string, listener: (event: never) => void) => {
      listeners.set(event, listener);
      return () => listeners.delete(event);
    },
    onOnline: () => () => {},
  } as unknown as Connection;
  const desk = new TriggerDesk(session, "c");
  const end = desk.open();
  await desk.load();
  const fields = fieldsOf(triggerDraft(TRIGGER, "UTC"), null);
  expect(await desk.create(fields)).toBeNull();
  expect(desk.fresh.get()?.secret).toBe("whsec_x");
  desk.putAway();
  expect(desk.fresh.get()).toBeNull();
  expect(await desk.change("t", { name: "X" })).toEqual({ expression: "Bad minute" });
  const tell = listeners.get("triggers.changed") as (event: unknown) => void;
  tell({ canvas: "c", id: "t", trigger: null });
  tell({ canvas: "another", id: "v", trigger: { ...TRIGGER, id: "v" } });
  expect(desk.triggers.get()?.map(({ id }) => id)).toEqual(["u"]);
  expect(await desk.turn(TRIGGER, false)).toBe(false);
  expect(desk.failure.get()).toBe("Could not turn Orders off: no");
  end();
  expect(listeners.size).toBe(0);
});

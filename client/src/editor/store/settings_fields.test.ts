/** A setting's field says what the server says, and limits are one value. */
import { expect, test } from "vitest";
import { whyNotNumber } from "../components/SchemaField";
import { LIMIT_FIELDS, limitsWith, SETTING_FIELDS } from "./settings_fields";

test("what is out of bounds is said before it is sent", () => {
  const say = (key: string, value: number) => {
    const field = [...SETTING_FIELDS, ...LIMIT_FIELDS].find((each) => each.key === key);
    return whyNotNumber(value, field?.schema ?? {});
  };
  expect(say("timeout", 0)).toBe("More than 0");
  expect(say("debounce", 61)).toBe("At most 60");
  expect(say("concurrency", 1.5)).toBe("A whole number is needed");
  expect(say("rate", 0)).toBe("At least 1");
  expect(say("spacing", 0.2)).toBeNull();
});

test.each<[string, Parameters<typeof limitsWith>, ReturnType<typeof limitsWith>]>([
  ["the first limit", [undefined, "concurrency", 2], { concurrency: 2 }],
  ["another beside it", [{ concurrency: 2 }, "rate", 5], { concurrency: 2, rate: 5 }],
  ["without a rate there is no time for it", [{ rate: 5, per: 60 }, "rate", undefined], null],
  ["the last one taken away", [{ delay: 1 }, "delay", undefined], null],
])("%s", (_name, asked, limits) => {
  expect(limitsWith(...asked)).toEqual(limits);
});

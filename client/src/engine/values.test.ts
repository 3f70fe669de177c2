/** Large values are fetched once, whole, and page by page. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { Json, ValuePage } from "../protocol";
import { ValueStore } from "./values";
import { wholeValue } from "./whole_value";

const ref = (hash: string, size = 10) => ({ $ref: hash, size, preview: null });

test("a value is fetched once, also when two ask at the same time; a failure is not kept", async () => {
  let fails = true;
  const fetch = vi.fn(async (hash: string) => {
    if (fails) throw new Error("offline");
    return `value of ${hash}`;
  });
  const values = new ValueStore(fetch);
  await expect(values.get(ref("h"))).rejects.toThrow("offline");
  fails = false;
  expect(await Promise.all([values.get(ref("h")), values.get(ref("h"))])).toEqual([
    "value of h",
    "value of h",
  ]);
  await values.get(ref("h"));
  expect(fetch).toHaveBeenCalledTimes(2);
  expect(await values.get({ a: 1 })).toEqual({ a: 1 });
});

test("what was used longest ago goes when there is too much", async () => {
  const fetch = vi.fn(async (hash: string) => hash);
  const values = new ValueStore(fetch);
  const large = 30 * 1024 * 1024;
  for (const hash of ["a", "b", "a", "c", "a", "b"]) await values.get(ref(hash, large));
  expect(fetch.mock.calls.map(([hash]) => hash)).toEqual(["a", "b", "c", "b"]);
});

test("pages put together are the value", async () => {
  const large = fc.oneof(
    fc.array(fc.jsonValue(), { maxLength: 20 }),
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => name !== "__proto__"),
      fc.jsonValue(),
      { maxKeys: 12 },
    ),
    fc.integer(),
  );
  await fc.assert(
    fc.asyncProperty(large, fc.integer({ min: 1, max: 7 }), async (value, size) => {
      const whole = JSON.parse(JSON.stringify(value)) as Json;
      const read = async (hash: string, offset: number) => pageOf(whole, hash, offset, size);
      expect(await wholeValue("h", read)).toEqual(whole);
    }),
  );
});

/** As the server cuts: a text by code points. */
function pageOf(value: Json, hash: string, offset: number, limit: number): ValuePage {
  const page = (kind: ValuePage["kind"], total: number, part: Json, taken: number): ValuePage => {
    return {
      hash,
      size: 0,
      kind,
      total,
      offset,
      more: offset + taken < total,
      value: part,
      path: "",
      rows: null,
    };
  };
  if (typeof value === "string") {
    const characters = [...value];
    const part = characters.slice(offset, offset + limit);
    return page("text", characters.length, part.join(""), part.length);
  }
  if (Array.isArray(value)) {
    const part = value.slice(offset, offset + limit);
    return page("list", value.length, part, part.length);
  }
  if (typeof value !== "object" || value === null) return page("value", 1, value, 1);
  const part = Object.entries(value).slice(offset, offset + limit);
  return page("object", Object.keys(value).length, Object.fromEntries(part), part.length);
}

/** What is kept of a stream is bounded, and says how much it was and how fast it came. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../protocol";
import {
  HEAD_CHARACTERS,
  HEAD_ITEMS,
  hasGap,
  type Streamed,
  streamedValue,
  TAIL_CHARACTERS,
  TAIL_ITEMS,
  withChunk,
} from "./streamed";

function streamed(chunks: readonly Json[], every = 0): Streamed {
  let stream: Streamed | undefined;
  chunks.forEach((chunk, index) => {
    stream = withChunk(stream, chunk, Array.isArray(chunk) ? chunk.length : 1, 100 + index * every);
  });
  if (!stream) throw new Error("no chunk");
  return stream;
}

test.each<[string, Json[], Json, number]>([
  ["text is joined", ["Hel", "lo"], "Hello", 5],
  ["lists are put behind one another", [[1, 2], [3]], [1, 2, 3], 3],
  ["a value by itself is an item", [1, { a: 2 }], [1, { a: 2 }], 2],
  ["text that goes on with values is a list of both", ["so ", "far", [1]], ["so far", 1], 2],
])("%s", (_name, chunks, value, size) => {
  const stream = streamed(chunks);
  expect(streamedValue(stream)).toEqual(value);
  expect(stream.size).toBe(size);
  expect(hasGap(stream)).toBe(false);
  expect(streamedValue(stream)).toBe(streamedValue(stream));
});

test("of bytes only the size is kept", () => {
  const stream = streamed([
    ["data:application/octet-stream;base64,AAAA", "data:application/octet-stream;base64,AA=="],
    ["data:application/octet-stream;base64,AAA="],
  ]);
  expect(stream).toMatchObject({ kind: "bytes", size: 3 + 1 + 2, chunks: 3, head: [], tail: [] });
});

test("what is kept is bounded whatever comes, and beginning and end are those of the whole", () => {
  const texts = fc.array(fc.string({ maxLength: 9_000, minLength: 1 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(texts, (parts) => {
      const whole = parts.join("");
      const stream = streamed(parts);
      const [head, tail] = [stream.head as string, stream.tail as string];
      expect(head.length).toBeLessThanOrEqual(HEAD_CHARACTERS);
      expect(tail.length).toBeLessThanOrEqual(2 * TAIL_CHARACTERS);
      expect(whole.startsWith(head) && whole.endsWith(tail)).toBe(true);
      expect(stream.size).toBe(whole.length);
      if (!hasGap(stream)) expect(streamedValue(stream)).toBe(whole);
    }),
    { numRuns: 50 },
  );
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat(), { maxLength: 60 }), { minLength: 1, maxLength: 20 }), (parts) => {
      const whole = parts.flat();
      const stream = streamed(parts);
      const kept = streamedValue(stream) as number[];
      expect(kept.length).toBeLessThanOrEqual(HEAD_ITEMS + TAIL_ITEMS);
      expect(kept.slice(0, HEAD_ITEMS)).toEqual(whole.slice(0, HEAD_ITEMS));
      expect(kept.slice(-TAIL_ITEMS)).toEqual(whole.slice(-TAIL_ITEMS));
      expect(stream.size).toBe(whole.length);
    }),
    { numRuns: 50 },
  );
});

test("the rate is that of the last second, not of the whole", () => {
  const slow = streamed(
    Array.from({ length: 5 }, () => [1]),
    0.5,
  );
  expect(slow.rate).toBeCloseTo(2, 0);
  let fast = slow;
  for (let i = 0; i < 20; i += 1) fast = withChunk(fast, [1, 2, 3, 4, 5], 5, 102 + (i + 1) * 0.1);
  expect(fast.rate).toBeGreaterThan(30);
  expect(streamed([[1]]).rate).toBeNull();
});

test("a large text chunk counts as long as it is, though only its head is here", () => {
  const stream = withChunk(undefined, { $ref: "h", size: 100_002, preview: "abc" }, 1, 1);
  expect(stream).toMatchObject({ kind: "text", head: "abc", size: 100_000 });
  expect(hasGap(stream)).toBe(true);
});

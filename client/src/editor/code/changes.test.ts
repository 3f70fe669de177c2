import fc from "fast-check";
import { expect, test } from "vitest";
import { type Change, changesBetween } from "./changes";

function applied(text: string, changes: readonly Change[]): string {
  let result = "";
  let at = 0;
  for (const { from, to, insert } of changes) {
    expect(from).toBeGreaterThanOrEqual(at);
    result += text.slice(at, from) + insert;
    at = to;
  }
  return result + text.slice(at);
}

test("formatting touches what it changes, and nothing else", () => {
  const before = "x=1\ny = [ 1,2 ]\nz = 'a'\n";
  const after = 'x = 1\ny = [1, 2]\nz = "a"\n';
  const changes = changesBetween(before, after);
  expect(applied(before, changes)).toBe(after);
  const touched = changes.reduce((sum, { from, to }) => sum + to - from, 0);
  expect(touched).toBeLessThanOrEqual(5);
  expect(changesBetween(after, after)).toEqual([]);
});

test("any text is made of any other", () => {
  const text = fc.array(fc.constantFrom("a", "bc", " ", "\n", "(", ")", "ä", "😀"), { maxLength: 40 });
  fc.assert(
    fc.property(text, text, (one, other) => {
      const [before, after] = [one.join(""), other.join("")];
      expect(applied(before, changesBetween(before, after))).toBe(after);
    }),
  );
});

test("texts that have little in common are replaced at once", () => {
  const before = Array.from({ length: 3000 }, (_, n) => `a${n}`).join(" ");
  const after = Array.from({ length: 3000 }, (_, n) => `b${n}`).join("-");
  expect(applied(before, changesBetween(before, after))).toBe(after);
});

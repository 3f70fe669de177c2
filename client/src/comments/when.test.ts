/** Times as people say them. */
import { expect, test } from "vitest";
import { ago } from "./when";

const NOW = 1_800_000_000;

test.each([
  [0, "just now"],
  [59, "just now"],
  [60, "1 minute ago"],
  [3_600 * 5, "5 hours ago"],
  [86_400, "yesterday"],
  [86_400 * 40, "last month"],
  [86_400 * 800, "2 years ago"],
  [-30, "just now"],
])("%d seconds ago is %j", (past, words) => {
  expect(ago(NOW - past, NOW, "en")).toBe(words);
});

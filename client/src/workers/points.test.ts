/** A small line of numbers keeps its newest at the right edge, and its scale. */
import { expect, it } from "vitest";
import { points } from "./points";

it("ends at the right edge, and uses the height up to the top that is given", () => {
  expect(points([0, 50, 100], 10, 10, 100, 3)).toBe("0,10 5,5 10,0");
  expect(points([50], 10, 10, 100, 3)).toBe("10,5");
  expect(points([0, 200], 10, 10, 100, 3)).toBe("5,10 10,0");
});

it("draws no more than there is room for, and nothing of nothing", () => {
  expect(points([9, 9, 0, 0], 10, 10, 9, 2)).toBe("0,10 10,10");
  expect(points([], 10, 10)).toBe("");
});

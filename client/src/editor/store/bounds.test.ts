import { describe, expect, it } from "vitest";
import { boundsOf, freeRect, shiftIntoView } from "./bounds";

const view = { x: 0, y: 0, zoom: 1 };
const node = (x: number, width = 100) => ({ x, y: 0, width, height: 50 });

describe("bounds", () => {
  it("are around all nodes, by their measures where they were drawn", () => {
    const nodes = [
      { id: "a", data: {}, position: { x: 10, y: 20 }, width: 100, initialHeight: 50 },
      { id: "b", data: {}, position: { x: 200, y: 0 }, measured: { width: 30, height: 10 } },
    ];
    expect(boundsOf(nodes)).toEqual({ x: 10, y: 0, width: 220, height: 70 });
    expect(boundsOf([])).toBeNull();
  });

  it("move a node into view that a panel would cover, and no other", () => {
    expect(shiftIntoView(node(750), view, 1100, 800)).toBe(74);
    expect(shiftIntoView(node(1000), view, 1100, 800)).toBe(324);
    expect(shiftIntoView(node(100), view, 1100, 800)).toBe(0);
  });

  it("never push the left side of a wide node out of view", () => {
    expect(shiftIntoView(node(40, 900), view, 1100, 800)).toBe(16);
  });

  it("leave alone a node that was out of sight before", () => {
    expect(shiftIntoView(node(5000), view, 1100, 800)).toBe(0);
  });

  it("find a free place beside what is there, or stay when nothing is in the way", () => {
    const wanted = { x: 0, y: 0, width: 100, height: 50 };
    expect(freeRect(wanted, [])).toEqual(wanted);
    const { x, y } = freeRect(wanted, [{ x: -20, y: -20, width: 140, height: 90 }]);
    expect(x >= 120 || x + 100 <= -20 || y >= 70 || y + 50 <= -20).toBe(true);
  });
});

/** The way to a subspell is in the address, and leads back. */
import { describe, expect, it } from "vitest";
import { addressBack, addressInto, wayIn } from "./ways";

describe("the way into a subspell", () => {
  it("is read from the address, and what is no step is passed over", () => {
    expect(wayIn("")).toEqual([]);
    expect(wayIn("?from=c1.n1,nonsense,c2.n2")).toEqual([
      { canvas: "c1", node: "n1" },
      { canvas: "c2", node: "n2" },
    ]);
  });

  it("grows by a step with each node that one goes through, up to eight", () => {
    const way = wayIn("?from=c1.n1");
    expect(addressInto("c3", { canvas: "c2", node: "n2" }, way)).toBe("/canvas/c3?from=c1.n1,c2.n2");
    const long = Array.from({ length: 8 }, (_, index) => ({ canvas: `c${index}`, node: "n" }));
    expect(
      wayIn(addressInto("x", { canvas: "last", node: "n" }, long).slice("/canvas/x".length)),
    ).toHaveLength(8);
  });

  it("leads back to the node in each canvas, with the rest of the way", () => {
    const way = wayIn("?from=c1.n1,c2.n2");
    expect(addressBack(way, 1)).toBe("/canvas/c2?from=c1.n1&node=n2");
    expect(addressBack(way, 0)).toBe("/canvas/c1?node=n1");
  });
});

/** Addresses lead where they say, and sign-in tokens stay in the fragment. */
import { describe, expect, it } from "vitest";
import { placeOf } from "./router";

describe("placeOf", () => {
  it.each([
    ["/", "", { page: "canvases" }],
    ["/", "#/account", { page: "account" }],
    ["/", "#/link/abc-123", { page: "link", token: "abc-123" }],
    ["/canvas/abc", "#/link/t", { page: "link", token: "t" }],
    ["/", "#/join/abc-123", { page: "join", token: "abc-123" }],
    ["/", "#/join/50%", { page: "join", token: "50%" }],
    ["/canvas/354f83", "", { page: "canvas", id: "354f83" }],
    ["/canvas/../x", "", { page: "nowhere" }],
    ["/other", "", { page: "nowhere" }],
  ])("%s%s", (path, hash, place) => {
    expect(placeOf(path, hash)).toEqual(place);
  });
});

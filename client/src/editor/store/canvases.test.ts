/** A canvas that a node runs is known by its name, also when the list was asked for before it was made. */
import { afterEach, expect, test, vi } from "vitest";
import { api } from "../../api";
import { canvases, loadCanvases, meetCanvas } from "./canvases";

afterEach(() => vi.restoreAllMocks());

test("a list that lacks a canvas is asked for anew, once", async () => {
  const items = [{ id: "old", name: "Old" }];
  const get = vi.spyOn(api, "get").mockImplementation(async () => ({ items: [...items] }));
  await loadCanvases();
  items.push({ id: "made", name: "Made" });
  await meetCanvas("made");
  expect(canvases.get()?.get("made")?.name).toBe("Made");
  expect(get).toHaveBeenCalledTimes(2);
  await meetCanvas("made");
  for (let time = 0; time < 3; time += 1) await meetCanvas("hidden");
  expect(get).toHaveBeenCalledTimes(3);
});

/** What is typed of a worker is checked before it is asked for, and asked for as the server has it (W9, W10). */
import { expect, it } from "vitest";
import { ProtocolError } from "../api/errors";
import type { Worker } from "./types";
import { changeOf, draftOf, newWorkerOf, rangeWords, type WorkerBounds, whyNotDraft } from "./worker_draft";
import { faultsIn } from "./worker_settings";

const bound = (least: number, most: number, whole = true) => ({ least, most, whole, usual: 1 });
const bounds: WorkerBounds = {
  processes: bound(1, 16),
  limits: {
    memory_mb: bound(64, 1_048_576),
    wall_seconds: bound(0, 604_800, false),
    cpu_seconds: bound(0, 604_800, false),
    processes: bound(1, 10_000),
    files_mb: bound(1, 1_048_576),
  },
};
const empty = { ...draftOf(null), name: "Lab" };
const limits = (changed: Partial<typeof empty.limits>) => ({
  ...empty,
  limits: { ...empty.limits, ...changed },
});

it.each([
  [{ ...empty, name: " " }, "name", /needs a name/],
  [{ ...empty, processes: "17" }, "processes", /1 to 16/],
  [limits({ memory_mb: "63" }), "limits.memory_mb", /64 to 1,048,576 MB/],
  [limits({ memory_mb: "64.5" }), "limits.memory_mb", /whole/],
  [limits({ memory_mb: "1 GB" }), "limits.memory_mb", /digits/],
  [limits({ processes: "-3" }), "limits.processes", /digits/],
  [limits({ wall_seconds: "0" }), "limits.wall_seconds", /more than 0, at most 604,800 s/],
  [{ ...empty, requirements: "rich\npandas newest" }, "requirements", /Line 2/],
])("finds what cannot be set of %o", (draft, field, words) => {
  const faults = whyNotDraft(draft, bounds);
  expect(Object.keys(faults)).toEqual([field]);
  expect(faults[field]).toMatch(words);
});

it("asks for what was set, and leaves the rest to the server", () => {
  const draft = { ...limits({ memory_mb: "512", wall_seconds: "1.5" }), requirements: "rich\npandas>=2" };
  expect(whyNotDraft(draft, bounds)).toEqual({});
  expect(newWorkerOf(draft)).toEqual({
    name: "Lab",
    processes: 1,
    limits: { memory_mb: 512, wall_seconds: 1.5 },
    open: true,
    requirements: { rich: "", pandas: ">=2" },
  });
});

it("shows a worker as it is set, and asks of a canvas's own for nothing that is on the canvas", () => {
  const worker = {
    ...{ id: "w", name: "Lab", kind: "shared", processes: 2, ownLimits: { files_mb: 8 }, open: false },
    environment: { requirements: { rich: ">=13" } },
  } as unknown as Worker;
  const draft = draftOf(worker);
  expect(draft).toMatchObject({ name: "Lab", processes: "2", open: false, requirements: "rich>=13" });
  expect(draft.limits).toMatchObject({ files_mb: "8", memory_mb: "" });
  expect(Object.keys(changeOf(draft, worker)).sort()).toEqual(
    ["id", "limits", "name", "open", "processes", "requirements"].sort(),
  );
  expect(Object.keys(changeOf(draft, { ...worker, kind: "canvas" })).sort()).toEqual(
    ["id", "limits", "name", "processes"].sort(),
  );
});

it("puts what the server refuses at its field, and all else in one place", () => {
  const errors = [
    { field: "limits.memory_mb", message: "too small" },
    { field: "requirements.spam", message: "no version" },
  ];
  const refused = new ProtocolError({ code: "bad_request", message: "no", details: { errors } });
  expect(faultsIn(refused)).toEqual({ "limits.memory_mb": "too small", requirements: "no version" });
  expect(faultsIn(new Error("The disk is full"))).toEqual({ "": "The disk is full" });
});

it("says a range in words", () => {
  expect(rangeWords(bound(1, 16), "")).toBe("1 to 16");
});

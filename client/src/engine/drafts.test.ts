/** Drafts are tried in live mode alone, at a pace, and give way to what is run. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Json } from "../protocol";
import { Store } from "../store";
import { DRAFT_INTERVAL, DRAFT_STAY, DraftStore } from "./drafts";
import type { NodeRun, NodeStatus } from "./types";

type Sent = { canvas: string; inputs: Record<string, Json> };

const live = new Store(true);
const board = new Store<Readonly<Record<string, NodeStatus>>>({});
let sent: Sent[] = [];
let answers: ((outputs: object | Error) => void)[] = [];
let drafts: DraftStore;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  answers = [];
  live.set(true);
  board.set({ t: status("done", 1) });
  const request = (_event: string, asked: Sent) => {
    sent.push(asked);
    return new Promise((resolve, reject) => {
      answers.push((outputs) => (outputs instanceof Error ? reject(outputs) : resolve({ outputs })));
    });
  };
  drafts = new DraftStore({ request: request as never }, "c", { live, board });
});

afterEach(() => {
  drafts.close();
  vi.useRealTimers();
});

function status(state: NodeStatus["state"], value: number): NodeStatus {
  return { state, last: { state, outputs: { value } } as unknown as NodeRun } as NodeStatus;
}

async function answer(outputs: object | Error): Promise<void> {
  answers.shift()?.(outputs);
  await vi.advanceTimersByTimeAsync(0);
}

test("G19: nothing is asked while live mode is off", () => {
  live.set(false);
  drafts.type("n", "value", 1);
  expect(sent).toEqual([]);
});

test("however fast somebody types, one draft is on its way, and the newest goes next", async () => {
  for (const value of [1, 12, 123]) drafts.type("n", "value", value);
  expect(sent).toEqual([{ canvas: "c", inputs: { "n.value": 1 } }]);
  await answer({ n: { value: 1 } });
  expect(sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(DRAFT_INTERVAL);
  expect(sent.at(-1)?.inputs).toEqual({ "n.value": 123 });
  await vi.advanceTimersByTimeAsync(5 * DRAFT_INTERVAL);
  expect(sent).toHaveLength(2);
  await answer({ n: { value: 123 } });
  expect(drafts.outputs.get()).toEqual({ n: { value: 123 } });
});

test("a draft that is dropped shows nothing, nor does what comes for it later", async () => {
  drafts.type("n", "value", 1);
  await answer({ n: { value: 1 } });
  await vi.advanceTimersByTimeAsync(DRAFT_INTERVAL);
  drafts.type("n", "value", 2);
  drafts.drop();
  expect(drafts.outputs.get()).toEqual({});
  await answer({ n: { value: 2 } });
  expect(drafts.outputs.get()).toEqual({});
});

test("a draft that does not fit shows nothing", async () => {
  drafts.type("n", "value", "x");
  await answer(new Error("invalid_input"));
  expect(drafts.outputs.get()).toEqual({});
  drafts.type("n", "value", "x".repeat(30_000));
  await vi.advanceTimersByTimeAsync(DRAFT_INTERVAL);
  expect(sent).toHaveLength(1);
});

test("what was committed stays a preview until the run has brought that node's outputs", async () => {
  drafts.type("n", "value", 2);
  await answer({ n: { value: 2 }, t: { value: 3 } });
  drafts.settle();
  board.set({ t: { ...status("done", 1), state: "stale" } });
  board.set({ t: status("running", 1) });
  expect(drafts.outputs.get()).toEqual({ n: { value: 2 }, t: { value: 3 } });
  board.set({ t: status("done", 3) });
  expect(drafts.outputs.get()).toEqual({ n: { value: 2 } });
  board.set({ t: status("done", 3), n: status("done", 2) });
  expect(drafts.outputs.get()).toEqual({});
});

test("no preview outlives its time, nor live mode", async () => {
  drafts.type("n", "value", 2);
  await answer({ n: { value: 2 } });
  drafts.settle();
  await vi.advanceTimersByTimeAsync(DRAFT_STAY);
  expect(drafts.outputs.get()).toEqual({});
  drafts.type("n", "value", 3);
  await answer({ n: { value: 3 } });
  live.set(false);
  expect(drafts.outputs.get()).toEqual({});
});

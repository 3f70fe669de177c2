/** How tests stand, what is edited of them, and what a request that fails leaves. */
import { expect, it, vi } from "vitest";
import type { Spell, SpellTest } from "../protocol";
import type { TestResult } from "../protocol/generated";
import { Store } from "../store";
import { claimsOf, isOutdated, readExpected, shownValue, TestDesk, withoutClaim, withValue } from ".";

const TEST: SpellTest = {
  name: "adds up",
  inputs: {},
  record: {},
  expect: {
    sum: { outputs: { value: { op: "equals", value: 3 }, rows: { op: "length", value: 2 } } },
    odd: { status: "failed", code: "exception" },
  },
};

const SPELL = {
  name: "S",
  nodes: {
    sum: { type: "core.value", position: [0, 0], inputs: { value: 3 }, settings: {} },
  },
  edges: {},
  tests: { t: TEST },
} as unknown as Spell;

function result(more: Partial<TestResult> = {}): TestResult {
  return {
    test: "t",
    name: "adds up",
    outcome: "passed",
    duration: 0.1,
    assertions: [],
    failure: null,
    called: [],
    ...more,
  };
}

function assertion(more: object): TestResult["assertions"][number] {
  return {
    node: "sum",
    port: "value",
    op: "equals",
    passed: false,
    path: null,
    expected: 3,
    actual: 4,
    cut: false,
    message: "",
    ...more,
  };
}

it("lists what a test claims, with what came of it", () => {
  const claims = claimsOf(TEST, result({ outcome: "failed", assertions: [assertion({})] }));
  expect(claims.map(({ node, port }) => [node, port])).toEqual([
    ["sum", "value"],
    ["sum", "rows"],
    ["odd", null],
  ]);
  expect(claims[0]?.result?.actual).toBe(4);
  expect(claims[1]?.result).toBeNull();
  const broke = assertion({ port: null, op: "status", expected: "done", actual: "failed" });
  expect(claimsOf(TEST, result({ assertions: [broke] }))[0]).toMatchObject({ node: "sum", port: null });
});

it("changes and takes away one assertion and no other", () => {
  const [value, , ends] = claimsOf(TEST, null);
  if (!value || !ends) throw new Error("there are three");
  expect(withValue(TEST, value, [4])?.outputs).toEqual({
    value: { op: "equals", value: [4] },
    rows: { op: "length", value: 2 },
  });
  expect(withoutClaim(TEST, value)).toEqual({ outputs: { rows: { op: "length", value: 2 } } });
  expect(withoutClaim(TEST, ends)).toBeNull();
  expect(withValue(TEST, ends, 1)).toBeNull();
});

it.each([
  ["equals", "[1, null]", { value: [1, null] }],
  ["equals", "words", "why"],
  ["equals", " ", "why"],
  ["length", "3", { value: 3 }],
  ["length", "1.5", "why"],
  ["matches", "[]", "why"],
  ["type", "string", { value: "string" }],
  ["type", '"text"', "why"],
] as const)("reads what %s may be given: %s", (op, text, read) => {
  const got = readExpected(op, text);
  if (read === "why") expect(got).toHaveProperty("why");
  else expect(got).toEqual(read);
});

it("says that a result is of another test or spell, and not for a node that was moved or a name", () => {
  const tested = { result: result(), spell: SPELL };
  const sum = SPELL.nodes.sum as Spell["nodes"][string];
  const moved: Spell = { ...SPELL, nodes: { sum: { ...sum, position: [9, 9], name: "Sum" } } };
  expect(isOutdated(tested, moved)).toBe(false);
  expect(isOutdated(tested, { ...SPELL, tests: { t: { ...TEST, name: "B" } } })).toBe(false);
  expect(isOutdated(tested, { ...SPELL, tests: { t: { ...TEST, live: true } } })).toBe(true);
  expect(isOutdated(tested, { ...SPELL, nodes: { sum: { ...sum, inputs: { value: 4 } } } })).toBe(true);
  expect(isOutdated(tested, { ...SPELL, nodes: {} })).toBe(true);
});

it("shows values as JSON, those that were cut as they came", () => {
  expect(shownValue("4", false)).toBe('"4"');
  expect(shownValue('{"a": [1', true)).toBe('{"a": [1…');
});

function desk(answer: (event: string, payload: object) => unknown) {
  const request = vi.fn(async (event: string, payload: object) => answer(event, payload));
  const saved = vi.fn(async () => {});
  const document = { canvas: "c", spell: new Store(SPELL), saved };
  return { desk: new TestDesk({ request } as never, document), request, saved };
}

it("runs what is saved, says what runs, and keeps results where a later request fails", async () => {
  let broken = false;
  const made = desk(() => {
    if (broken) throw new Error("no");
    return { canvas: "c", seq: 1, passed: 1, failed: 0, tests: [result()] };
  });
  expect(made.desk.standing("t")).toBe("never");
  const going = made.desk.run();
  expect(made.desk.standing("t")).toBe("running");
  await made.desk.run(["t"]);
  await going;
  expect(made.saved).toHaveBeenCalledOnce();
  expect(made.request).toHaveBeenCalledOnce();
  expect(made.desk.standing("t")).toBe("passed");
  broken = true;
  await made.desk.run(["t"]);
  expect(made.desk.standing("t")).toBe("passed");
  expect(made.desk.failure.get()).toBe("Could not run the tests: no");
});

it("makes a test of a run, opens it, and tells what of the run it does not have (J5)", async () => {
  const made = desk(() => ({ canvas: "c", id: "u", test: {}, left_out: { sum: { value: "too_large" } } }));
  expect(await made.desk.make("r", { name: "N", record: ["sum"] })).toBeNull();
  expect(made.request).toHaveBeenCalledWith("runs.to_test", { id: "r", name: "N", record: ["sum"] });
  expect(made.desk.opened.get()).toBe("u");
  expect(made.desk.leftOut.get()?.parts).toEqual([{ node: "sum", port: "value", why: "too_large" }]);
  const refused = desk(() => {
    throw new Error("gone");
  });
  expect(await refused.desk.make("r", { name: "N" })).toBe("gone");
});

/** Nothing is called saved that is not: the worst that holds is what is told. */
import { expect, test } from "vitest";
import type { RefusedWork } from "../offline";
import { type SaveFacts, saveStatus } from "./save_status";
import type { SaveStatus } from "./types";

const GOOD: SaveFacts = {
  role: "owner",
  mayEdit: true,
  shut: null,
  pending: 0,
  unkept: 0,
  trouble: null,
  session: { state: "online" },
  synced: true,
  busy: false,
  copies: [],
};
const error = { code: "schema_violation", message: "No." };
const copy: RefusedWork = {
  ...{ id: "r", canvas: "c", error, at: 1, touched: [] },
  spell: { schema: 1, name: "Sum", nodes: {}, edges: {} },
};
const lost = { state: "offline", attempt: 1, retryAt: 0, reason: "The connection was lost." } as const;

const cases: [string, Partial<SaveFacts>, SaveStatus][] = [
  ["all acknowledged", {}, { state: "saved" }],
  ["edits on their way", { pending: 2 }, { state: "saving", pending: 2 }],
  ["looking up what to send", { busy: true }, { state: "saving", pending: 0 }],
  [
    "the connection is lost",
    { session: lost, synced: false, pending: 3, unkept: 1 },
    { state: "offline", pending: 3, unkept: 1, reason: lost.reason },
  ],
  [
    "the connection is lost in the middle of a fresh start",
    { session: lost, synced: true, busy: true },
    { state: "offline", pending: 0, unkept: 0, reason: lost.reason },
  ],
  [
    "the server's disk is full",
    { trouble: "The disk is full.", pending: 1 },
    { state: "offline", pending: 1, unkept: 0, reason: "The disk is full." },
  ],
  ["a copy is kept", { copies: [copy] }, { state: "rejected", copies: 1, error }],
  [
    "a copy is kept and edits are on their way",
    { copies: [copy], pending: 1 },
    { state: "saving", pending: 1 },
  ],
  [
    "a viewer",
    { role: "viewer", mayEdit: false },
    { state: "read-only", reason: "As viewer you can look at this canvas, not edit it." },
  ],
  [
    "a runner",
    { role: "runner", mayEdit: false },
    { state: "read-only", reason: "As runner you can look at this canvas and run it, not edit it." },
  ],
  ["taken off", { shut: "Gone.", pending: 1, session: lost }, { state: "read-only", reason: "Gone." }],
];

test.each(cases)("%s", (_name, facts, status) => {
  expect(saveStatus({ ...GOOD, ...facts })).toEqual(status);
});

/** Every event of a stream is delivered once, in order, through duplicates, reorders, losses and cut lines. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RunEvent } from "../protocol";
import { settle } from "../testing/fake_server";
import { StreamFollower } from "./stream_follower";

function event(seq: number): RunEvent {
  return { seq, run: "r", kind: "node.log", at: seq };
}

function follow(log: RunEvent[], options: { from?: number; page?: number; reachable?: () => boolean } = {}) {
  const delivered: number[] = [];
  let asked = 0;
  let lost = 0;
  const page = options.page ?? 1_000;
  const follower = new StreamFollower(options.from ?? 0, {
    resume: async (after) => {
      asked += 1;
      if (options.reachable && !options.reachable()) throw new Error("offline");
      const rest = log.filter(({ seq }) => seq > after);
      const events = rest.slice(0, page);
      const more = rest.length > page;
      return { events, seq: more ? (events.at(-1)?.seq ?? after) : (log.at(-1)?.seq ?? after), more };
    },
    deliver: (events) => delivered.push(...events.map(({ seq }) => seq)),
    lost: () => {
      lost += 1;
    },
    failed: () => {},
  });
  return { follower, delivered, asked: () => asked, lost: () => lost };
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test("events in order are delivered without asking", () => {
  const { follower, delivered, asked } = follow([]);
  follower.receive([event(1), event(2)]);
  follower.receive([event(3)]);
  expect(delivered).toEqual([1, 2, 3]);
  expect(asked()).toBe(0);
});

test("a gap is filled before what follows is delivered", async () => {
  const { follower, delivered, asked } = follow(upTo(9).map(event), { page: 3 });
  follower.receive([event(1)]);
  follower.receive([event(6), event(7)]);
  expect(delivered).toEqual([1]);
  await settle();
  expect(delivered).toEqual(upTo(9));
  expect(asked()).toBe(3);
});

test("numbers that the server has not kept are passed over, and that is told", async () => {
  const delivered: number[] = [];
  let lost = 0;
  const follower = new StreamFollower(2, {
    resume: async () => ({ events: [], seq: 50, more: false, snapshot_required: true }),
    deliver: (events) => delivered.push(...events.map(({ seq }) => seq)),
    lost: () => {
      lost += 1;
    },
    failed: () => {},
  });
  follower.receive([event(51)]);
  await settle();
  expect(delivered).toEqual([51]);
  expect(lost).toBe(1);
});

test("a server whose log was set back is followed from where it stands", async () => {
  const delivered: number[] = [];
  const log: number[] = [];
  const follower = new StreamFollower(50, {
    resume: async (after_seq) => ({
      events: log.filter((seq) => seq > after_seq).map(event),
      seq: log.at(-1) ?? 7,
      more: false,
      snapshot_required: after_seq > (log.at(-1) ?? 7),
    }),
    deliver: (events) => delivered.push(...events.map(({ seq }) => seq)),
    lost: () => {},
    failed: () => {},
  });
  await follower.catchUp();
  log.push(8, 9);
  follower.receive([event(9)]);
  await settle();
  expect(delivered).toEqual([8, 9]);
});

test("a failed catch-up is made up for by the next one", async () => {
  let reachable = false;
  const { follower, delivered } = follow(upTo(5).map(event), { reachable: () => reachable });
  follower.receive([event(3)]);
  await settle();
  expect(delivered).toEqual([]);
  reachable = true;
  await follower.catchUp();
  expect(delivered).toEqual(upTo(5));
});

test("any mix of losses, duplicates and reorders ends with every event once, in order", async () => {
  const batch = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 });
  const scenario = fc.record({
    batches: fc.array(batch, { maxLength: 20 }),
    page: fc.integer({ min: 1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, fc.infiniteStream(fc.boolean()), async ({ batches, page }, up) => {
      const log = upTo(40).map(event);
      let settled = false;
      const { follower, delivered } = follow(log, {
        page,
        reachable: () => settled || Boolean(up.next().value),
      });
      for (const seqs of batches) {
        follower.receive(seqs.map(event));
        if (up.next().value) await settle();
      }
      await settle();
      settled = true;
      await follower.catchUp();
      expect(delivered).toEqual(upTo(40));
    }),
    { numRuns: 300 },
  );
});

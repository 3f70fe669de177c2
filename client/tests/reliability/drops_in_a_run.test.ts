/** RELIABILITY R11 on the browser's side: a tab that drops all the time in a run loses and doubles no event. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { CanvasDocument } from "../../src/document";
import { RunStore } from "../../src/engine/run_store";
import type { Canvas, RunEvent } from "../../src/protocol";
import { Session } from "../../src/session";
import { RealServer, type SignedInPerson, serverIsHere, until } from "../../src/testing/real_server";
import { SOAK } from "./soak";
import { WireCutter } from "./wire_cutter";

const [LANES, LENGTH, SECONDS, DROPS] = SOAK ? [50, 100, 0.5, 100] : [10, 50, 0.1, 30];
/** Milliseconds the run may take, on a machine that is busy with other tests. */
const WITHIN = SOAK ? 600_000 : 90_000;

let server: RealServer;
let wire: WireCutter;
let anna: SignedInPerson;
let session: Session;

beforeAll(async () => {
  if (!serverIsHere) return;
  server = await RealServer.start();
  wire = await WireCutter.to(Number(new URL(server.url).port));
  anna = await server.person("anna");
  session = new Session({
    url: wire.url,
    token: () => anna.auth.token(),
    backoff: { first: 20, longest: 100 },
  });
  session.connect();
}, 60_000);
afterAll(async () => {
  session?.close();
  await wire?.close();
  await server?.stop();
});

function lanes() {
  const nodes: Record<string, object> = {};
  const edges: Record<string, object> = {};
  for (let lane = 0; lane < LANES; lane += 1) {
    for (let step = 0; step < LENGTH; step += 1) {
      const [id, source] = [`d${lane}-${step}`, `d${lane}-${step - 1}`];
      nodes[id] = { type: "core.delay", inputs: { value: step, seconds: SECONDS } };
      if (step > 0) edges[id] = { source, output: "value", target: id, input: "value" };
    }
  }
  return { nodes, edges };
}

test.skipIf(!serverIsHere)(
  "a tab that drops again and again in a run gets every event once, in order (E3, E4)",
  async () => {
    const { id } = await anna.api.post<Canvas>("/v1/canvases", { name: "Drops", spell: lanes() });
    const document = new CanvasDocument(session, id, anna);
    const runs = new RunStore(session, document, anna.id);
    await until(() => document.loading.get().state === "open", document.loading.subscribe);
    const events: RunEvent[] = [];
    const every = Math.floor((LANES * LENGTH * 2) / (DROPS + 1));
    let [drops, next] = [0, every];
    runs.onEvents((batch) => {
      events.push(...batch);
      if (events.length < next || drops === DROPS) return;
      drops += 1;
      next = events.length + every / 2;
      wire.cut();
    });
    const run = await runs.start();
    await expect
      .poll(() => runs.past.get().find((past) => past.id === run)?.endedAt, { timeout: WITHIN })
      .toBeTypeOf("number");
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    for (const kind of ["node.started", "node.done"]) {
      expect(events.filter((event) => event.kind === kind)).toHaveLength(LANES * LENGTH);
    }
    expect(drops).toBe(DROPS);
    runs.close();
    document.close();
  },
  WITHIN + 30_000,
);

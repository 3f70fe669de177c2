/** The client's rooms against the real server: two people draw, run, lose their line, and replay. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openWorkbench, SpellworkPage } from "../engine";
import type { ReplayStep, Workbench } from "../engine/types";
import type { Canvas, RunView } from "../protocol";
import { RealServer, type SignedInPerson, serverIsHere, until } from "./real_server";

const here = test.skipIf(!serverIsHere);

/** The server's cache may know a node from another test. */
const SETTLED = /^(done|cached)$/;

let server: RealServer;
let anna: SignedInPerson;
let ben: SignedInPerson;
const open: Workbench[] = [];

beforeAll(async () => {
  if (!serverIsHere) return;
  server = await RealServer.start();
  [anna, ben] = await Promise.all([server.person("anna"), server.person("ben")]);
  anna.session.connect();
  ben.session.connect();
}, 60_000);
afterEach(() => {
  for (const workbench of open.splice(0)) workbench.close();
});
afterAll(async () => {
  anna?.session.close();
  ben?.session.close();
  await server?.stop();
});

async function newCanvas(): Promise<string> {
  const { id } = await anna.api.post<Canvas>("/v1/canvases", { name: "Shared" });
  await anna.api.put(`/v1/canvases/${id}/members`, { email: "ben@example.org", role: "editor" });
  return id;
}

async function tab(person: SignedInPerson, canvas: string): Promise<Workbench> {
  const workbench = openWorkbench({
    session: person.session,
    canvas,
    user: person,
    page: new SpellworkPage(),
  });
  open.push(workbench);
  const { loading } = workbench.document;
  await until(() => loading.get().state === "open", loading.subscribe);
  return workbench;
}

function drawSum({ document }: Workbench): void {
  document.together(() => {
    document.addNode({ type: "core.value", position: [0, 0], inputs: { value: 2 } }, "a");
    document.addNode({ type: "code.python", position: [240, 0], code: "x * 21" }, "b");
    document.connect({ source: "a", output: "value", target: "b", input: "x" });
  });
}

async function ended({ runs }: Workbench, run: string) {
  return until(
    () => runs.past.get().find(({ id, endedAt }) => id === run && endedAt !== null),
    runs.past.subscribe,
  );
}

here(
  "what one draws the other sees, and it is on the server under the same shape",
  async () => {
    const canvas = await newCanvas();
    const [mine, theirs] = [await tab(anna, canvas), await tab(ben, canvas)];
    drawSum(mine);
    mine.document.addNote({ text: "Hello", position: [0, 200] }, "n");
    mine.document.addGroup({ name: "G", position: [-20, -20], size: [600, 300] }, ["a", "b"], "g");
    mine.document.setSettings("b", { timeout: 5 });
    mine.document.rename("Sum");
    await mine.document.saved();
    expect(mine.document.refused.get()).toEqual([]);
    await until(() => theirs.document.spell.get().name === "Sum", theirs.document.spell.subscribe);
    expect(theirs.document.toJson()).toEqual(mine.document.toJson());
    const stored = await anna.api.get<{ nodes: object }>(`/v1/canvases/${canvas}/spell`);
    expect(stored).toMatchObject({
      name: "Sum",
      nodes: { b: { code: "x * 21", group: "g", settings: { timeout: 5 } } },
    });
    theirs.document.setPresence({ cursor: [3, 4], selection: ["a"] });
    const { people } = mine.document;
    await until(() => people.get()[0]?.cursor, people.subscribe);
    expect(people.get()).toMatchObject([{ user: ben.id, cursor: [3, 4], selection: ["a"] }]);
  },
  30_000,
);

here(
  "a run is seen by both, replayed by both in graph order, and equal over REST",
  async () => {
    const canvas = await newCanvas();
    const [mine, theirs] = [await tab(anna, canvas), await tab(ben, canvas)];
    drawSum(mine);
    await mine.document.saved();
    const seen: Record<string, ReplayStep[]> = { mine: [], theirs: [] };
    const replayed = Object.entries({ mine, theirs }).map(
      ([who, { plugins }]) =>
        new Promise<void>((resolve) => {
          plugins.register({
            name: "test",
            onNode: (step) => void seen[who]?.push(step),
            onRunEnd: () => resolve(),
          });
        }),
    );
    const run = await mine.runs.start();
    await Promise.all(replayed);
    for (const steps of Object.values(seen)) {
      expect(steps.map(({ node, inputs, outputs }) => [node, inputs, outputs])).toEqual([
        ["a", { value: 2 }, { value: 2 }],
        ["b", { x: 2 }, { result: 42 }],
      ]);
    }
    for (const { runs } of [mine, theirs]) {
      expect(runs.board.get().b).toMatchObject({
        state: expect.stringMatching(SETTLED),
        last: { outputs: { result: 42 } },
      });
    }
    const view = await anna.api.get<RunView>(`/v1/runs/${run}`);
    expect(view.outputs).toEqual({ a: { value: 2 }, b: { result: 42 } });
    mine.document.setInput("a", "value", 3);
    expect(mine.runs.board.get()).toMatchObject({ a: { state: "stale" }, b: { state: "stale" } });
    await until(() => theirs.runs.board.get().b?.state === "stale", theirs.runs.board.subscribe);
  },
  30_000,
);

here(
  "a tab that comes later shows what nodes last did, and can replay it",
  async () => {
    const canvas = await newCanvas();
    const mine = await tab(anna, canvas);
    drawSum(mine);
    await mine.document.saved();
    await ended(mine, await mine.runs.start());
    const late = await tab(ben, canvas);
    await until(() => late.runs.board.get().b?.last.outputs, late.runs.board.subscribe);
    expect(late.runs.board.get().b).toMatchObject({ last: { outputs: { result: 42 } } });
    expect(late.runs.board.get().b?.state).toMatch(SETTLED);
    const steps: string[] = [];
    late.plugins.register({ name: "test", onNode: ({ node }) => void steps.push(node) });
    const [newest] = late.runs.past.get();
    await expect(late.replays.replay(newest?.id ?? "")).resolves.toBe(true);
    expect(steps).toEqual(["a", "b"]);
  },
  30_000,
);

here(
  "a line cut in mid-run loses nothing and doubles nothing",
  async () => {
    const canvas = await newCanvas();
    const mine = await tab(anna, canvas);
    mine.document.together(() => {
      for (let i = 0; i < 20; i += 1) {
        const seconds = i % 5 === 0 ? 0.1 : 0;
        mine.document.addNode(
          { type: "core.delay", position: [i * 200, 0], inputs: { value: i, seconds } },
          `d${i}`,
        );
        if (i > 0)
          mine.document.connect({ source: `d${i - 1}`, output: "value", target: `d${i}`, input: "value" });
      }
    });
    await mine.document.saved();
    const events: string[] = [];
    (
      mine.runs as unknown as { onEvents(listener: (events: { seq: number; kind: string }[]) => void): void }
    ).onEvents((batch) => events.push(...batch.map(({ seq, kind }) => `${seq} ${kind}`)));
    const run = await mine.runs.start();
    await until(() => mine.runs.board.get().d2?.state === "done", mine.runs.board.subscribe);
    anna.session.close();
    anna.session.connect();
    const state = await ended(mine, run);
    expect(Object.values(state.nodes).map((node) => node.state)).toEqual(Array(20).fill("done"));
    const numbers = events.map((event) => Number(event.split(" ")[0]));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(events.at(-1)).toContain("run.completed");
  },
  30_000,
);

here(
  "a server that is killed and comes back has every acknowledged edit, once",
  async () => {
    const canvas = await newCanvas();
    const mine = await tab(anna, canvas);
    drawSum(mine);
    await mine.document.saved();
    await server.end("SIGKILL");
    const { saving } = mine.document;
    await until(() => saving.get().state === "offline", saving.subscribe);
    mine.document.setName("a", "Offline");
    await server.serve();
    await mine.document.saved();
    expect(mine.document.refused.get()).toEqual([]);
    const stored = await anna.api.get<{ nodes: Record<string, { name?: string }> }>(
      `/v1/canvases/${canvas}/spell`,
    );
    expect(Object.keys(stored.nodes).sort()).toEqual(["a", "b"]);
    expect(stored.nodes.a?.name).toBe("Offline");
  },
  60_000,
);

here(
  "an edit that would break the spell is refused, taken back and kept; the next one goes through",
  async () => {
    const canvas = await newCanvas();
    const mine = await tab(anna, canvas);
    drawSum(mine);
    await mine.document.saved();
    mine.document.addNode({ type: "core.value", position: [0, 0], name: "x".repeat(300) }, "bad");
    await expect(mine.document.saved()).rejects.toMatchObject({ code: "schema_violation" });
    const { refused, editable } = mine.document;
    await until(() => editable.get(), editable.subscribe);
    const [copy] = refused.get();
    expect(Object.keys(copy?.spell.nodes ?? {})).toContain("bad");
    expect(copy).toMatchObject({ error: { code: "schema_violation" }, touched: ["bad"] });
    expect(Object.keys(mine.document.spell.get().nodes).sort()).toEqual(["a", "b"]);
    await mine.document.discard(copy?.id ?? "");
    mine.document.setName("a", "Fine");
    await mine.document.saved();
    expect(mine.document.saving.get()).toEqual({ state: "saved" });
  },
  30_000,
);

here(
  "a large value comes by reference and is put together whole",
  async () => {
    const canvas = await newCanvas();
    const mine = await tab(anna, canvas);
    mine.document.addNode(
      { type: "code.python", position: [0, 0], code: '[{"i": i, "t": "é" * 40} for i in range(3000)]' },
      "a",
    );
    mine.document.addNode({ type: "code.python", position: [0, 0], code: '"😀é" * 60000' }, "t");
    await mine.document.saved();
    const { nodes } = await ended(mine, await mine.runs.start());
    const [list, text] = [nodes.a?.outputs?.result, nodes.t?.outputs?.result];
    expect(list).toMatchObject({ $ref: expect.any(String), preview: expect.any(Array) });
    expect(await mine.value(list ?? null)).toHaveLength(3000);
    expect(await mine.value(text ?? null)).toBe("😀é".repeat(60_000));
  },
  30_000,
);

here(
  "live mode runs what depends on a change, and leaves the rest",
  async () => {
    const canvas = await newCanvas();
    const mine = await tab(anna, canvas);
    drawSum(mine);
    mine.document.addNode({ type: "core.value", position: [0, 0], inputs: { value: "apart" } }, "apart");
    await mine.document.saved();
    const { board } = mine.runs;
    await mine.runs.setLive(true);
    const settled = (node: string) => SETTLED.test(board.get()[node]?.state ?? "");
    await until(() => settled("b") && settled("apart"), board.subscribe);
    const first = board.get().apart?.last.run;
    mine.document.setInput("a", "value", 10);
    await until(() => (board.get().b?.last.outputs?.result === 210 ? true : null), board.subscribe);
    expect(board.get().apart).toMatchObject({ state: expect.stringMatching(SETTLED), last: { run: first } });
    await mine.runs.setLive(false);
    expect(mine.runs.live.get()).toBe(false);
  },
  30_000,
);

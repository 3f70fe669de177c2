/** Work that a browser keeps, against the real server: it goes there once, whole, and only the refused is set aside. */
import "fake-indexeddb/auto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { CanvasDocument } from "../document";
import { IndexedDbStore } from "../offline";
import type { Canvas } from "../protocol";
import { FakeBrowser, FakeTab } from "./fake_browser";
import { RealServer, type SignedInPerson, serverIsHere, until } from "./real_server";

const here = test.skipIf(!serverIsHere);

let server: RealServer;
let anna: SignedInPerson;
let browser: FakeBrowser;
let canvas: string;
let open: { document: CanvasDocument; home: FakeTab }[] = [];
let count = 0;

beforeAll(async () => {
  if (!serverIsHere) return;
  server = await RealServer.start();
  anna = await server.person("anna");
}, 60_000);
beforeEach(async () => {
  if (!serverIsHere) return;
  browser = new FakeBrowser(await IndexedDbStore.open(`real ${++count}`));
  const made = await anna.api.post<Canvas>("/v1/canvases", { name: "Kept" });
  canvas = made.id;
  anna.session.connect();
});
afterEach(() => {
  for (const { document } of open) document.close();
  open = [];
  anna?.session.close();
});
afterAll(async () => {
  await server?.stop();
});

async function tab(): Promise<CanvasDocument> {
  const home = new FakeTab(browser);
  const document = new CanvasDocument(anna.session, canvas, anna, home);
  open.push({ document, home });
  await until(() => document.loading.get().state === "open", document.loading.subscribe);
  return document;
}

function crash(document: CanvasDocument): void {
  open.find((one) => one.document === document)?.home.die();
  document.close();
}

async function saved(document: CanvasDocument): Promise<void> {
  const done = () => /^(saved|rejected)$/.test(document.saving.get().state);
  await until(done, document.saving.subscribe);
}

async function keptHere(document: CanvasDocument): Promise<void> {
  const kept = () => {
    const status = document.saving.get();
    return status.state === "offline" && status.pending > 0 && status.unkept === 0;
  };
  await until(kept, document.saving.subscribe);
}

async function stored(): Promise<Record<string, { name?: string; code?: string }>> {
  const spell = await anna.api.get<{ nodes: Record<string, { name?: string; code?: string }> }>(
    `/v1/canvases/${canvas}/spell`,
  );
  return spell.nodes;
}

here(
  "edits of a tab that crashed while the server was down arrive once it is back",
  async () => {
    const first = await tab();
    first.addNode({ type: "code.python", position: [0, 0], code: "1" }, "a");
    await saved(first);
    await server.end("SIGKILL");
    await until(() => first.saving.get().state === "offline", first.saving.subscribe);
    first.setCode("a", "1 + 2");
    first.addNode({ type: "core.value", position: [0, 0] }, "b");
    await keptHere(first);
    crash(first);
    const second = await tab();
    expect(Object.keys(second.spell.get().nodes).sort()).toEqual(["a", "b"]);
    second.setName("b", "Later");
    await keptHere(second);
    await server.serve();
    await saved(second);
    expect(second.refused.get()).toEqual([]);
    expect(await stored()).toMatchObject({ a: { code: "1 + 2" }, b: { name: "Later" } });
    expect((await browser.kept.canvas(anna.id, canvas).load()).edits).toEqual([]);
  },
  60_000,
);

here(
  "of thirty edits made offline the one that breaks the spell is set aside, and all others arrive",
  async () => {
    const document = await tab();
    await saved(document);
    anna.session.close();
    for (let i = 0; i < 10; i += 1) {
      document.addNode({ type: "code.python", position: [i * 10, 0], code: "x" }, `n${i}`);
      document.setCode(`n${i}`, `x + ${i}`);
      if (i === 4) document.addNode({ type: "core.value", position: [0, 0], name: "x".repeat(300) }, "bad");
      if (i > 0) {
        document.connect({ source: `n${i - 1}`, output: "result", target: `n${i}`, input: "x" });
      }
    }
    await keptHere(document);
    anna.session.connect();
    await saved(document);
    const copies = document.refused.get();
    expect(copies).toMatchObject([{ error: { code: "schema_violation" }, touched: ["bad"] }]);
    const nodes = await stored();
    expect(Object.keys(nodes).sort()).toEqual(Array.from({ length: 10 }, (_, i) => `n${i}`));
    expect(nodes.n9?.code).toBe("x + 9");
    expect(Object.keys(document.spell.get().edges)).toHaveLength(9);
    const next = await tab();
    await saved(next);
    expect(next.toJson()).toEqual(document.toJson());
    expect(next.refused.get()).toEqual(copies);
  },
  60_000,
);

here(
  "two tabs that built on each other offline send everything once",
  async () => {
    const [one, two] = [await tab(), await tab()];
    await Promise.all([saved(one), saved(two)]);
    anna.session.close();
    one.addNode({ type: "core.value", position: [0, 0] }, "a");
    await until(() => two.spell.get().nodes.a, two.spell.subscribe);
    two.setName("a", "Two's");
    await until(() => one.spell.get().nodes.a?.name, one.spell.subscribe);
    one.setInput("a", "value", 7);
    await Promise.all([keptHere(one), keptHere(two)]);
    anna.session.connect();
    await Promise.all([saved(one), saved(two)]);
    for (const document of [one, two]) expect(document.refused.get()).toEqual([]);
    expect(await stored()).toMatchObject({ a: { name: "Two's", inputs: { value: 7 } } });
    expect(two.toJson()).toEqual(one.toJson());
  },
  60_000,
);

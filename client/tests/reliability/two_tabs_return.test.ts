/** RELIABILITY R12 and R7: tabs that return, to a restarted server or with another role, double and lose nothing. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { CanvasDocument } from "../../src/document";
import type { Canvas, SpellJson } from "../../src/protocol";
import { RealServer, type SignedInPerson, serverIsHere, until } from "../../src/testing/real_server";
import { SOAK } from "./soak";

/** Milliseconds for which the tabs are away. */
const AWAY = SOAK ? 90_000 : 500;

let server: RealServer;
let anna: SignedInPerson;
let ben: SignedInPerson;
const open: CanvasDocument[] = [];

beforeAll(async () => {
  if (!serverIsHere) return;
  server = await RealServer.start();
  [anna, ben] = await Promise.all([server.person("anna"), server.person("ben")]);
  anna.session.connect();
  ben.session.connect();
}, 60_000);
afterEach(() => {
  for (const document of open.splice(0)) document.close();
});
afterAll(async () => {
  anna?.session.close();
  ben?.session.close();
  await server?.stop();
});

async function newCanvas(): Promise<string> {
  const { id } = await anna.api.post<Canvas>("/v1/canvases", { name: "Shared" });
  await setRole(id, "editor");
  return id;
}

async function setRole(canvas: string, role: string): Promise<void> {
  await anna.api.put(`/v1/canvases/${canvas}/members`, { email: "ben@example.org", role });
}

async function tab(person: SignedInPerson, canvas: string): Promise<CanvasDocument> {
  const document = new CanvasDocument(person.session, canvas, person);
  open.push(document);
  await until(() => document.loading.get().state === "open", document.loading.subscribe);
  return document;
}

function draw(document: CanvasDocument, id: string): void {
  document.addNode({ type: "code.python", position: [0, 0], code: `${id} = 1` }, id);
}

const here = test.skipIf(!serverIsHere);

here(
  "two tabs that return to a restarted server double no node and no text (C1, C3, C8)",
  async () => {
    const canvas = await newCanvas();
    const tabs = [await tab(anna, canvas), await tab(ben, canvas)];
    const [mine, theirs] = tabs as [CanvasDocument, CanvasDocument];
    draw(mine, "before");
    await mine.saved();
    await until(() => theirs.spell.get().nodes.before, theirs.spell.subscribe);
    for (const [index, document] of tabs.entries()) draw(document, `in_flight_${index}`);
    await server.end("SIGKILL");
    for (const [index, document] of tabs.entries()) {
      await until(() => document.saving.get().state === "offline", document.saving.subscribe);
      draw(document, `away_${index}`);
      document.setName("before", `named by ${index}`);
      document.codeText("before")?.insert(0, `# ${index}\n`);
    }
    await new Promise((resolve) => setTimeout(resolve, AWAY)); // the wait is what is tested
    await server.serve();
    for (const document of tabs) await document.saved();
    const names = ["away_0", "away_1", "before", "in_flight_0", "in_flight_1"];
    const settled = () => Object.keys(theirs.spell.get().nodes).length === names.length;
    await until(
      () => settled() && Object.keys(mine.spell.get().nodes).length === names.length,
      (look) => {
        const ends = tabs.map((document) => document.spell.subscribe(look));
        return () => ends.forEach((end) => void end());
      },
    );
    const stored = await anna.api.get<SpellJson>(`/v1/canvases/${canvas}/spell`);
    expect(Object.keys(stored.nodes ?? {}).sort()).toEqual(names);
    for (const name of names.filter((each) => each !== "before")) {
      expect(stored.nodes?.[name]).toMatchObject({ code: `${name} = 1` });
    }
    const { code } = (stored.nodes as Record<string, { code: string }>).before ?? { code: "" };
    expect(code.split("\n").sort()).toEqual(["# 0", "# 1", "before = 1"]);
    expect(theirs.toJson()).toEqual(mine.toJson());
    expect([mine.refused.get(), theirs.refused.get()]).toEqual([[], []]);
  },
  AWAY + 60_000,
);

here(
  "who may only look any more is told so by a code, and keeps what they drew meanwhile (C6, C12)",
  async () => {
    const canvas = await newCanvas();
    const [mine, theirs] = [await tab(anna, canvas), await tab(ben, canvas)];
    draw(theirs, "allowed");
    await theirs.saved();
    ben.session.close();
    draw(theirs, "too_late");
    await setRole(canvas, "viewer");
    ben.session.connect();
    const work = await until(() => theirs.refused.get()[0], theirs.refused.subscribe);
    expect(work.error.code).toBe("forbidden");
    expect(Object.keys(work.spell.nodes ?? {}).sort()).toEqual(["allowed", "too_late"]);
    await until(() => theirs.saving.get().state === "read-only", theirs.saving.subscribe);
    expect(Object.keys(theirs.spell.get().nodes)).toEqual(["allowed"]);
    expect(Object.keys(mine.spell.get().nodes)).toEqual(["allowed"]);
    const stored = await anna.api.get<SpellJson>(`/v1/canvases/${canvas}/spell`);
    expect(Object.keys(stored.nodes ?? {})).toEqual(["allowed"]);
  },
  30_000,
);

/**
 * A tab beside writers that are no tabs: REST, the command line, a file (server/SPEC.md D3, D5).
 *
 * Each of their edits is seen at once, what the tab did at the same time stays, and undo takes back its own alone.
 */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import * as Y from "yjs";
import { openWorkbench, SpellworkPage } from "../engine";
import type { Workbench } from "../engine/types";
import type { Canvas, Spell, SpellJson } from "../protocol";
import { COMMAND, RealServer, type SignedInPerson, serverIsHere, until } from "./real_server";

const here = test.skipIf(!serverIsHere);

const DRAWN: SpellJson = {
  schema: 1,
  name: "Shared",
  nodes: {
    a: { type: "core.value", inputs: { value: 2 }, position: [0, 0] },
    b: { type: "code.python", code: "x * 21", position: [240, 0] },
  },
  edges: { e: { source: "a", output: "value", target: "b", input: "x" } },
};

let server: RealServer;
let anna: SignedInPerson;
let token: string;
const open: Workbench[] = [];

beforeAll(async () => {
  if (!serverIsHere) return;
  server = await RealServer.start();
  anna = await server.person("anna");
  anna.session.connect();
  token = (await anna.auth.token()) ?? "";
}, 60_000);
afterEach(() => {
  for (const workbench of open.splice(0)) workbench.close();
});
afterAll(async () => {
  anna?.session.close();
  await server?.stop();
});

async function newTab(): Promise<{ canvas: string; document: Workbench["document"] }> {
  const { id } = await anna.api.post<Canvas>("/v1/canvases", { spell: DRAWN });
  const workbench = openWorkbench({
    session: anna.session,
    canvas: id,
    user: anna,
    page: new SpellworkPage(),
  });
  open.push(workbench);
  const { loading } = workbench.document;
  await until(() => loading.get().state === "open", loading.subscribe);
  return { canvas: id, document: workbench.document };
}

/** Put a spell file on a canvas by the command line. */
async function importFile(canvas: string, spell: object, ...options: string[]): Promise<void> {
  const file = join(server.data, `${canvas}.json`);
  await writeFile(file, JSON.stringify(spell));
  const args = ["import", file, "--canvas", canvas, "--url", server.url, ...options];
  await promisify(execFile)(COMMAND, args, { env: { ...process.env, SPELLWORK_TOKEN: token } });
}

/** What others write: a node `c`, and a first line of the code of `b`. */
const MORE = {
  nodes: {
    b: { type: "code.python", code: "y = 1\nx * 21", position: [240, 0] },
    c: { type: "core.value", position: [0, 300] },
  },
} as const;

const WRITERS: Record<string, (canvas: string) => Promise<unknown>> = {
  "PATCH of the spell": (canvas) => anna.api.patch(`/v1/canvases/${canvas}/spell`, MORE),
  "PUT of a spell": async (canvas) => {
    const now = await anna.api.get<SpellJson>(`/v1/canvases/${canvas}/spell`);
    await anna.api.put(`/v1/canvases/${canvas}/spell`, { ...now, nodes: { ...now.nodes, ...MORE.nodes } });
  },
  "an import that merges": (canvas) => importFile(canvas, MORE, "--merge"),
};

for (const [writer, write] of Object.entries(WRITERS)) {
  here(
    `${writer} is seen at once; the caret and the undo of the tab stay its own`,
    async () => {
      const { canvas, document } = await newTab();
      document.setName("a", "Mine");
      await document.saved();
      const code = document.codeText("b") as Y.Text;
      const caret = Y.createRelativePositionFromTypeIndex(code, "x * ".length);
      await write(canvas);
      await until(() => document.spell.get().nodes.c, document.spell.subscribe);
      expect(document.spell.get().nodes.b?.code).toBe("y = 1\nx * 21");
      expect(document.codeText("b"), "the same text, edited").toBe(code);
      const place = Y.createAbsolutePositionFromRelativePosition(caret, document.doc);
      expect(place?.index).toBe("y = 1\nx * ".length);
      document.undo();
      await document.saved();
      const { nodes } = await anna.api.get<Spell>(`/v1/canvases/${canvas}/spell`);
      expect(nodes.a).not.toHaveProperty("name");
      expect(nodes.b?.code).toBe("y = 1\nx * 21");
      expect(nodes).toHaveProperty("c");
    },
    30_000,
  );
}

here(
  "what a tab wrote without a line stays, whoever wrote meanwhile (D3, D5)",
  async () => {
    const { canvas, document } = await newTab();
    anna.session.close();
    await until(() => document.saving.get().state === "offline", document.saving.subscribe);
    document.codeText("b")?.insert("x * 21".length, " # mine");
    document.addNode({ type: "core.value", position: [9, 9] }, "d");
    await anna.api.put(`/v1/canvases/${canvas}/spell`, {
      ...DRAWN,
      nodes: { ...DRAWN.nodes, ...MORE.nodes },
    });
    await importFile(canvas, { nodes: { f: { type: "core.value", position: [1, 1] } } }, "--merge");
    anna.session.connect();
    await document.saved();
    await until(() => document.spell.get().nodes.f, document.spell.subscribe);
    expect(Object.keys(document.spell.get().nodes).sort()).toEqual(["a", "b", "c", "d", "f"]);
    expect(document.spell.get().nodes.b?.code).toBe("y = 1\nx * 21 # mine");
    expect(await anna.api.get(`/v1/canvases/${canvas}/spell`)).toEqual(document.toJson());
  },
  30_000,
);

here(
  "a file that is added to the open canvas is new things beside what is here, and one step of undo",
  async () => {
    const { canvas, document } = await newTab();
    const before = document.toJson();
    document.paste(JSON.stringify(DRAWN), { at: [1000, 0] });
    await anna.api.patch(`/v1/canvases/${canvas}/spell`, { notes: { n: { text: "Theirs" } } });
    await document.saved();
    await until(() => document.spell.get().notes.n, document.spell.subscribe);
    const spell = document.spell.get();
    expect(Object.keys(spell.nodes)).toHaveLength(4);
    expect(Object.keys(spell.edges)).toHaveLength(2);
    expect(spell.nodes).toMatchObject(before.nodes ?? {});
    document.undo();
    await document.saved();
    const after = await anna.api.get<Spell>(`/v1/canvases/${canvas}/spell`);
    expect(after).toMatchObject({
      nodes: before.nodes,
      edges: before.edges,
      notes: { n: { text: "Theirs" } },
    });
    expect(Object.keys(after.nodes)).toHaveLength(2);
    expect((await anna.api.get<{ items: object[] }>(`/v1/runs?canvas=${canvas}`)).items).toEqual([]);
  },
  30_000,
);

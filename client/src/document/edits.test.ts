/** Edits change what they name and nothing else, undo takes back one's own, and copies stand by themselves. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as Y from "yjs";
import { FakeServer, settle } from "../testing/fake_server";
import { CanvasDocument } from "./canvas_document";
import { PasteError } from "./errors";
import { textChange } from "./text_change";

let server: FakeServer;
let open: CanvasDocument[];

beforeEach(() => {
  server = new FakeServer();
  open = [];
});
afterEach(() => {
  for (const document of open) document.close();
});

async function tab(name = "anna"): Promise<CanvasDocument> {
  const { session } = server.session();
  const document = new CanvasDocument(session, "c", { id: name, name });
  open.push(document);
  session.connect();
  await settle();
  return document;
}

test("a node has the parts that the shared document wants", async () => {
  const document = await tab();
  const id = document.addNode({ type: "code.python", position: [10, 20], code: "x", inputs: { n: 2 } }, "a");
  const node = document.doc.getMap("nodes").get(id) as Y.Map<unknown>;
  expect(node.get("inputs")).toBeInstanceOf(Y.Map);
  expect(node.get("settings")).toBeInstanceOf(Y.Map);
  expect(node.get("code")).toBeInstanceOf(Y.Text);
  expect(document.spell.get().nodes.a).toEqual({
    type: "code.python",
    position: [10, 20],
    code: "x",
    inputs: { n: 2 },
    settings: {},
  });
});

test("a renaming is one step of undo, over cells, wires, values and pins (17.14)", async () => {
  const document = await tab();
  document.addNode({ type: "code.python", position: [0, 0], code: "rows = [1]\nprint(rows)" }, "a");
  document.addNode({ type: "code.python", position: [9, 0], code: "len(rows)", inputs: { rows: 1 } }, "b");
  document.setSettings("b", { pins: { rows: [1], other: 2 } });
  const wire = document.connect({ source: "a", output: "rows", target: "b", input: "rows" });
  const before = document.spell.get();
  document.renameInCode({
    name: "rows",
    to: "orders",
    code: {
      a: [
        { from: 0, to: 4, insert: "orders" },
        { from: 17, to: 21, insert: "orders" },
      ],
      b: [{ from: 4, to: 8, insert: "orders" }],
    },
    wires: { [wire]: { output: "orders", input: "orders" } },
  });
  const after = document.spell.get();
  expect(after.nodes.a?.code).toBe("orders = [1]\nprint(orders)");
  expect(after.nodes.b).toMatchObject({
    code: "len(orders)",
    inputs: { orders: 1 },
    settings: { pins: { orders: [1], other: 2 } },
  });
  expect(after.edges[wire]).toMatchObject({ output: "orders", input: "orders" });
  document.undo();
  expect(document.spell.get()).toEqual(before);
  document.redo();
  expect(document.spell.get()).toEqual(after);
});

test("an edit makes new objects only along its own path", async () => {
  const document = await tab();
  for (let i = 0; i < 1_000; i += 1) document.addNode({ type: "core.value", position: [i, 0] }, `n${i}`);
  document.connect({ source: "n0", output: "value", target: "n1", input: "value" });
  const before = document.spell.get();
  let changes = 0;
  document.spell.subscribe(() => {
    changes += 1;
  });
  document.move({ n7: [5, 5] });
  const after = document.spell.get();
  expect(changes).toBe(1);
  expect(after.nodes.n7).not.toBe(before.nodes.n7);
  expect(after.nodes.n7?.inputs).toBe(before.nodes.n7?.inputs);
  expect(Object.keys(after.nodes).filter((id) => after.nodes[id] !== before.nodes[id])).toEqual(["n7"]);
  expect(after.edges).toBe(before.edges);
});

test("an edit that changes nothing makes no update and no step of undo", async () => {
  const document = await tab();
  document.addNode({ type: "core.value", position: [0, 0], name: "A" }, "a");
  const before = document.spell.get();
  const updates: Uint8Array[] = [];
  document.doc.on("update", (update: Uint8Array) => updates.push(update));
  document.move({ a: [0, 0] });
  document.setName("a", "A");
  document.setInput("a", "value", undefined);
  document.setName("nobody", "B");
  document.remove(["nobody"]);
  expect(updates).toEqual([]);
  expect(document.spell.get()).toBe(before);
});

test("a wire replaces the one that ended there, unless many may", async () => {
  const document = await tab();
  for (const id of ["a", "b", "c"]) document.addNode({ type: "core.value", position: [0, 0] }, id);
  const first = document.connect({ source: "a", output: "value", target: "c", input: "value" });
  const again = document.connect({ source: "a", output: "value", target: "c", input: "value" });
  expect(again).toBe(first);
  document.connect({ source: "b", output: "value", target: "c", input: "value" }, { many: true });
  expect(Object.keys(document.spell.get().edges)).toHaveLength(2);
  document.connect({ source: "b", output: "value", target: "c", input: "value" });
  expect(Object.values(document.spell.get().edges).map(({ source }) => source)).toEqual(["b"]);
});

test("two who draw the same wire at once draw one wire", async () => {
  const [anna, ben] = [await tab("anna"), await tab("ben")];
  anna.addNode({ type: "core.value", position: [0, 0] }, "a");
  anna.addNode({ type: "core.value", position: [0, 0] }, "b");
  await settle();
  const wire = { source: "a", output: "value", target: "b", input: "value" };
  anna.connect(wire);
  ben.connect(wire);
  await settle();
  expect(Object.values(anna.spell.get().edges)).toEqual([wire]);
  expect(ben.spell.get()).toEqual(anna.spell.get());
});

test("removing a node takes its wires, and removing a group frees what lay in it", async () => {
  const document = await tab();
  document.together(() => {
    document.addNode({ type: "core.value", position: [0, 0] }, "a");
    document.addNode({ type: "core.value", position: [0, 0] }, "b");
    document.connect({ source: "a", output: "value", target: "b", input: "value" });
    document.addGroup({ name: "G", position: [0, 0], size: [10, 10] }, ["a", "b"], "g");
  });
  expect(document.spell.get().nodes.b?.group).toBe("g");
  document.remove(["a", "g"]);
  expect(document.toJson()).toEqual({
    schema: 1,
    name: "Untitled",
    nodes: { b: { type: "core.value", position: [0, 0] } },
    edges: {},
  });
  document.undo();
  expect(Object.keys(document.spell.get().edges)).toHaveLength(1);
  expect(document.spell.get().nodes.b?.group).toBe("g");
});

test("undo takes back one's own edits only, one step for each", async () => {
  const [anna, ben] = [await tab("anna"), await tab("ben")];
  anna.addNode({ type: "core.value", position: [0, 0], inputs: { value: 1 } }, "a");
  await settle();
  ben.setInput("a", "other", "ben");
  anna.setInput("a", "value", 2);
  await settle();
  expect(anna.history.get()).toEqual({ undo: true, redo: false });
  anna.undo();
  await settle();
  expect(ben.spell.get().nodes.a?.inputs).toEqual({ value: 1, other: "ben" });
  anna.redo();
  await settle();
  expect(ben.spell.get().nodes.a?.inputs).toEqual({ value: 2, other: "ben" });
  ben.undo();
  await settle();
  expect(anna.spell.get().nodes.a?.inputs).toEqual({ value: 2 });
  ben.undo();
  expect(ben.spell.get().nodes.a).toBeDefined();
});

test("a drag is one step of undo, two drags of different things are two", async () => {
  const document = await tab();
  for (const id of ["a", "b"]) document.addNode({ type: "core.value", position: [0, 0] }, id);
  for (let x = 1; x < 20; x += 1) document.move({ a: [x, 0] });
  document.move({ b: [7, 7] });
  document.undo();
  expect([document.spell.get().nodes.a?.position, document.spell.get().nodes.b?.position]).toEqual([
    [19, 0],
    [0, 0],
  ]);
  document.undo();
  expect(document.spell.get().nodes.a?.position).toEqual([0, 0]);
});

test("a copied node whose group came along runs the copy of the group; else the one that it ran", async () => {
  const document = await tab();
  const group = document.addGroup({ name: "Body", position: [0, 0], size: [300, 200] });
  document.setGroup(group, { collapsed: true });
  const node = document.addNode({ type: "core.map", position: [0, 0], settings: { body: { group } } });
  const both = document.duplicate([node, group]);
  const bodyOf = (id: string | undefined) => document.spell.get().nodes[id ?? ""]?.settings.body;
  expect(bodyOf(both.nodes[0])).toEqual({ group: both.groups[0] });
  expect(document.spell.get().groups[both.groups[0] ?? ""]?.collapsed).toBe(true);
  const alone = document.duplicate([node]);
  expect(bodyOf(alone.nodes[0])).toEqual({ group });
});

test("a group is folded and opened again, each in one step of undo", async () => {
  const document = await tab();
  const group = document.addGroup({ name: "G", position: [0, 0], size: [300, 200] });
  document.together(() => document.setGroup(group, { collapsed: true }));
  expect(document.spell.get().groups[group]?.collapsed).toBe(true);
  document.undo();
  expect(document.spell.get().groups[group]).toBeDefined();
  expect(document.spell.get().groups[group]?.collapsed).toBeUndefined();
  document.redo();
  document.setGroup(group, { collapsed: null });
  expect(document.toJson().groups?.[group]?.collapsed).toBeUndefined();
});

test("a copy is plain JSON text; pasted it has new ids, its inner wires, and outer ones when asked", async () => {
  const document = await tab();
  for (const id of ["a", "b", "c"])
    document.addNode({ type: "core.value", position: [0, 0], inputs: { id } }, id);
  document.connect({ source: "a", output: "value", target: "b", input: "value" });
  document.connect({ source: "b", output: "value", target: "c", input: "value" });
  const text = document.copy(["b", "c"]);
  expect(Object.keys(JSON.parse(text).nodes)).toEqual(["b", "c"]);
  const plain = document.paste(text, { at: [100, 200] });
  expect(plain.nodes).toHaveLength(2);
  expect(plain.edges).toHaveLength(1);
  const kept = document.paste(text, { keepIncoming: true });
  expect(kept.edges).toHaveLength(2);
  const [copy] = plain.nodes.map((id) => document.spell.get().nodes[id]);
  expect(copy?.position).toEqual([100, 200]);
  document.undo();
  document.undo();
  expect(Object.keys(document.spell.get().nodes).sort()).toEqual(["a", "b", "c"]);
});

test("a group is copied with what lies in it", async () => {
  const document = await tab();
  document.addNode({ type: "core.value", position: [5, 5] }, "a");
  document.addNote({ text: "Hi", position: [6, 6] }, "n");
  document.addGroup({ name: "G", position: [0, 0], size: [100, 100] }, ["a", "n"], "g");
  const { nodes, groups, notes } = document.duplicate(["g"]);
  expect([nodes.length, groups.length, notes.length]).toEqual([1, 1, 1]);
  expect(document.spell.get().nodes[nodes[0] ?? ""]?.group).toBe(groups[0]);
});

test("things that come without a place are spread out below those that have one", async () => {
  const document = await tab();
  const nodes = { a: { type: "t", position: [10, 20] }, b: { type: "t" }, c: { type: "t" } };
  document.paste(JSON.stringify({ nodes, notes: { n: { text: "Hi" } } }), { at: [0, 0] });
  const spell = document.spell.get();
  const places = [...Object.values(spell.nodes), ...Object.values(spell.notes)].map((one) => one.position);
  expect(places.toSorted((one, other) => one[1] - other[1] || one[0] - other[0])).toEqual([
    [0, 0],
    [0, 220],
    [320, 220],
    [640, 220],
  ]);
});

test.each([
  ["not JSON", "hello", /not JSON/],
  ["a number", "7", /not a spell/],
  ["empty", "{}", /without nodes/],
  ["no type", '{"nodes": {"a": {}}}', /Node a has no type/],
  ["a bad wire", '{"nodes": {"a": {"type": "t"}}, "edges": {"e": {}}}', /Wire e must have/],
  ["a bad place", '{"nodes": {"a": {"type": "t", "position": 3}}}', /position/],
])("pasting %s says what is wrong and changes nothing", async (_name, text, message) => {
  const document = await tab();
  const before = document.spell.get();
  expect(() => document.paste(text)).toThrow(PasteError);
  expect(() => document.paste(text)).toThrow(message);
  expect(document.spell.get()).toBe(before);
});

test("setting code changes the text only where it differs", async () => {
  const document = await tab();
  document.addNode({ type: "code.python", position: [0, 0], code: "x = 1\ny = 2" }, "a");
  const text = document.codeText("a");
  document.setCode("a", "x = 1\ny = 3");
  expect(document.codeText("a")).toBe(text);
  expect(document.spell.get().nodes.a?.code).toBe("x = 1\ny = 3");
});

test("the smallest text change makes the one text of the other, and splits no character", () => {
  const texts = fc.string({ unit: fc.constantFrom("a", "b", "é", "😀", "😁", "\n"), maxLength: 12 });
  fc.assert(
    fc.property(texts, texts, (before, after) => {
      const change = textChange(before, after);
      if (!change) return before === after;
      const made = before.slice(0, change.at) + change.inserted + before.slice(change.at + change.removed);
      const whole = [change.inserted, before.slice(change.at, change.at + change.removed)];
      return made === after && whole.every((part) => part.isWellFormed());
    }),
  );
});

test("a wire is drawn with transforms, which are changed and taken away, each a step of undo", async () => {
  const document = await tab();
  for (const id of ["a", "b"]) document.addNode({ type: "core.value", position: [0, 0] }, id);
  const ends = { source: "a", output: "value", target: "b", input: "value" };
  const cast = { op: "cast", to: "number" } as const;
  const id = document.connect({ ...ends, transform: [cast] });
  const wire = () => document.spell.get().edges[id];
  expect(wire()).toEqual({ ...ends, transform: [cast] });
  document.checkpoint();
  document.setTransform(id, [{ op: "index", index: 0 }, cast]);
  expect(wire()?.transform).toEqual([{ op: "index", index: 0 }, cast]);
  document.undo();
  expect(wire()?.transform).toEqual([cast]);
  document.setTransform(id, []);
  expect(wire()).toEqual(ends);
  expect(document.connect({ ...ends, transform: [cast] })).toBe(id);
  expect(wire()?.transform).toEqual([cast]);
  document.setTransform("gone", [cast]);
});

test("a copied wire keeps its transforms", async () => {
  const document = await tab();
  for (const id of ["a", "b"]) document.addNode({ type: "core.value", position: [0, 0] }, id);
  const transform = [{ op: "pick", path: "x" }] as const;
  document.connect({ source: "a", output: "value", target: "b", input: "value", transform });
  const { edges } = document.duplicate(["a", "b"]);
  expect(edges.map((id) => document.spell.get().edges[id]?.transform)).toEqual([transform]);
});

test("a node is let be of a version, or of the newest", async () => {
  const document = await tab();
  document.addNode({ type: "core.value", version: 1, position: [0, 0] }, "a");
  document.setVersion("a", 2);
  expect(document.spell.get().nodes.a?.version).toBe(2);
  document.setVersion("a", null);
  expect(document.spell.get().nodes.a?.version).toBeUndefined();
});

test("a requirement is set, changed and taken away by its package, and undone", async () => {
  const [mine, theirs] = [await tab(), await tab("bob")];
  mine.setRequirement("rich", "");
  theirs.setRequirement("pandas", ">=2");
  await settle();
  expect(mine.spell.get().requirements).toEqual({ pandas: ">=2", rich: "" });
  expect(mine.toJson().requirements).toEqual({ pandas: ">=2", rich: "" });
  mine.checkpoint();
  mine.setRequirement("rich", null);
  await settle();
  expect(theirs.spell.get().requirements).toEqual({ pandas: ">=2" });
  const unchanged = mine.spell.get().requirements;
  mine.addNode({ type: "core.value", position: [0, 0] });
  expect(mine.spell.get().requirements).toBe(unchanged);
  mine.undo();
  mine.undo();
  expect(mine.spell.get().requirements).toEqual({ pandas: ">=2", rich: "" });
});

test("a test is renamed, changed part by part and removed, seen by others, and undone (J6)", async () => {
  const [mine, theirs] = [await tab(), await tab("bob")];
  const id = mine.addTest({
    name: "adds up",
    record: { ask: { outputs: { answer: 4 } } },
    expect: { sum: { outputs: { value: { op: "equals", value: 3 } } } },
  });
  await settle();
  const before = theirs.spell.get().tests[id];
  expect(before).toMatchObject({ name: "adds up", inputs: {}, record: { ask: { outputs: { answer: 4 } } } });
  mine.setTest(id, { name: "adds" });
  theirs.setInTest(id, "expect", "sum", { outputs: { value: { op: "equals", value: 5 } } });
  await settle();
  expect(mine.spell.get().tests[id]).toMatchObject({
    name: "adds",
    expect: { sum: { outputs: { value: { value: 5 } } } },
  });
  theirs.undo();
  mine.undo();
  await settle();
  expect(mine.spell.get().tests[id]).toEqual(before);
  mine.setInTest(id, "expect", "sum", null);
  expect(mine.spell.get().tests[id]?.expect).toEqual({});
  mine.removeTest(id);
  expect(mine.spell.get().tests).toEqual({});
  mine.undo();
  mine.undo();
  await settle();
  expect(theirs.spell.get().tests[id]).toEqual(before);
});

// One edit of a canvas, as a person or a program makes it: every kind that a canvas allows.
import { Y } from "./yjs.mjs";

const TEXTS = ["x", "é😀", "\n", "x * 21\n", "ab😀cd", "👩‍👩‍👧"];
const VALUES = [null, true, 7, -1.5, "text", "", [1, [2, null]], { deep: { list: [1, "😀"] } }, 2 ** 40];

const EDITS = [
  [14, addNode],
  [14, setInput],
  [5, removeInput],
  [12, move],
  [14, type],
  [10, erase],
  [4, setSetting],
  [4, name],
  [8, wire],
  [3, unwire],
  [6, removeNode],
  [3, addGroup],
  [3, addNote],
  [4, writeNote],
  [1, removeNote],
  [2, rename],
  [2, several],
];
const TOTAL = EDITS.reduce((sum, [weight]) => sum + weight, 0);

/** Make one edit, in one transaction; where it has nothing to work on, none. */
export function scribble(doc, random, origin) {
  let left = random.below(TOTAL);
  const [, edit] = EDITS.find(([weight]) => (left -= weight) < 0);
  doc.transact(() => edit(doc, random), origin);
}

const root = (doc, name) => doc.getMap(name);
const some = (doc, name, random) => random.pick([...root(doc, name).keys()].sort());
const node = (doc, random) => root(doc, "nodes").get(some(doc, "nodes", random));

function addNode(doc, random) {
  const fields = new Y.Map();
  const values = {
    type: random.pick(["core.value", "code.python", "not.known"]),
    inputs: new Y.Map(),
    settings: new Y.Map(),
    position: [random.below(500), random.next() * 500],
  };
  if (random.chance(0.6)) values.code = new Y.Text(random.pick(TEXTS));
  for (const [key, value] of Object.entries(values)) fields.set(key, value);
  root(doc, "nodes").set(`n${random.below(12)}`, fields);
}

function setInput(doc, random) {
  node(doc, random)?.get("inputs").set(`p${random.below(4)}`, random.pick(VALUES));
}

function removeInput(doc, random) {
  node(doc, random)?.get("inputs").delete(`p${random.below(4)}`);
}

function move(doc, random) {
  node(doc, random)?.set("position", [random.below(1000), random.below(1000)]);
}

function type(doc, random) {
  const code = node(doc, random)?.get("code");
  code?.insert(between(code.toString(), random.below(code.length + 1)), random.pick(TEXTS));
}

function erase(doc, random) {
  const code = node(doc, random)?.get("code");
  if (!code?.length) return;
  const text = code.toString();
  const at = between(text, random.below(text.length));
  const end = between(text, Math.min(text.length, at + 1 + random.below(5)));
  code.delete(at, end - at);
}

/** The place itself, or the one before it where it would cut a character in two (U7). */
function between(text, at) {
  return /[\ud800-\udbff]/.test(text[at - 1] ?? "") && /[\udc00-\udfff]/.test(text[at] ?? "") ? at - 1 : at;
}

function setSetting(doc, random) {
  const settings = node(doc, random)?.get("settings");
  if (random.chance(0.5)) settings?.set("timeout", 1 + random.below(9));
  else settings?.delete("timeout");
}

function name(doc, random) {
  node(doc, random)?.set("name", random.pick(TEXTS).trim());
}

function wire(doc, random) {
  const source = some(doc, "nodes", random);
  if (source === undefined) return;
  const target = some(doc, "nodes", random);
  const edge = Object.entries({ source, output: "value", target, input: `p${random.below(4)}` });
  root(doc, "edges").set(`e${random.below(8)}`, new Y.Map(edge));
}

function unwire(doc, random) {
  const key = some(doc, "edges", random);
  if (key !== undefined) root(doc, "edges").delete(key);
}

function removeNode(doc, random) {
  const key = some(doc, "nodes", random);
  if (key !== undefined) root(doc, "nodes").delete(key);
}

function addGroup(doc, random) {
  const group = Object.entries({ name: random.pick(TEXTS).trim(), position: [0, random.below(9)], size: [40, 30] });
  root(doc, "groups").set(`g${random.below(3)}`, new Y.Map(group));
}

function addNote(doc, random) {
  const note = Object.entries({ text: new Y.Text(random.pick(TEXTS)), position: [1, 2], size: [240, 160] });
  root(doc, "notes").set(`t${random.below(3)}`, new Y.Map(note));
}

function writeNote(doc, random) {
  const key = some(doc, "notes", random);
  root(doc, "notes").get(key)?.get("text").insert(0, random.pick(TEXTS));
}

function removeNote(doc, random) {
  const key = some(doc, "notes", random);
  if (key !== undefined) root(doc, "notes").delete(key);
}

function rename(doc, random) {
  root(doc, "meta").set("name", `Named ${random.below(5)}`);
}

function several(doc, random) {
  for (let left = 2 + random.below(8); left > 0; left -= 1) addNode(doc, random);
  removeNode(doc, random);
  type(doc, random);
}

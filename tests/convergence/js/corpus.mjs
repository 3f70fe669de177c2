// Real updates, as two people's Yjs writes them one after the other, undo and merges with them.
//   node corpus.mjs CLIENT_FOLDER SEED COUNT     prints {"updates": [base64, ...]} in an order that has no gaps
import { Random } from "./random.mjs";
import { scribble } from "./scribble.mjs";
import { ROOTS, Y } from "./yjs.mjs";

const [seed, count] = process.argv.slice(3).map(Number);
const random = new Random(seed);
const updates = [];
const docs = [0, 1].map((at) => {
  const doc = new Y.Doc();
  doc.clientID = 1000 + at * 2 ** 31;
  return doc;
});
const undo = docs.map(
  (doc) => new Y.UndoManager(ROOTS.map((root) => doc.getMap(root)), { trackedOrigins: new Set(["me"]) }),
);
for (const [at, doc] of docs.entries()) {
  doc.on("update", (update, origin) => {
    if (origin === "other") return;
    updates.push(update);
    Y.applyUpdate(docs[1 - at], update, "other");
  });
}
while (updates.length < count) {
  const at = random.below(2);
  if (random.chance(0.9)) scribble(docs[at], random, "me");
  else random.chance(0.6) ? undo[at].undo() : undo[at].redo();
  undo[at].stopCapturing();
}
const made = { updates: updates.map((update) => Buffer.from(update).toString("base64")) };
process.stdout.write(`${JSON.stringify(made)}\n`, () => process.exit(0));

/** What others say of themselves breaks nothing here. */

import { expect, test } from "vitest";
import { Awareness, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";
import { Presence } from "./presence";

function told(cursor: unknown): unknown {
  const [doc, other] = [new Y.Doc(), new Y.Doc()];
  const presence = new Presence(doc, { id: "a", name: "Anna" }, { send: () => {}, changed: () => {} });
  const theirs = new Awareness(other);
  theirs.setLocalState({ cursor, pointer: [1, 2] });
  presence.receive(encodeAwarenessUpdate(theirs, [other.clientID]));
  const state = presence.awareness.getStates().get(other.clientID);
  presence.close();
  theirs.destroy();
  expect(state?.pointer).toEqual([1, 2]);
  return state?.cursor;
}

test("a caret in a text is taken as it is", () => {
  const doc = new Y.Doc();
  const text = new Y.Text("one two");
  doc.getMap("nodes").set("code", text);
  for (const at of [0, 3, 7]) {
    const place = Y.createRelativePositionFromTypeIndex(text, at);
    const caret = JSON.parse(JSON.stringify({ anchor: place, head: place }));
    expect(told(caret)).toEqual(caret);
  }
});

test.each([
  "x",
  7,
  [],
  {},
  { anchor: {}, head: {} },
  { anchor: null, head: null },
  { anchor: { type: null, tname: null, item: null }, head: { type: null, tname: null, item: null } },
  { anchor: { type: { client: 1, clock: 0.5 }, tname: null, item: null }, head: {} },
  {
    anchor: { type: null, tname: "made up", item: null },
    head: { type: null, tname: "made up", item: null },
  },
])("a caret that is none is left out: %j", (cursor) => {
  expect(told(cursor)).toBeNull();
});

test("nobody has to have a caret", () => {
  expect(told(null)).toBeNull();
});

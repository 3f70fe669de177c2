/**
 * Keeping undo from leaving texts that others read in another order.
 *
 * Where a text came back with its node, undo in Yjs may put what it restores between two neighbours of which
 * the right one lies to the left (yjs/yjs#794). This tab then shows one text, and whoever reads the document
 * anew another. Such a text is put in the place of itself: a new one has no past to be put between.
 */
import * as Y from "yjs";

/** Marks the transactions that put a text in the place of one that is not sound; they are sent, and not undone. */
export const MADE_SOUND = Symbol("made sound");

/** Mend what `undoManager` leaves, from now on; `stopped` is called where it tells nobody that a step is over. */
export function keepSound(doc: Y.Doc, undoManager: Y.UndoManager, stopped: () => void = () => {}): void {
  survive(undoManager, "undo", stopped);
  survive(undoManager, "redo", stopped);
  doc.on("afterTransaction", (transaction: Y.Transaction) => {
    if (transaction.origin !== undoManager) return;
    for (const type of transaction.changed.keys()) if (type._searchMarker) type._searchMarker.length = 0;
    const texts = unsoundTexts(transaction);
    if (texts.size) doc.transact(() => texts.forEach(renew), MADE_SOUND);
  });
}

/**
 * Let a step that Yjs cannot do to its end be over with what it did: the next one takes the step before.
 *
 * Where others changed a value meanwhile, Yjs 13.6.33 walks on to what was put in its place, and throws a
 * TypeError if that is forgotten by now (garbage collected, so that it has no neighbours). It then tells nobody
 * that the step is gone from its stack, and keeps the places in texts that it remembers, though they moved.
 */
function survive(undoManager: Y.UndoManager, what: "undo" | "redo", stopped: () => void): void {
  const step = undoManager[what].bind(undoManager);
  undoManager[what] = () => {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      console.warn(`${what}: a part of it could not be done`, error);
      stopped();
      return null;
    }
  };
}

/** The texts in which the transaction has put something between neighbours that are not in their order. */
function unsoundTexts(transaction: Y.Transaction): Set<Y.Text> {
  const { store, clientID } = transaction.doc;
  const from = transaction.beforeState.get(clientID) ?? 0;
  const texts = new Set<Y.Text>();
  const structs = store.clients.get(clientID) ?? [];
  for (let last = structs.length - 1; last >= 0; last -= 1) {
    const item = structs[last];
    if (!item || item.id.clock + item.length <= from) break;
    if (item instanceof Y.Item && item.parent instanceof Y.Text && !isSound(item, item.parent)) {
      texts.add(item.parent);
    }
  }
  return texts;
}

/** Whether the right origin is found by going right from the left one. */
function isSound(item: Y.Item, text: Y.Text): boolean {
  if (item.rightOrigin === null || text.doc === null) return true;
  const right = itemOf(text, item.rightOrigin);
  const left = item.origin && itemOf(text, item.origin);
  if (right === null || (item.origin && left === null)) return false;
  for (let at = left ? left.right : text._start; at !== null; at = at.right) if (at === right) return true;
  return false;
}

/** The item of an id, if it is one of the text. */
function itemOf(text: Y.Text, id: Y.ID): Y.Item | null {
  const item: unknown = text.doc && Y.getItem(text.doc.store, id);
  return item instanceof Y.Item && item.parent === text ? item : null;
}

function renew(text: Y.Text): void {
  const place = text._item?.parentSub;
  if (place && text.parent instanceof Y.Map && text.parent.get(place) === text) {
    text.parent.set(place, new Y.Text(text.toString()));
  }
}

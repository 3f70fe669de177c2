/**
 * Going on after a refusal with all work that does not build on what was refused.
 *
 * Two documents begin with the server's state. On `before` all edits are done as they were made, the refused
 * ones too; it shows what each edit did. On `doc` the refused ones are left out. An edit that still fits there is
 * taken as it is. One that does not (after a refused edit all later ones of the same Yjs client have a gap) is
 * done again: what it changed on `before`, thing by thing. What cannot be done again is part of the refused copy.
 * Rejected: rewriting clocks and origins inside of updates, which keeps characters' places exactly, but turns one
 * mistake into a document that differs from the server's for good.
 */
import * as Y from "yjs";
import type { Spell } from "../protocol";
import { fits } from "./fits";
import type { UnsentEdit } from "./outbox";
import { redo, touched } from "./redo";
import { EMPTY, Snapshot } from "./snapshot";

/** Marks transactions in which edits are done again: the salvage tells of them itself. */
export const REDONE = Symbol("done again");

/** An edit that waits, in the order of their making. */
export interface Waiting {
  readonly edit: UnsentEdit;
  /** `refused`: leave it out. `redo`: its client id cannot be used. `theirs`: another tab sends it. */
  readonly fate: "keep" | "refused" | "redo" | "theirs";
}

/** What became of the edits. */
export interface Salvaged {
  /** To be sent, in order; of those that were done again `update` is new. */
  readonly kept: readonly UnsentEdit[];
  /** Those of them that were done again. */
  readonly redone: readonly UnsentEdit[];
  /** Neither here nor to be sent. */
  readonly lost: readonly UnsentEdit[];
  /** The updates that are not in the document any more, for other tabs to leave out. */
  readonly dropped: readonly Uint8Array[];
  /** The spell with the lost edits in it, and what they touched; null when nothing is lost. */
  readonly copy: { readonly spell: Spell; readonly touched: readonly string[] } | null;
}

/**
 * Put on `doc`, which holds `server`'s state, what can be saved. `dropped` is what other tabs left out. Throws where
 * an edit builds on what neither the server nor those before it have: it would be lost without a trace.
 */
export function salvage(
  doc: Y.Doc,
  server: Uint8Array,
  waiting: readonly Waiting[],
  dropped: readonly Uint8Array[],
): Salvaged {
  const before = new Before(server, dropped);
  const result = {
    kept: [] as UnsentEdit[],
    redone: [] as UnsentEdit[],
    lost: [] as UnsentEdit[],
    dropped: [] as Uint8Array[],
  };
  const touchedByLost = new Set<string>();
  let withLost: Spell | null = null;
  for (const { edit, fate } of waiting) {
    const { update } = edit;
    const [old, fresh] = before.apply(edit, fate);
    if ((fate === "keep" || fate === "theirs") && fits(doc, update)) {
      Y.applyUpdate(doc, update, REDONE);
      if (fate === "keep") result.kept.push(edit);
      continue;
    }
    if (fate === "theirs") continue;
    result.dropped.push(update);
    const again = fate === "refused" ? null : doAgain(doc, old, fresh);
    const left = again ? again.left : touched(old, fresh);
    if (again?.update) {
      edit.update = again.update;
      result.kept.push(edit);
      result.redone.push(edit);
    } else result.lost.push(edit);
    if (left.length > 0 || fate === "refused") {
      withLost = fresh;
      for (const id of left) touchedByLost.add(id);
    }
  }
  before.close();
  return { ...result, copy: withLost && { spell: withLost, touched: [...touchedByLost] } };
}

/** The ids of what edits change on the server's state; none where that cannot be told. */
export function touchedBy(
  server: Uint8Array,
  edits: readonly UnsentEdit[],
  dropped: readonly Uint8Array[],
): string[] {
  const before = new Before(server, dropped);
  try {
    return [...new Set(edits.flatMap((edit) => touched(...before.apply(edit, "refused"))))];
  } catch {
    return [];
  } finally {
    before.close();
  }
}

function doAgain(doc: Y.Doc, old: Spell, fresh: Spell): { update: Uint8Array | null; left: string[] } {
  const updates: Uint8Array[] = [];
  const collect = (update: Uint8Array) => updates.push(update);
  doc.on("update", collect);
  const left = doc.transact(() => redo(doc, old, fresh), REDONE);
  doc.off("update", collect);
  return { update: updates[0] ?? null, left };
}

/** The document as it was, edit by edit. */
class Before {
  readonly #doc = new Y.Doc();
  readonly #snapshot: Snapshot;
  #spell: Spell = EMPTY;

  constructor(server: Uint8Array, dropped: readonly Uint8Array[]) {
    this.#snapshot = new Snapshot(this.#doc, EMPTY, (spell) => {
      this.#spell = spell;
    });
    Y.applyUpdate(this.#doc, server);
    for (const update of dropped) Y.applyUpdate(this.#doc, update);
  }

  /** The spell before the edit and after it. Throws where it cannot be told what an edit of this tab did. */
  apply({ update }: UnsentEdit, fate: Waiting["fate"]): [Spell, Spell] {
    if (fate !== "theirs" && !fits(this.#doc, update)) throw new Error("An edit builds on what is nowhere");
    const old = this.#spell;
    Y.applyUpdate(this.#doc, update);
    return [old, this.#spell];
  }

  close(): void {
    this.#snapshot.close();
    this.#doc.destroy();
  }
}

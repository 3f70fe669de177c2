/** What of a version is not as it is now. */
import type { Spell, SpellJson } from "../protocol";
import type { Change, Marks, What } from "./types";

const KINDS = ["nodes", "edges", "groups", "notes"] as const;

/** How each thing differs, by id. */
export function marksOf(changes: readonly Change[]): Marks {
  return new Map(changes.map((change) => [change.id, change.what]));
}

/** The version's drawing, and with it what came since, which a restore would take away. */
export function withAdded(version: SpellJson, now: Spell, changes: readonly Change[]): SpellJson {
  const drawn: Record<string, object> = {};
  for (const kind of KINDS) {
    // First, so that what is drawn over it is what was there.
    const things: Record<string, unknown> = {};
    for (const change of changes) {
      const thing = now[kind][change.id];
      if (change.kind === kind && change.what === "added" && thing) things[change.id] = thing;
    }
    drawn[kind] = { ...things, ...version[kind] };
  }
  return { ...version, ...drawn };
}

const WORDS: Readonly<Record<What, string>> = {
  added: "Added since",
  removed: "Removed since",
  changed: "Changed since",
  moved: "Moved since",
};

/** What a mark says. */
export function markWords(what: What): string {
  return WORDS[what];
}

const ORDER: readonly What[] = ["changed", "removed", "added", "moved"];

/** Changes by what became of the things, those that matter most first; empty groups are left out. */
export function byWhat(changes: readonly Change[]): { what: What; changes: Change[] }[] {
  return ORDER.map((what) => ({ what, changes: changes.filter((change) => change.what === what) })).filter(
    (group) => group.changes.length > 0,
  );
}

/** What of a refused copy can be put on a canvas. */
import type { RefusedWork } from "../offline";
import { copyText } from "./clipboard";
import { spellFromJson } from "./json";

/** The things that the refused edits touched, as text that can be pasted; all of them where that is not known. */
export function copyFragment({ spell, touched }: RefusedWork): string {
  const whole = spellFromJson(spell);
  const here = touched.filter((id) => whole.nodes[id] ?? whole.groups[id] ?? whole.notes[id]);
  // Of a wire that was refused, both ends.
  const ends = touched.flatMap((id) => {
    const edge = whole.edges[id];
    return edge ? [edge.source, edge.target] : [];
  });
  const chosen = [...here, ...ends];
  const all = [...Object.keys(whole.nodes), ...Object.keys(whole.groups), ...Object.keys(whole.notes)];
  return copyText(whole, chosen.length > 0 ? chosen : all);
}

/** A version's changes in a few words. */
import type { Summary } from "./types";

type Touched = Summary["things"][number];

const PARTS = 3;
const NOUNS = {
  nodes: ["node", "nodes"],
  edges: ["wire", "wires"],
  groups: ["group", "groups"],
  notes: ["note", "notes"],
  requirements: ["package", "packages"],
  tests: ["test", "tests"],
} as const;
const KINDS = ["nodes", "groups", "notes", "edges", "requirements", "tests"] as const;
const VERBS = ["added", "removed", "changed", "moved"] as const;

/** `Code of Summarise changed, 3 nodes added`; `titleOf` says what a node type is called. */
export function describeChanges(summary: Summary, titleOf: (type: string) => string | undefined): string {
  const parts: string[] = [];
  const title = (thing: Touched) => thing.name || (thing.type && (titleOf(thing.type) ?? thing.type)) || "";
  const coded = summary.things.filter(
    (thing) => thing.what === "changed" && thing.fields.includes("code") && title(thing),
  );
  const [code] = coded;
  if (code && coded.length === 1) parts.push(`code of ${title(code)} changed`);
  else if (coded.length > 1) parts.push(`code of ${coded.length} nodes changed`);
  for (const kind of KINDS) {
    for (const verb of VERBS) {
      const count = summary[kind][verb] - (kind === "nodes" && verb === "changed" ? coded.length : 0);
      if (count <= 0) continue;
      const known = summary.things.filter(
        (thing) => thing.kind === kind && thing.what === verb && !coded.includes(thing),
      );
      const only = count === 1 && known.length === 1 && known[0] ? title(known[0]) : "";
      const [one, many] = NOUNS[kind];
      parts.push(only ? `${only} ${verb}` : `${count} ${count === 1 ? one : many} ${verb}`);
    }
  }
  if (summary.renamed) parts.push("canvas renamed");
  if (parts.length === 0) return "Nothing changed";
  const told = parts.slice(0, PARTS).join(", ") + (parts.length > PARTS ? " and more" : "");
  return told.charAt(0).toUpperCase() + told.slice(1);
}

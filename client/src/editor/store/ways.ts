/** How one came to a subspell: from which node of which canvas, and so on outwards; it is in the address. */
import { go } from "../../app/router";
import type { Editor } from "./editor";

/** A node of a canvas through which one went. */
export interface Step {
  readonly canvas: string;
  readonly node: string;
}

/** Steps that an address keeps; from deeper down the way leads back so far. */
const MOST = 8;
const PART = /^([A-Za-z0-9_-]+)\.([^.,/]+)$/;

/** The way in an address's query, outermost first. */
export function wayIn(search: string): Step[] {
  const from = new URLSearchParams(search).get("from") ?? "";
  return from
    .split(",")
    .flatMap((part) => {
      const [, canvas, node] = PART.exec(part) ?? [];
      return canvas && node ? [{ canvas, node }] : [];
    })
    .slice(-MOST);
}

function addressOf(canvas: string, way: readonly Step[], node?: string): string {
  const query = [
    ...(way.length > 0 ? [`from=${way.map((step) => `${step.canvas}.${step.node}`).join(",")}`] : []),
    ...(node === undefined ? [] : [`node=${encodeURIComponent(node)}`]),
  ];
  return `/canvas/${canvas}${query.length > 0 ? `?${query.join("&")}` : ""}`;
}

/** The address of a canvas that is opened through a node. */
export function addressInto(child: string, through: Step, way: readonly Step[]): string {
  return addressOf(child, [...way, through].slice(-MOST));
}

/** The address of the canvas of a step of the way, at its node. */
export function addressBack(way: readonly Step[], index: number): string {
  const step = way[index];
  return step ? addressOf(step.canvas, way.slice(0, index), step.node) : "/";
}

/** Go to what a node runs: its canvas, or its group on this one. */
export function openBody(editor: Editor, id: string): void {
  const { body } = editor.document.spell.get().nodes[id]?.settings ?? {};
  if (body?.group !== undefined) editor.reveal(body.group);
  else if (body?.spell !== undefined)
    go(addressInto(body.spell, { canvas: editor.document.canvas, node: id }, wayIn(location.search)));
}

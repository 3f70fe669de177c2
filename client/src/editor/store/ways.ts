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

/**
 * Go to the node at the end of `way`, the first of which is on this canvas and runs the next inside it: here, or on the
 * canvas that one of them runs, which goes on from there. Returns whether there is such a node on this canvas.
 */
export function openAlong(editor: Editor, way: readonly string[], replace = false): boolean {
  const { nodes } = editor.document.spell.get();
  for (const [index, id] of way.entries()) {
    const { body } = nodes[id]?.settings ?? {};
    if (!nodes[id]) return false;
    if (body?.spell === undefined || index === way.length - 1) continue;
    const through = { canvas: editor.document.canvas, node: id };
    const from = [...wayIn(location.search), through].slice(-MOST);
    go(addressOf(body.spell, from, way.slice(index + 1).join("/")), replace);
    return true;
  }
  const last = way.at(-1);
  if (last !== undefined) editor.reveal(last);
  return last !== undefined;
}

/** Go to what a node runs: its canvas, or its group on this one. */
export function openBody(editor: Editor, id: string): void {
  const { body } = editor.document.spell.get().nodes[id]?.settings ?? {};
  if (body?.group !== undefined) editor.reveal(body.group);
  else if (body?.spell !== undefined)
    go(addressInto(body.spell, { canvas: editor.document.canvas, node: id }, wayIn(location.search)));
}

/** The canvases that this person may see, by id: asked for once, and again when that is long ago. */
import { api } from "../../api";
import type { Canvas } from "../../protocol";
import { Store } from "../../store";

const FRESH_MS = 20_000;

/** Null until they are known. */
export const canvases = new Store<ReadonlyMap<string, Canvas> | null>(null);

let asked = 0;
let asking: Promise<void> | null = null;

/** Learn of them; `anew` also when that was just done. What cannot be learned stays as it is. */
export function loadCanvases(anew = false): Promise<void> {
  if (asking) return asking;
  if (!anew && Date.now() - asked < FRESH_MS) return Promise.resolve();
  asking = api
    .get<{ items: Canvas[] }>("/v1/canvases")
    .then(({ items }) => {
      asked = Date.now();
      canvases.set(new Map(items.map((canvas) => [canvas.id, canvas])));
    })
    .catch(() => {})
    .finally(() => {
      asking = null;
    });
  return asking;
}

/** Those that a list lacked which was asked for when they were met: they are not asked for again and again. */
const lacking = new Set<string>();

/** Learn of one that a node here runs. A list from before it was made, or shared, lacks it: then it is asked for anew. */
export async function meetCanvas(id: string): Promise<void> {
  await loadCanvases();
  if (canvases.get()?.has(id) || lacking.has(id)) return;
  lacking.add(id);
  await loadCanvases(true);
}

/** Muting, bypassing and pinning nodes: one step of undo for as many as are chosen. */
import type { Json, NodeSettings, PortValue } from "../../protocol";
import { isHandle, isRef } from "../../protocol";
import { portsNow } from "../hooks/useConnect";
import type { Editor } from "./editor";
import { nodeTitle } from "./graph";
import { RESERVED_OUTPUTS } from "./passages";
import { formatBytes } from "./value_kind";
import { isPinned } from "./why";

/** Bytes of JSON that one node may hold as pinned values: they travel with every copy of the canvas. */
export const MAX_PIN_BYTES = 256_000;

/** Put nodes into a mode, or all back to running when every one of them is in it. */
export function toggleMode(
  editor: Editor,
  mode: NonNullable<NodeSettings["mode"]>,
  ids: readonly string[],
): void {
  const { nodes } = editor.document.spell.get();
  const present = ids.filter((id) => nodes[id]);
  if (present.length === 0) return;
  const all = present.every((id) => nodes[id]?.settings.mode === mode);
  editor.document.together(() => {
    for (const id of present) editor.document.setSettings(id, { mode: all ? null : mode });
  });
}

/** Let nodes run again that were pinned. */
export function unpin(editor: Editor, ids: readonly string[]): void {
  editor.document.together(() => {
    for (const id of ids) editor.document.setSettings(id, { pins: null });
  });
}

/** Give one output a value by hand, or take it back with `undefined`. Says so where it is too large. */
export function setPin(editor: Editor, id: string, port: string, value: Json | undefined): void {
  const pins = { ...editor.document.spell.get().nodes[id]?.settings.pins };
  if (value === undefined) delete pins[port];
  else pins[port] = value;
  const why = whyNoPins(pins);
  if (why) editor.toasts.show({ tone: "error", title: why, next: TOO_LARGE_NEXT });
  else editor.document.setSettings(id, { pins: Object.keys(pins).length > 0 ? pins : null });
}

/**
 * Pin what the nodes gave last, or let them run again when all of them are pinned. A node that gave nothing yet, or
 * too much, is left as it is and told of; the others are pinned in one step.
 */
export async function togglePins(editor: Editor, ids: readonly string[]): Promise<void> {
  const { nodes } = editor.document.spell.get();
  const present = ids.filter((id) => nodes[id]);
  if (present.length === 0) return;
  if (present.every((id) => isPinned(nodes[id]?.settings))) {
    unpin(editor, present);
    return;
  }
  const found: [id: string, pins: Record<string, Json>][] = [];
  for (const id of present) {
    if (isPinned(nodes[id]?.settings)) continue; // What was written by hand stays.
    const pins = await lastValues(editor, id);
    if (pins) found.push([id, pins]);
  }
  if (found.length === 0) return;
  editor.document.together(() => {
    for (const [id, pins] of found) editor.document.setSettings(id, { pins });
  });
}

/** What a node gave last, whole; null, and a toast that says why, where that cannot be pinned. */
async function lastValues(editor: Editor, id: string): Promise<Record<string, Json> | null> {
  const refuse = (title: string, next: string) => {
    editor.toasts.show({ tone: "error", title: `${titleOf(editor, id)}: ${title}`, next });
    return null;
  };
  const run = editor.viewing.get()?.nodes[id] ?? editor.workbench.runs.board.get()[id]?.last;
  const outputs = pinnable(editor, id, run?.outputs ?? {});
  if (outputs.length === 0)
    return refuse("there is no value to pin yet", "Run the node first, or type a value in the inspector.");
  const kept = outputs.find(([, value]) => isHandle(value));
  if (kept)
    return refuse(
      `“${kept[0]}” lives in the worker and cannot be pinned`,
      "Give a plain value, such as a list or a text, and pin that.",
    );
  const size = outputs.reduce((sum, [, value]) => sum + (isRef(value) ? value.size : 0), 0);
  if (size > MAX_PIN_BYTES) return refuse(tooLarge(size), TOO_LARGE_NEXT);
  try {
    const whole = outputs.map(async ([port, value]) => [port, await editor.workbench.value(value)] as const);
    const pins = Object.fromEntries(await Promise.all(whole));
    const why = whyNoPins(pins);
    return why ? refuse(why, TOO_LARGE_NEXT) : pins;
  } catch (error) {
    editor.toasts.error(`Could not read what ${titleOf(editor, id)} gave`, error);
    return null;
  }
}

function pinnable(
  editor: Editor,
  id: string,
  outputs: Readonly<Record<string, PortValue>>,
): [string, PortValue][] {
  const type = editor.library.of(editor.document.spell.get().nodes[id]);
  const declared = new Set((type?.dynamic ? portsNow(editor, id) : type)?.outputs.map((port) => port.name));
  return Object.entries(outputs).filter(([port]) => declared.has(port) || !RESERVED_OUTPUTS.has(port));
}

const TOO_LARGE_NEXT = "Pin a smaller part of it: put a node between that takes what you need.";

function tooLarge(size: number): string {
  return `${formatBytes(size)} is too large to pin; at most ${formatBytes(MAX_PIN_BYTES)} are kept on a node`;
}

/** Why these values may not be pinned; null when they may. */
export function whyNoPins(pins: Readonly<Record<string, Json>>): string | null {
  const size = new TextEncoder().encode(JSON.stringify(pins)).length;
  return size > MAX_PIN_BYTES ? tooLarge(size) : null;
}

function titleOf(editor: Editor, id: string): string {
  const node = editor.document.spell.get().nodes[id];
  return `“${nodeTitle(node, editor.library.of(node)) || id}”`;
}

/** What the body of a node is called. */
import { useEffect } from "react";
import type { NodeBody } from "../../protocol";
import { useStore } from "../../store";
import { canvases, meetCanvas } from "../store/canvases";
import { useEditor } from "./useEditor";
import { useNodeType } from "./useNode";

export function useBodyName(body: NodeBody | undefined): string | null {
  const editor = useEditor();
  const child = body?.spell;
  const group = useStore(editor.document.spell, (spell) =>
    body?.group === undefined
      ? null
      : spell.groups[body.group]
        ? spell.groups[body.group]?.name || "Group"
        : null,
  );
  const known = useStore(canvases);
  const type = useNodeType(body?.type === undefined ? undefined : { type: body.type });
  useEffect(() => {
    if (child !== undefined) void meetCanvas(child);
  }, [child]);
  if (body?.group !== undefined) return group ?? "a group that is gone";
  if (body?.type !== undefined) return type?.title ?? body.type;
  if (child === undefined) return null;
  const canvas = known?.get(child);
  return canvas ? canvas.name : known ? "a canvas that you cannot open" : "a canvas";
}

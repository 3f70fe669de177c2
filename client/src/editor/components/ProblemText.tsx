/** What a problem says, in words for whoever looks: a canvas goes by its name, not by its id. */
import type { Problem } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { canvases } from "../store/canvases";
import { shortMessage } from "../store/graph";

export function ProblemText({ problem }: { readonly problem: Problem }) {
  const editor = useEditor();
  const { code, node } = problem;
  const child = useStore(editor.document.spell, ({ nodes }) =>
    code === "unknown_spell" && node ? nodes[node]?.settings.body?.spell : undefined,
  );
  const known = useStore(canvases);
  if (child === undefined || known === null) return shortMessage(problem.message);
  const name = known.get(child)?.name;
  return name === undefined
    ? "The canvas that it runs is gone, or is not shared with you."
    : `Not everybody who edits here may open “${name}”. Its inputs and outputs are shown once it is shared with them.`;
}

/** Why a node ran or did not, in full, with a way to what made it so. */
import { CornerLeftUp } from "lucide-react";
import { useCallback, useMemo } from "react";
import type { NodeRun } from "../../engine/types";
import type { Spell } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useTitleOf } from "../hooks/useTitle";
import type { Editor } from "../store/editor";
import { type Cause, type ShownState, type Surroundings, whyOf } from "../store/why";

interface WhyLineProps {
  readonly id: string;
  readonly state: ShownState;
  readonly last: NodeRun | undefined;
}

export function WhyLine({ id, state, last }: WhyLineProps) {
  const editor = useEditor();
  const spell = useStore(editor.document.spell);
  const board = useStore(editor.workbench.runs.board);
  const past = useStore(editor.viewing);
  const ended = useStore(editor.workbench.runs.past, (runs) =>
    state === "cancelled" ? runs.find((run) => run.id === last?.run)?.error?.message : undefined,
  );
  const titleIn = useTitleIn();
  const why = useMemo(() => {
    const around: Surroundings = {
      spell,
      statuses: past ? past.nodes : board,
      title: (node) => titleIn(spell, node),
    };
    return whyOf(id, state, last, around);
  }, [id, state, last, spell, board, past, titleIn]);
  if (why.full === "") return null;
  const { cause } = why;
  return (
    <p className="why faint" data-testid="why">
      {why.full} {ended && `The run failed: ${ended} `}
      {cause && (
        <button
          type="button"
          className="link-button"
          data-testid="why-cause"
          onClick={() => reveal(editor, cause)}
        >
          <CornerLeftUp size={11} aria-hidden="true" /> {causeWords(cause, (node) => titleIn(spell, node))}
        </button>
      )}
    </p>
  );
}

/** Tells what a node is called here: by its id where it is not there. */
export function useTitleIn(): (spell: Spell, id: string) => string {
  const titleOf = useTitleOf();
  return useCallback((spell, id) => titleOf(spell.nodes[id]) || id, [titleOf]);
}

function causeWords(cause: Cause, title: (id: string) => string): string {
  if (cause.kind === "node") return `Show “${title(cause.id)}”`;
  return cause.kind === "wire" ? `Show the wire into “${cause.port}”` : `Show “${cause.port}”`;
}

/** Bring a cause into view: the node, both ends of the wire, or the input's row in the inspector. */
function reveal(editor: Editor, cause: Cause): void {
  if (cause.kind === "node") {
    editor.reveal(cause.id);
    return;
  }
  if (cause.kind === "wire") {
    const edge = editor.document.spell.get().edges[cause.id];
    editor.select([cause.id]);
    if (edge) editor.view?.fit([edge.source, edge.target]);
    return;
  }
  editor.reveal(cause.node);
  requestAnimationFrame(() => {
    const row = document.querySelector<HTMLElement>(`.inspector [data-input="${CSS.escape(cause.port)}"]`);
    row?.scrollIntoView({ block: "center" });
    row?.querySelector<HTMLElement>("input, textarea, select")?.focus();
  });
}

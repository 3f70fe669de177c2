/** A node by its name; a click selects it on the canvas. One that is not there any more is its id alone. */
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useTitle } from "../../hooks/useTitle";

interface NodeLinkProps {
  readonly node: string;
  readonly port?: string | null;
}

export function NodeLink({ node, port = null }: NodeLinkProps) {
  const editor = useEditor();
  const there = useStore(editor.document.spell, (spell) => spell.nodes[node]);
  const title = useTitle(there);
  const words = `${there ? title : node}${port === null ? "" : `.${port}`}`;
  if (!there) return <span className="test-node-gone">{words} (not there)</span>;
  return (
    <button
      type="button"
      className="link-button test-node"
      title={`Show ${node} on the canvas`}
      data-testid={`test-node-${node}`}
      onClick={() => editor.reveal(node)}
    >
      {words}
    </button>
  );
}

/** Offers to bring a node of another version to the newest one that is here. */
import { ArrowUpCircle } from "lucide-react";
import { useState } from "react";
import { useStore } from "../../store";
import { useConnection } from "../hooks/useConnection";
import { useEditor } from "../hooks/useEditor";
import { asVersion, earlierVersion, newerVersion, upgradeNodes } from "../store/upgrading";

export function UpdateNode({ id }: { id: string }) {
  const editor = useEditor();
  useStore(editor.library.state);
  const version = useStore(editor.document.spell, (spell) => spell.nodes[id]?.version);
  const editable = useStore(editor.document.editable);
  const newest = newerVersion(editor, id);
  const earlier = earlierVersion(editor, id);
  if (earlier !== null) {
    return (
      <div className="notice warning update-node">
        <span>
          This is version {version} of the node, and this server has up to version {earlier}.
        </span>
        {editable && (
          <button
            type="button"
            className="button small"
            data-testid="update-node"
            onClick={() => asVersion(editor, id, earlier)}
          >
            Use version {earlier}
          </button>
        )}
      </div>
    );
  }
  if (newest === null) return null;
  return (
    <div className="notice warning update-node">
      <span>
        This is version {version} of the node. Version {newest} is there.
      </span>
      <UpdateButton nodes={[id]} label="Update" />
    </div>
  );
}

export function UpdateButton({ nodes, label }: { nodes: readonly string[]; label: string }) {
  const editor = useEditor();
  const connection = useConnection();
  const editable = useStore(editor.document.editable);
  const [busy, setBusy] = useState(false);
  if (!editable) return null;
  return (
    <button
      type="button"
      className="button small"
      data-testid="update-node"
      disabled={busy}
      onClick={() => {
        setBusy(true);
        void upgradeNodes(editor, connection, nodes).finally(() => setBusy(false));
      }}
    >
      <ArrowUpCircle size={13} /> {label}
    </button>
  );
}

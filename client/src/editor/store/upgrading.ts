/** Brings old nodes to the newest versions of their types: the server does it, as an edit that everybody sees. */
import type { Connection } from "../../session";
import type { Editor } from "./editor";

/** The newest version of a node's type, where the node names an older one. */
export function newerVersion(editor: Editor, id: string): number | null {
  const node = editor.document.spell.get().nodes[id];
  const newest = node && editor.library.get(node.type);
  return newest && node.version !== undefined && node.version < newest.version ? newest.version : null;
}

/** The newest version of a node's type, where the node names a later one, as of a newer pack elsewhere. */
export function earlierVersion(editor: Editor, id: string): number | null {
  const node = editor.document.spell.get().nodes[id];
  const newest = node && editor.library.get(node.type);
  return newest && node.version !== undefined && node.version > newest.version ? newest.version : null;
}

/** Have a node be of another version of its type, as it is. */
export function asVersion(editor: Editor, node: string, version: number): void {
  editor.document.checkpoint();
  editor.document.setVersion(node, version);
}

/** Upgrade nodes, and say what became of them; one without a migration may be taken over as it is. */
export async function upgradeNodes(
  editor: Editor,
  connection: Connection,
  nodes: readonly string[],
): Promise<void> {
  try {
    await editor.document.saved();
    const canvas = editor.document.canvas;
    const { upgraded, failed } = await connection.request("nodes.upgrade", { canvas, nodes: [...nodes] });
    if (upgraded.length > 0) {
      const title =
        upgraded.length === 1 ? "The node is up to date" : `${upgraded.length} nodes are up to date`;
      editor.toasts.show({ tone: "done", title });
    }
    for (const each of failed as unknown as readonly Failed[]) tellFailed(editor, each);
  } catch (error) {
    editor.toasts.error("The node could not be updated", error);
  }
}

interface Failed {
  readonly node: string;
  readonly newest: number;
  readonly reason: string;
}

function tellFailed(editor: Editor, { node, newest, reason }: Failed): void {
  editor.toasts.show({
    tone: "error",
    title: `The node stays as it is: ${reason}`,
    next: "It can be used as the newest version all the same; look at its inputs then.",
    action: {
      label: `Use version ${newest}`,
      run: () => asVersion(editor, node, newest),
    },
  });
}

/** The values that an input may have, where they follow from the node's other inputs; the server knows them. */
import { useContext, useEffect, useMemo, useState } from "react";
import { reshape } from "../../engine/transform";
import { type Json, type Port, type PortValue, preview, type SpellNode } from "../../protocol";
import type { Connection } from "../../session";
import { useStore } from "../../store";
import type { Editor } from "../store/editor";
import { ConnectionContext } from "./useConnection";
import { useEditor } from "./useEditor";

const NONE: readonly Json[] = [];
/** Milliseconds that typing rests before the choices are asked for. */
const REST = 150;
/** Answers that are kept, the latest. */
const KEPT = 200;
/** Items of a wired list that are told: its columns, not its rows, decide. */
const HEAD = 50;
/** Characters of a node, as JSON, beyond which nothing is asked. */
const MOST = 200_000;

const kept = new WeakMap<Connection, Map<string, readonly Json[]>>();

/** None where any value may do, and until they are known. */
export function useChoices(id: string, node: SpellNode, port: Port): readonly Json[] {
  const editor = useEditor();
  const connection = useContext(ConnectionContext);
  const edges = useStore(editor.document.spell, (spell) => (port.choices ? spell.edges : null));
  const board = useStore(editor.workbench.runs.board, (all) => (port.choices ? all : null));
  // biome-ignore lint/correctness/useExhaustiveDependencies: wires and results are read from the stores
  const asked = useMemo(
    () => (port.choices ? question(editor, id, node, port.name) : null),
    [editor, id, node, port, edges, board],
  );
  const [found, setFound] = useState(NONE);
  useEffect(() => {
    if (!asked || !connection) {
      setFound(NONE);
      return;
    }
    const answers = kept.get(connection) ?? new Map<string, readonly Json[]>();
    kept.set(connection, answers);
    const known = answers.get(asked);
    if (known) {
      setFound(known);
      return;
    }
    let late = false;
    const timer = setTimeout(() => {
      const { node: told, port: name, canvas } = JSON.parse(asked) as Question;
      connection.request("nodes.choices", { node: told as never, port: name, canvas }).then(
        ({ choices }) => {
          answers.set(asked, choices as Json[]);
          for (const [old] of answers) {
            if (answers.size <= KEPT) break;
            answers.delete(old);
          }
          if (!late) setFound(choices as Json[]);
        },
        () => {}, // Without an answer anything may be typed, as where there are no choices.
      );
    }, REST);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [asked, connection]);
  return found;
}

interface Question {
  readonly node: SpellNode;
  readonly port: string;
  readonly canvas: string;
}

/** What to ask, as text: the node, with what its wires last brought as if it were typed in. */
function question(editor: Editor, id: string, node: SpellNode, port: string): string | null {
  const inputs: Record<string, Json> = { ...node.inputs };
  delete inputs[port];
  for (const edge of Object.values(editor.document.spell.get().edges)) {
    if (edge.target !== id) continue;
    const given = editor.workbench.runs.board.get()[edge.source]?.last.outputs?.[edge.output];
    const value = given === undefined ? undefined : headOf(given, edge.transform ?? []);
    if (value !== undefined) inputs[edge.input] = value;
  }
  const told = { type: node.type, ...(node.version ? { version: node.version } : {}), inputs };
  const text = JSON.stringify({ node: told, port, canvas: editor.document.canvas });
  return text.length > MOST ? null : text;
}

function headOf(given: PortValue, transform: Parameters<typeof reshape>[1]): Json | undefined {
  try {
    const value = reshape(preview(given), transform);
    return Array.isArray(value) ? value.slice(0, HEAD) : value;
  } catch {
    return undefined; // The node will say what its wire could not do.
  }
}

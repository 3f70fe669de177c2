/** What one node is, and how it stands: each hook renders its component only when that node changes. */
import { useMemo } from "react";
import type { NodeRun, NodeState } from "../../engine/types";
import type { NodeType, Outputs, Problem, SpellNode } from "../../protocol";
import { type Readable, useStore } from "../../store";
import { problemsOf, type ShownPorts, sameWired, shownPorts, type Wired, wiredPorts } from "../store/graph";
import { typeIn } from "../store/library";
import { RESERVED_OUTPUTS } from "../store/passages";
import { type ShownState, shownState } from "../store/why";
import { useEditor } from "./useEditor";

export function useNode(id: string): SpellNode | undefined {
  return useStore(useEditor().document.spell, (spell) => spell.nodes[id]);
}

/** The type of a node, in the version that it names. */
export function useNodeType(node: Pick<SpellNode, "type" | "version"> | undefined): NodeType | undefined {
  return useStore(useEditor().library.state, (state) => node && typeIn(state, node.type, node.version));
}

export function useWired(id: string): Wired {
  return useStore(useEditor().document.spell, (spell) => wiredPorts(spell.edges, id), sameWired);
}

export function usePorts(id: string, node: SpellNode, type: NodeType | undefined, wired: Wired): ShownPorts {
  const dynamic = useStore(useEditor().document.ports, (ports) => ports[id]);
  return useMemo(() => shownPorts(node, type, dynamic, wired), [node, type, dynamic, wired]);
}

export function useProblems(id: string): readonly Problem[] {
  return useStore(useEditor().document.problems, (problems) => problemsOf(problems, id));
}

/** How a node is to be shown: by the past run on the canvas, if any, else by its last run. */
export interface ShownStatus {
  readonly state: NodeState;
  readonly last: NodeRun;
  /** See `NodeStatus`. */
  readonly gone?: string;
}

const statuses = new WeakMap<NodeRun, ShownStatus>();

function pastStatus(run: NodeRun | undefined): ShownStatus | undefined {
  if (!run) return undefined;
  let status = statuses.get(run);
  if (!status) {
    status = { state: run.state, last: run };
    statuses.set(run, status);
  }
  return status;
}

export function useNodeStatus(id: string): ShownStatus | undefined {
  const editor = useEditor();
  const past = useStore(editor.viewing, (run) => (run ? (pastStatus(run.nodes[id]) ?? null) : undefined));
  const now = useStore(
    editor.workbench.runs.board as Readable<Readonly<Record<string, ShownStatus>>>,
    (board) => board[id],
  );
  const inside = useStore(editor.overlay, (overlay) => pastStatus(overlay[id]));
  return inside ?? (past === undefined ? now : (past ?? undefined));
}

/** What the node would give for what is being typed; nothing while a past run is looked at. */
export function useDraftOutputs(id: string): Outputs | undefined {
  const editor = useEditor();
  const past = useStore(editor.viewing, (run) => run !== null);
  const outputs = useStore(editor.workbench.drafts.outputs, (all) => all[id]);
  return past ? undefined : outputs;
}

/** The one word of how a node stands: by its settings where they say so, else by its run. */
export function useShownState(
  node: SpellNode,
  status: ShownStatus | undefined,
  wired: Wired,
): Exclude<ShownState, "unknown"> | undefined {
  const editor = useEditor();
  const past = useStore(editor.viewing, (run) => run !== null);
  // Where nothing is taken from a node, all that it has must be given for it not to run.
  const newest = useNodeType({ type: node.type });
  const taken = wired.outputs.length > 0 ? wired.outputs : ownOutputs(newest);
  return shownState(status, past ? undefined : node.settings, taken);
}

function ownOutputs(type: NodeType | undefined): readonly string[] {
  return (type?.outputs ?? []).map((port) => port.name).filter((name) => !RESERVED_OUTPUTS.has(name));
}

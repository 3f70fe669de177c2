/** The spell as a list: every node with its state and wires, for the keyboard and for screen readers. */

import { Pin, Search } from "lucide-react";
import { useMemo, useState } from "react";
import type { SpellNode } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useNode, useNodeStatus, useNodeType, useProblems, useShownState, useWired } from "../hooks/useNode";
import { useTitleOf } from "../hooks/useTitle";
import { incomingEdges, nodeTitle } from "../store/graph";
import { shortWhy } from "../store/why";
import { NodeIcon } from "./NodeIcon";
import { StateBadge } from "./StateBadge";

export function OutlinePanel() {
  const editor = useEditor();
  const spell = useStore(editor.document.spell);
  const order = useStore(editor.workbench.runs.current, (run) => run?.order);
  const titleOf = useTitleOf();
  const [query, setQuery] = useState("");
  const ids = useMemo(() => {
    const rank = new Map((order ?? []).map((id, index) => [id, index]));
    const place = (id: string) => rank.get(id) ?? Number.POSITIVE_INFINITY;
    const words = query.toLowerCase();
    return Object.entries(spell.nodes)
      .filter(([id, node]) => {
        return `${titleOf(node)} ${node.type} ${id}`.toLowerCase().includes(words);
      })
      .sort(([a, one], [b, other]) => place(a) - place(b) || one.position[0] - other.position[0])
      .map(([id]) => id);
  }, [spell.nodes, order, query, titleOf]);
  return (
    <div className="side-body" data-testid="outline">
      <label className="side-search">
        <Search size={14} aria-hidden="true" />
        <input
          type="search"
          placeholder="Filter nodes"
          aria-label="Filter nodes"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
      </label>
      <ul className="scroll side-scroll plain-list" aria-label="Nodes of this canvas">
        {ids.slice(0, 500).map((id) => (
          <OutlineRow key={id} id={id} />
        ))}
        {ids.length > 500 && <li className="menu-note">and {ids.length - 500} more: filter to see them</li>}
        {ids.length === 0 && <li className="menu-note">{query ? "No node matches" : "Nothing here yet"}</li>}
      </ul>
    </div>
  );
}

function OutlineRow({ id }: { id: string }) {
  const editor = useEditor();
  const node = useNode(id);
  const type = useNodeType(node);
  const problems = useProblems(id);
  const selected = useStore(editor.selection, (selection) => selection.has(id));
  const titleOf = useTitleOf();
  const feeds = useStore(editor.document.spell, (spell) =>
    incomingEdges(spell.edges, id)
      .map(([, edge]) => `${titleOf(spell.nodes[edge.source])}.${edge.output}`)
      .join(", "),
  );
  if (!node) return null;
  return (
    <li>
      <button type="button" className="type-row" aria-current={selected} onClick={() => editor.reveal(id)}>
        <NodeIcon type={node.type} category={type?.category} />
        <span className="type-words">
          <span className="type-title truncate">{nodeTitle(node, type)}</span>
          <span className="type-hint truncate">
            {problems[0] ? problems[0].message : feeds ? `from ${feeds}` : (type?.title ?? node.type)}
          </span>
        </span>
        <OutlineState id={id} node={node} />
      </button>
    </li>
  );
}

function OutlineState({ id, node }: { id: string; node: SpellNode }) {
  const status = useNodeStatus(id);
  const state = useShownState(node, status, useWired(id));
  if (!state) return null;
  const { pins } = node.settings;
  return (
    <>
      {state !== "pinned" && pins && Object.keys(pins).length > 0 && (
        <Pin className="pin-mark" size={11} aria-label="has a pinned output" />
      )}
      <StateBadge
        state={state}
        duration={status?.last.duration}
        why={shortWhy(state, status?.last, status?.gone)}
        waiting={status?.last.waiting}
      />
    </>
  );
}

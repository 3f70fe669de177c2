/** A frame that is drawn as one box: its name, how much is in it and how that stands, and its wires' ends. */
import { Handle, type NodeProps, Position } from "@xyflow/react";
import { Maximize2 } from "lucide-react";
import { memo } from "react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useFold, useTogetherState } from "../hooks/useFold";
import { useTitle } from "../hooks/useTitle";
import type { FoldedPort } from "../store/folding";
import { toggleFold } from "../store/frames";
import { FOLDED_ROWS, foldedHeight, foldedRows, foldedTop } from "../store/geometry";
import { STATE_WORDS } from "../store/why";
import { FrameName } from "./FrameName";
import { FrameRun } from "./FrameRun";
import { TINTS } from "./GroupView";
import { OwnerBadge } from "./OwnerBadge";
import { RemoteSelection } from "./RemoteSelection";
import { StateBadge } from "./StateBadge";
import { VersionMark } from "./versions/VersionMark";

export const FoldedView = memo(function FoldedView({ id }: NodeProps) {
  const editor = useEditor();
  const group = useStore(editor.document.spell, (spell) => spell.groups[id]);
  const fold = useFold(id);
  const state = useTogetherState(fold.nodes);
  if (!group) return null;
  const tint = TINTS[group.color ?? "green"] ?? TINTS.green;
  const count = `${fold.nodes.length} ${fold.nodes.length === 1 ? "node" : "nodes"}`;
  const name = group.name || "Group";
  return (
    <section
      className="folded"
      style={{ "--tint": tint, height: foldedHeight(fold) } as React.CSSProperties}
      data-testid={`group-${id}`}
      data-folded="true"
      data-state={state}
      aria-label={`${name}, folded, ${count}${state ? `, ${STATE_WORDS[state]}` : ""}`}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: F2 does the same by keyboard */}
      <header className="folded-head" onDoubleClick={() => editor.renaming.set(id)}>
        <FrameName id={id} />
        {state && <StateBadge state={state} duration={undefined} testid={`group-${id}-state`} />}
        <button
          type="button"
          className="icon-button small nodrag"
          aria-label={`Open ${name}`}
          title="Open the group"
          data-testid={`unfold-${id}`}
          onDoubleClick={(event) => event.stopPropagation()}
          onClick={() => toggleFold(editor, [id])}
        >
          <Maximize2 size={12} />
        </button>
      </header>
      <div className="folded-facts">
        {count} inside <FrameRun group={id} />
        <OwnerBadge group={id} />
      </div>
      <Ends ports={fold.inputs} side="target" />
      <Ends ports={fold.outputs} side="source" />
      <RemoteSelection id={id} inside={fold.inside} />
      <VersionMark id={id} />
    </section>
  );
});

function Ends({ ports, side }: { ports: readonly FoldedPort[]; side: "source" | "target" }) {
  const more = ports.length - FOLDED_ROWS;
  return foldedRows(ports).map(([port, row], index) => (
    <div
      key={port.handle}
      className="folded-end"
      data-side={side}
      style={{ top: foldedTop(row) }}
      hidden={index > row}
    >
      <Handle
        id={port.handle}
        type={side}
        position={side === "target" ? Position.Left : Position.Right}
        isConnectable={false}
        className="port"
        data-wired="true"
      />
      {row === FOLDED_ROWS - 1 && more > 0 ? (
        <span className="truncate">{more + 1} more wires</span>
      ) : (
        <EndName port={port} />
      )}
    </div>
  ));
}

function EndName({ port }: { port: FoldedPort }) {
  const editor = useEditor();
  const title = useTitle(useStore(editor.document.spell, (spell) => spell.nodes[port.node]));
  return (
    <span className="truncate" title={`${port.port} of ${title}`}>
      {title} <span className="faint">{port.port}</span>
    </span>
  );
}

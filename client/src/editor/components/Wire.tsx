/** A wire: coloured by what it carries, flowing while it is awaited, broken where it cannot hold. */
import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo, useState } from "react";
import { transformWords } from "../../engine/transform";
import type { Spell, Transform } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useNodeStatus, useNodeType } from "../hooks/useNode";
import { useMark } from "../hooks/useVersions";
import { problemsOf } from "../store/graph";
import { portColour } from "./PortHandle";

export const Wire = memo(function Wire(props: EdgeProps) {
  const { id } = props;
  const editor = useEditor();
  // At a folded frame the drawn ends are the frame's: what the wire says is of the nodes inside.
  const edge = useStore(editor.document.spell, (spell) => spell.edges[id]);
  const [source, target] = [edge?.source ?? props.source, edge?.target ?? props.target];
  const [sourceHandleId, targetHandleId] = [
    edge?.output ?? props.sourceHandleId,
    edge?.input ?? props.targetHandleId,
  ];
  const [hovered, setHovered] = useState(false);
  const mark = useMark(id);
  const [path, labelX, labelY] = getBezierPath({ ...props, curvature: 0.3 });
  const sourceState = useNodeStatus(source)?.state;
  const mode = useStore(editor.document.spell, (spell) => modeOf(spell, source, target));
  const problem = useStore(editor.document.problems, (problems) => problemsOf(problems, id)[0]);
  const dynamic = useStore(editor.document.ports, (ports) => ports[source]);
  const node = useStore(editor.document.spell, (spell) => spell.nodes[source]);
  const type = useNodeType(node);
  const outputs = (dynamic ?? type)?.outputs;
  const port = outputs?.find((output) => output.name === sourceHandleId);
  const transform = useStore(editor.document.spell, (spell) => spell.edges[id]?.transform);
  const isFailure = port ? port.role === "error" : sourceHandleId === "error";
  const state = problem
    ? "broken"
    : sourceState === "running"
      ? "running"
      : sourceState === "skipped"
        ? "quiet"
        : undefined;
  const colour = isFailure ? "var(--failed)" : port && portColour(port);
  const style = colour ? ({ "--port": colour } as React.CSSProperties) : {};
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: hovering only shows a label that the aria-label also says
    <g
      onMouseEnter={() => setHovered(true)}
      onMouseLeave={() => setHovered(false)}
      style={style}
      data-testid={`edge-${id}`}
    >
      <BaseEdge
        path={path}
        className="wire"
        data-state={state}
        data-mode={mode}
        data-mark={mark}
        interactionWidth={18}
      />
      {transform && (
        <EdgeLabelRenderer>
          <button
            type="button"
            className="wire-badge nopan"
            style={{ transform: `translate(-50%, -50%) translate(${labelX}px, ${labelY}px)` }}
            title={transform.map(transformWords).join(", then ")}
            aria-label={`Transforms of the wire: ${transform.map(transformWords).join(", then ")}`}
            data-testid={`badge-${id}`}
            onClick={() => editor.select([id])}
          >
            {briefly(transform)}
          </button>
        </EdgeLabelRenderer>
      )}
      {(hovered || props.selected) && (
        <EdgeLabelRenderer>
          <div
            className={`wire-label ${problem ? "broken" : ""}`}
            style={{
              transform: `translate(-50%, ${transform ? "14px" : "-50%"}) translate(${labelX}px, ${labelY}px)`,
            }}
          >
            {problem ? problem.message : wireWords(sourceHandleId, transform, targetHandleId)}
          </div>
        </EdgeLabelRenderer>
      )}
    </g>
  );
});

/** How the nodes at its ends say that a wire is to be drawn: nothing leaves a muted one, a bypassed one is passed. */
function modeOf({ nodes }: Spell, source: string, target: string): "mute" | "bypass" | undefined {
  const [from, to] = [nodes[source]?.settings.mode, nodes[target]?.settings.mode];
  if (from === "mute") return "mute";
  return from === "bypass" || to === "bypass" ? "bypass" : undefined;
}

/** The first transform, and how many follow it. */
function briefly([first, ...more]: readonly Transform[]): string {
  const words = first ? transformWords(first) : "";
  const short = words.length > 24 ? `${words.slice(0, 23)}…` : words;
  return more.length === 0 ? short : `${short} +${more.length}`;
}

function wireWords(
  output: string | null | undefined,
  transform: readonly Transform[] | undefined,
  input: string | null | undefined,
): string {
  return [output, ...(transform ?? []).map(transformWords), input].join(" → ");
}

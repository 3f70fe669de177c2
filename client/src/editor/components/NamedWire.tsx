/** A dependency that is not drawn: code reads the name. It is shown dashed, and is neither selected nor removed. */
import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo, useState } from "react";
import { useNodeStatus } from "../hooks/useNode";

export const NamedWire = memo(function NamedWire(props: EdgeProps) {
  const [hovered, setHovered] = useState(false);
  const [path, labelX, labelY] = getBezierPath({ ...props, curvature: 0.3 });
  const running = useNodeStatus(props.source)?.state === "running";
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: hovering only shows a label that the aria-label also says
    <g
      onMouseEnter={() => setHovered(true)}
      onMouseLeave={() => setHovered(false)}
      data-testid={`edge-${props.id}`}
    >
      <BaseEdge
        path={path}
        className="wire named"
        data-state={running ? "running" : undefined}
        interactionWidth={14}
      />
      {hovered && (
        <EdgeLabelRenderer>
          <div
            className="wire-label"
            style={{ transform: `translate(-50%, -50%) translate(${labelX}px, ${labelY}px)` }}
          >
            read by name: {props.targetHandleId}
          </div>
        </EdgeLabelRenderer>
      )}
    </g>
  );
});

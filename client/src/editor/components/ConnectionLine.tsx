/** The wire while it is drawn: in the colour of its port, and with the reason where it is refused. */
import { type ConnectionLineComponentProps, getBezierPath } from "@xyflow/react";
import { createPortal } from "react-dom";
import { transformWords } from "../../engine/transform";
import { useStore } from "../../store";
import { whyNotConnection } from "../hooks/useConnect";
import { useEditor } from "../hooks/useEditor";
import { portKind } from "../store/schema";

export function ConnectionLine(props: ConnectionLineComponentProps) {
  const { fromX, fromY, toX, toY, fromPosition, toPosition, fromNode, fromHandle, toNode, toHandle } = props;
  const editor = useEditor();
  const end = useStore(editor.connecting);
  const [path] = getBezierPath({
    sourceX: fromX,
    sourceY: fromY,
    targetX: toX,
    targetY: toY,
    sourcePosition: fromPosition,
    targetPosition: toPosition,
    curvature: 0.3,
  });
  const own = toNode?.id === fromNode.id && toHandle?.id === fromHandle.id;
  const why =
    toNode && toHandle && !own
      ? whyNotConnection(
          editor,
          fromHandle.type === "source"
            ? {
                source: fromNode.id,
                sourceHandle: fromHandle.id ?? null,
                target: toNode.id,
                targetHandle: toHandle.id ?? null,
              }
            : {
                source: toNode.id,
                sourceHandle: toHandle.id ?? null,
                target: fromNode.id,
                targetHandle: fromHandle.id ?? null,
              },
        )
      : null;
  const sameSide = toHandle && !own && toHandle.type === fromHandle.type;
  const reason = sameSide
    ? `Two ${toHandle.type === "source" ? "outputs" : "inputs"} cannot be joined`
    : (why?.reason ?? null);
  const offer = sameSide ? undefined : why?.suggest?.map(transformWords).join(", then ");
  const kind = end ? portKind(end.schema) : "any";
  return (
    <g
      style={
        {
          "--port": `var(--type-${kind === "plot" ? "image" : kind === "nothing" ? "any" : kind})`,
        } as React.CSSProperties
      }
    >
      <path className="connection-path" d={path} data-fit={reason ? "no" : undefined} />
      <circle cx={toX} cy={toY} r={3.5} fill="var(--port)" />
      {reason && <Reason text={reason} offer={offer} x={toX} y={toY} />}
    </g>
  );
}

/** The reason, beside the pointer and at the page's own size whatever the zoom. */
interface ReasonProps {
  readonly text: string;
  /** Transforms with which it would fit. */
  readonly offer: string | undefined;
  readonly x: number;
  readonly y: number;
}

function Reason({ text, offer, x, y }: ReasonProps) {
  const viewport = document.querySelector(".react-flow__viewport")?.getBoundingClientRect();
  const matrix = new DOMMatrixReadOnly(
    getComputedStyle(document.querySelector(".react-flow__viewport") ?? document.body).transform,
  );
  if (!viewport) return null;
  const pane = document.querySelector(".react-flow")?.getBoundingClientRect();
  const left = (pane?.left ?? 0) + matrix.e + x * matrix.a;
  const top = (pane?.top ?? 0) + matrix.f + y * matrix.d;
  return createPortal(
    <div className="connection-hint" role="alert" style={{ left, top }}>
      {text}
      {offer && <small>It would fit with: {offer}. Drop it here to be asked.</small>}
    </div>,
    document.body,
  );
}

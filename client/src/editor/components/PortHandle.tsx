/** The end of wires on a node: coloured by type, and telling whether the wire being drawn fits. */
import { Handle, Position } from "@xyflow/react";
import { memo } from "react";
import type { Port } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import type { WireEnd } from "../store/editor";
import { whyNoFit } from "../store/graph";
import { schemaOf } from "../store/library";
import { portKind, schemaWords } from "../store/schema";

/** The CSS variable that colours a kind of port. */
export function portColour(port: Port): string {
  const kind = portKind(schemaOf(port));
  const names = { plot: "image", nothing: "any" } as const;
  return `var(--type-${kind in names ? names[kind as keyof typeof names] : kind})`;
}

interface PortHandleProps {
  readonly node: string;
  readonly port: Port;
  readonly side: "source" | "target";
  readonly wired: boolean;
  readonly broken: boolean;
  /** From the left of the node's bottom edge, in pixels; on the node's side when left out. */
  readonly atBottom?: number;
}

/** Whether the wire being drawn fits here: as it is, or (`change`) with a transform. */
function fitOf(
  end: WireEnd | null,
  node: string,
  port: Port,
  side: "source" | "target",
): "yes" | "change" | "no" | undefined {
  if (!end) return undefined;
  if (end.node === node && end.port === port.name && end.from === side) return undefined;
  if (end.node === node || end.from === side) return "no";
  const other: Port = {
    name: end.port,
    schema: end.schema as Port["schema"],
    many: end.many,
    trigger: end.trigger ?? false,
  };
  const why = whyNoFit(side === "target" ? { output: other, input: port } : { output: port, input: other });
  if (!why) return "yes";
  return why.suggest ? "change" : "no";
}

export const PortHandle = memo(function PortHandle(props: PortHandleProps) {
  const { node, port, side, wired, broken, atBottom } = props;
  const fits = useStore(useEditor().connecting, (end) => fitOf(end, node, port, side));
  const words = schemaWords(schemaOf(port));
  const label = broken
    ? `${port.name}: this port does not exist`
    : `${side === "target" ? "Input" : "Output"} ${port.name}: ${words}${port.required ? ", required" : ""}${port.trigger ? ", a trigger: it only says when" : ""}`;
  const position =
    atBottom !== undefined ? Position.Bottom : side === "target" ? Position.Left : Position.Right;
  const colour = broken || port.role === "error" ? "var(--failed)" : portColour(port);
  return (
    <Handle
      id={port.name}
      type={side}
      position={position}
      style={
        { "--port": colour, ...(atBottom === undefined ? {} : { left: atBottom }) } as React.CSSProperties
      }
      data-trigger={port.trigger ?? false}
      data-wired={wired}
      data-many={port.many ?? false}
      data-broken={broken}
      data-fit={fits}
      data-testid={`port-${node}-${side === "target" ? "in" : "out"}-${port.name}`}
      aria-label={label}
      title={port.description ? `${label}\n${port.description}` : label}
    />
  );
});

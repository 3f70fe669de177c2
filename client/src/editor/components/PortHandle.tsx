/** The end of wires on a node: coloured by type, and telling whether the wire being drawn fits. */
import { Handle, Position } from "@xyflow/react";
import { memo } from "react";
import type { Port } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import type { WireEnd } from "../store/editor";
import { schemaOf } from "../store/library";
import { portKind, schemaWords, whyIncompatible } from "../store/schema";

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
}

function fitOf(
  end: WireEnd | null,
  node: string,
  port: Port,
  side: "source" | "target",
): "yes" | "no" | undefined {
  if (!end) return undefined;
  if (end.node === node && end.port === port.name && end.from === side) return undefined;
  if (end.node === node || end.from === side) return "no";
  const schema = schemaOf(port);
  const why =
    side === "target"
      ? whyIncompatible(end.schema, schema, port.many)
      : whyIncompatible(schema, end.schema, end.many);
  return why ? "no" : "yes";
}

export const PortHandle = memo(function PortHandle({ node, port, side, wired, broken }: PortHandleProps) {
  const fits = useStore(useEditor().connecting, (end) => fitOf(end, node, port, side));
  const words = schemaWords(schemaOf(port));
  const label = broken
    ? `${port.name}: this port does not exist`
    : `${side === "target" ? "Input" : "Output"} ${port.name}: ${words}${port.required ? ", required" : ""}`;
  return (
    <Handle
      id={port.name}
      type={side}
      position={side === "target" ? Position.Left : Position.Right}
      style={{ "--port": broken ? "var(--failed)" : portColour(port) } as React.CSSProperties}
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

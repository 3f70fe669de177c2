/** The outputs that every node has, at its lower edge: seen where they are wired, and while the node is looked at. */
import { reservedPlaces } from "../store/geometry";
import type { ShownPorts, Wired } from "../store/graph";
import { PortHandle } from "./PortHandle";

interface ReservedPortsProps {
  readonly id: string;
  readonly ports: ShownPorts;
  readonly wired: Wired;
  readonly far: boolean;
}

export function ReservedPorts({ id, ports, wired, far }: ReservedPortsProps) {
  return (
    <div className="reserved-ports">
      {reservedPlaces(ports).map(([port, left]) => {
        const isWired = wired.outputs.includes(port.name);
        return (
          <span key={port.name} className="reserved-port" data-wired={isWired} data-role={port.role}>
            <PortHandle node={id} port={port} side="source" wired={isWired} broken={false} atBottom={left} />
            {!far && (
              <span className="reserved-name" style={{ left: left + 9 }} aria-hidden="true">
                {port.name}
              </span>
            )}
          </span>
        );
      })}
    </div>
  );
}

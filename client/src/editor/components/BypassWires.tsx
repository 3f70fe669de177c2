/** How what comes in leaves a bypassed node: dashed through it, from input to output. */
import type { SpellNode } from "../../protocol";
import { handlePlaces, NODE_WIDTH } from "../store/geometry";
import type { ShownPorts, Wired } from "../store/graph";
import { passages } from "../store/passages";

interface BypassWiresProps {
  readonly node: SpellNode;
  readonly ports: ShownPorts;
  readonly wired: Wired;
}

export function BypassWires({ node, ports, wired }: BypassWiresProps) {
  const places = handlePlaces(node, ports);
  const at = (type: "source" | "target", name: string) => {
    const place = places.find((each) => each.type === type && each.id === name);
    return place ? place.y + (place.height ?? 0) / 2 : 0;
  };
  const width = node.size?.[0] ?? NODE_WIDTH;
  return (
    <svg className="bypass-wires" aria-hidden="true" data-testid="bypass-wires">
      {passages(node, ports, wired).map(([output, input]) => {
        const [from, to] = [at("target", input), at("source", output)];
        return (
          <path key={output} d={`M 0 ${from} C ${width / 2} ${from}, ${width / 2} ${to}, ${width} ${to}`} />
        );
      })}
    </svg>
  );
}

/** By which output of a bypassed node each input leaves it. */
import type { Port, SpellNode } from "../../protocol";
import type { ShownPorts, Wired } from "./graph";
import { schemaOf } from "./library";
import { whyIncompatible } from "./schema";

/** Outputs that the engine adds to every node; nothing passes to them. */
export const RESERVED_OUTPUTS: ReadonlySet<string> = new Set(["error", "all"]);

/**
 * Pair each output with the first input whose type fits: of those with a wire, else of those with a value. The
 * engine does the same (`standing.py`).
 */
export function passages(
  node: SpellNode,
  ports: ShownPorts,
  wired: Wired,
): readonly (readonly [output: string, input: string])[] {
  const isWired = (port: Port) => wired.inputs.includes(port.name);
  const candidates = [
    ...ports.inputs.filter(isWired),
    ...ports.inputs.filter((port) => !isWired(port) && port.name in node.inputs),
  ].filter((port) => !port.trigger);
  return ports.outputs.flatMap((output) => {
    if (RESERVED_OUTPUTS.has(output.name)) return [];
    const input = candidates.find((port) => whyIncompatible(schemaOf(port), schemaOf(output)) === null);
    return input ? [[output.name, input.name] as const] : [];
  });
}

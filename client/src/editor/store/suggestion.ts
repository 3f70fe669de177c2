/**
 * Which wires are worth drawing: by name first, then by type, then by looking back over earlier nodes.
 *
 * The engine proposes the same (`suggestion.py`); `tests/cases/suggestions.json` holds for both.
 */
import type { Port } from "../../protocol";
import { schemaOf, whyInto } from "./library";
import { type JsonSchema, resolveSchema, wantedOf } from "./schema";

/** An output and the input it goes to. */
export type Pairing = readonly [output: string, input: string];

/** A node that may feed another, with its own outputs. */
export interface Earlier {
  readonly id: string;
  readonly outputs: readonly Port[];
}

/** Pairs worth wiring, in the order of the inputs; `taken` names the inputs that are fed already. */
export function suggestWires(
  outputs: readonly Port[],
  inputs: readonly Port[],
  taken: ReadonlySet<string> = new Set(),
): Pairing[] {
  const free = freeOf(inputs, taken);
  const own = ownOf(outputs);
  const pairs = new Map<string, string>();
  for (const port of free) {
    const output = own.find((each) => each.name === port.name);
    if (output && !whyInto(schemaOf(output), port)) pairs.set(port.name, output.name);
  }
  const byNeed = [...free.filter((port) => port.required), ...free.filter((port) => !port.required)];
  for (const takes of [surelyTakes, mayTake]) {
    for (const output of own) {
      if ([...pairs.values()].includes(output.name)) continue;
      const port = byNeed.find((each) => !pairs.has(each.name) && takes(output, each));
      if (port) pairs.set(port.name, output.name);
    }
  }
  return free.flatMap((port): Pairing[] => {
    const output = pairs.get(port.name);
    return output === undefined ? [] : [[output, port.name]];
  });
}

/** Wires worth drawing from earlier nodes, the nearest first, in the order of the inputs. */
export function suggestBack(
  earlier: readonly Earlier[],
  inputs: readonly Port[],
  taken: ReadonlySet<string> = new Set(),
): (readonly [node: string, output: string, input: string])[] {
  const free = freeOf(inputs, taken);
  const offers = earlier.flatMap(({ id, outputs }) => ownOf(outputs).map((output) => ({ id, output })));
  const found = new Map<string, { readonly id: string; readonly output: Port }>();
  for (const port of free) {
    const named = offers.find(({ output }) => output.name === port.name && !whyInto(schemaOf(output), port));
    if (named) found.set(port.name, named);
  }
  for (const takes of [surelyTakes, mayTake]) {
    for (const port of free) {
      if (!port.required || found.has(port.name)) continue;
      const used = new Set(found.values());
      const near = offers.find((offer) => !used.has(offer) && takes(offer.output, port));
      if (near) found.set(port.name, near);
    }
  }
  return free.flatMap((port) => {
    const offer = found.get(port.name);
    return offer ? [[offer.id, offer.output.name, port.name] as const] : [];
  });
}

function freeOf(inputs: readonly Port[], taken: ReadonlySet<string>): Port[] {
  return inputs.filter((port) => !port.trigger && (port.many || !taken.has(port.name)));
}

/** Outputs but those that every node has. */
function ownOf(outputs: readonly Port[]): Port[] {
  return outputs.filter((port) => !port.role);
}

function mayTake(output: Port, port: Port): boolean {
  return whyInto(schemaOf(output), port) === null;
}

function surelyTakes(output: Port, port: Port): boolean {
  const wanted = bare(wantedOf(schemaOf(port), port.many, port.trigger));
  return Object.keys(wanted).length > 0 && proves(schemaOf(output), wanted);
}

const NOTES = new Set([
  ...["title", "description", "default", "examples", "format", "$comment", "deprecated"],
]);

function bare(schema: JsonSchema): JsonSchema {
  const kept = Object.entries(schema).filter(
    ([key, value]) => !NOTES.has(key) && !(key === "$defs" && Object.keys(value as object).length === 0),
  );
  return Object.fromEntries(kept);
}

/** Whether everything that a schema describes fits what is wanted. */
function proves(source: JsonSchema, wanted: JsonSchema): boolean {
  const given = bare(source);
  if (sameJson(given, wanted)) return true;
  const only = Object.keys(wanted).length === 1 ? resolveSchema(wanted).type : undefined;
  if (only === "number") return given.type === "integer" || given.type === "number";
  return only !== undefined && only !== "array" && given.type === only;
}

function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(left);
  return (
    Array.isArray(a) === Array.isArray(b) &&
    names.length === Object.keys(right).length &&
    names.every((name) => sameJson(left[name], right[name]))
  );
}

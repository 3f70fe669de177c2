/** What a wire carried in the last run, before and after each of its transforms. */
import { reshape, reshapeNothing, TransformError } from "../../engine/transform";
import { isRef, type Json, type PortValue, type Transform } from "../../protocol";

/** A value on its way; `why` says what a transform could not take. `nothing`: there is none yet; `unreached`: an earlier one failed. */
export type WireValue =
  | { readonly state: "nothing" }
  | { readonly state: "value"; readonly value: Json }
  | { readonly state: "failed"; readonly why: string }
  | { readonly state: "unreached" };

/** The value that leaves an output, and what each transform makes of it: one more than there are transforms. */
export function wireValues(given: PortValue | undefined, transforms: readonly Transform[]): WireValue[] {
  const first: WireValue =
    given === undefined
      ? { state: "nothing" }
      : { state: "value", value: isRef(given) ? given.preview : given };
  const values: WireValue[] = [first];
  for (const transform of transforms) values.push(after(values.at(-1) ?? first, transform));
  return values;
}

function after(before: WireValue, transform: Transform): WireValue {
  if (before.state !== "value" && before.state !== "nothing") return { state: "unreached" };
  try {
    const value = before.state === "value" ? reshape(before.value, [transform]) : reshapeNothing([transform]);
    return value === undefined ? { state: "nothing" } : { state: "value", value };
  } catch (error) {
    if (!(error instanceof TransformError)) throw error;
    return { state: "failed", why: error.reason };
  }
}

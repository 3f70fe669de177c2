/** Triggers: what starts runs of a canvas by itself, without React. */
export { type Faults, TriggerDesk } from "./trigger_desk";
export {
  fieldsOf,
  type InputDraft,
  OFFERED,
  type TriggerDraft,
  timedOf,
  triggerDraft,
  whyNotTrigger,
} from "./trigger_draft";
export type * from "./types";
export {
  cronWords,
  curlOf,
  distanceWords,
  everyWords,
  inUnits,
  KINDS,
  OUTCOMES,
  timeWords,
  UNITS,
  whenWords,
} from "./words";

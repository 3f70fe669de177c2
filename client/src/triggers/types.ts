/** Triggers as the page has them. */
import type { FiringView, TriggerView } from "../protocol/generated";

export type Trigger = TriggerView;
export type Firing = FiringView;
export type TriggerKind = Trigger["kind"];
export type TriggerSettings = Trigger["settings"];
export type Missed = Trigger["missed"];

/** The secret of a webhook, for the one time that it is shown. */
export interface FreshSecret {
  readonly trigger: Trigger;
  readonly secret: string;
}

/** Workers, their packages, packs, grants and secrets, without React. */
export { type Access, AccessDesk, type Grant, type Secret } from "./access_desk";
export { ExternalDesk, type ExternalWorker } from "./external_desk";
export { faultsOf } from "./faults";
export { hostMeaning, whyNotHost } from "./hosts";
export { type InstalledPack, PackShelf } from "./pack_shelf";
export { points } from "./points";
export {
  isRequirementText,
  knownAs,
  type Requirement,
  type Requirements,
  readRequirement,
  readRequirements,
  tidySpecifier,
  whyNotName,
  whyNotSpecifier,
  writeRequirements,
} from "./requirements";
export type * from "./types";
export {
  ALIVE,
  EXTERNAL_STATES,
  isolationWords,
  layerWords,
  UNDER_WAY,
  WORKER_KINDS,
  WORKER_STATES,
} from "./words";
export { type WorkerDeed, WorkerDesk } from "./worker_desk";
export {
  type Bound,
  type DraftFaults,
  draftOf,
  LIMITS,
  rangeWords,
  type WorkerBounds,
  type WorkerDraft,
  whyNotDraft,
} from "./worker_draft";
export { WorkerSettings } from "./worker_settings";

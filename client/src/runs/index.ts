/** Past runs, queues and usage, as panels show them; knows nothing of React. */
export { type Comparing, Comparison, MARK_WORDS, type Mark, reasons } from "./comparison";
export { progressOf, progressWords, shareOf } from "./progress";
export { type Queue, QueueDesk, type QueueLimits } from "./queue_desk";
export { type Dock, type Fork, RunDesk } from "./run_desk";
export { isFiltered, type RunFilter, RunList, type RunRow } from "./run_list";
export {
  factsOf,
  inWords,
  lastedWords,
  STATUS_WORDS,
  STATUSES,
  statusWords,
  wentWrong,
  whyWaits,
} from "./run_words";
export { finishedUpTo, type Moment, Moments, Stepper } from "./stepper";
export {
  ownerOf,
  placeOf,
  type Range,
  rangeOf,
  type ShownRow,
  shownRows,
  sums,
  TimelineView,
} from "./timeline_view";

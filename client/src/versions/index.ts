/** The versions of a canvas, without React. */
export { byDay, clock, type Day, moment } from "./days";
export { byWhat, markWords } from "./marks";
export { describeChanges } from "./summary";
export { type Restored, Timeline } from "./timeline";
export type * from "./types";

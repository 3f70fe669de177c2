/** The wire: its types, and how its values are told apart. */
export { SETTING_BOUNDS } from "./generated";
export type { Announced, Announcement, Answer, Asked, Operation } from "./operations";
export * from "./types";
export { isHandle, isRef, preview, toBytes } from "./values";

/** Runs, their replay, and plugins. */
export type * from "./types";

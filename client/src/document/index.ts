/** The shared canvas. */
export type * from "./types";

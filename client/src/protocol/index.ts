/** The wire: its types, and how its values are told apart. */
export * from "./types";
export { isRef, preview, toBytes } from "./values";

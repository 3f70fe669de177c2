/** Values that change over time, and the hook that reads them. */
export { type Readable, Store } from "./store";
export { useStore } from "./use_store";

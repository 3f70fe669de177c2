/** Reads a store in a React component. */
import { useCallback, useRef, useSyncExternalStore } from "react";
import type { Readable } from "./store";

/** Return the store's value and render again when it changes. */
export function useStore<T>(store: Readable<T>): T;
/** Return `select(value)` and render again only when that changes (by `equal`, else by identity). */
export function useStore<T, S>(
  store: Readable<T>,
  select: (value: T) => S,
  equal?: (a: S, b: S) => boolean,
): S;
export function useStore<T, S>(
  store: Readable<T>,
  select?: (value: T) => S,
  equal: (a: S, b: S) => boolean = Object.is,
): T | S {
  const last = useRef<{ selected: T | S } | null>(null);
  const read = useCallback(() => {
    const value = store.get();
    if (!select) return value;
    const selected = select(value);
    const before = last.current;
    if (before && equal(before.selected as S, selected)) return before.selected;
    last.current = { selected };
    return selected;
  }, [store, select, equal]);
  return useSyncExternalStore(store.subscribe, read, read);
}

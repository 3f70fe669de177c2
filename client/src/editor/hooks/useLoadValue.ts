/** Fetches large values by the page. */
import { createContext, useCallback, useContext, useRef, useState } from "react";
import { type Paged, withPage } from "../store/paged_value";

/** One page of a large value. */
export interface ValuePage {
  readonly kind: "list" | "text" | "object" | "value";
  readonly value: unknown;
  /** How many items, characters (code points) or fields there are in all, where known. */
  readonly total: number | null;
  readonly more: boolean;
}

/** Read a page of what lies at `path` (a JSON Pointer, `""` is the whole) in the value of a hash. */
export type LoadValue = (hash: string, offset: number, path: string) => Promise<ValuePage>;

/** How pages are fetched; set once by the editor. */
export const LoadValueContext = createContext<LoadValue>(() =>
  Promise.reject(new Error("values can be loaded only on an open canvas")),
);

export function useLoadValue(): LoadValue {
  return useContext(LoadValueContext);
}

export interface PagedLoading {
  /** What is here so far; null before the first page. */
  readonly paged: Paged | null;
  readonly busy: boolean;
  readonly failure: string | null;
  /** Fetch the next page; does nothing while one is on its way or when all is here. */
  readonly more: () => void;
}

/** Reads one value by the page, each page behind those before. */
export function usePaged(hash: string, path: string): PagedLoading {
  const load = useLoadValue();
  const [paged, setPaged] = useState<Paged | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const latest = useRef<{ paged: Paged | null; busy: boolean }>({ paged: null, busy: false });
  const more = useCallback(() => {
    const at = latest.current;
    if (at.busy || at.paged?.more === false) return;
    at.busy = true;
    setBusy(true);
    load(hash, at.paged?.loaded ?? 0, path)
      .then(
        (page) => {
          at.paged = withPage(at.paged, page);
          setPaged(at.paged);
          setFailure(null);
        },
        (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => {
        at.busy = false;
        setBusy(false);
      });
  }, [load, hash, path]);
  return { paged, busy, failure, more };
}

/** Fetches large values by the page. */
import { createContext, useCallback, useContext, useEffect, useRef, useState } from "react";
import { ServerError } from "../../api";
import { type Paged, withPage } from "../store/paged_value";

/** One page of a large value. */
export interface ValuePage {
  readonly kind: "list" | "text" | "object" | "value";
  readonly value: unknown;
  /** How many items, characters (code points) or fields there are in all, where known. */
  readonly total: number | null;
  readonly more: boolean;
}

/** In what order the rows of a list are read, and which of them. */
export interface Order {
  readonly sort?: string;
  readonly descending?: boolean;
  readonly filter?: string;
}

/** Read a page of what lies at `path` (a JSON Pointer, `""` is the whole) in the value of a hash. */
export type LoadValue = (hash: string, offset: number, path: string, order?: Order) => Promise<ValuePage>;

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
  /** The server's code of the failure, where it has one. */
  readonly code: string | null;
  /** Fetch the next page; does nothing while one is on its way or when all is here. */
  readonly more: () => void;
}

/**
 * Reads one value by the page, each page behind those before. In another `order` it begins anew, by itself; what was
 * there stays until the first page has come, and a page of an order that is no longer asked for is dropped.
 */
export function usePaged(hash: string, path: string, order?: Order): PagedLoading {
  const load = useLoadValue();
  const [paged, setPaged] = useState<Paged | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ message: string; code: string | null } | null>(null);
  const reading = useRef<Reading>({ order, paged: null, busy: false });
  const more = useCallback(() => {
    const now = reading.current;
    if (now.busy || now.paged?.more === false) return;
    now.busy = true;
    setBusy(true);
    const args = [hash, now.paged?.loaded ?? 0, path] as const;
    const page = now.order ? load(...args, now.order) : load(...args);
    page
      .then(
        (page) => {
          now.paged = withPage(now.paged, page);
          if (reading.current !== now) return;
          setPaged(now.paged);
          setFailure(null);
        },
        (error: unknown) => {
          if (reading.current === now)
            setFailure({
              message: error instanceof Error ? error.message : String(error),
              code: error instanceof ServerError ? error.code : null,
            });
        },
      )
      .finally(() => {
        now.busy = false;
        if (reading.current === now) setBusy(false);
      });
  }, [load, hash, path]);
  useEffect(() => {
    if (reading.current.order === order) return;
    reading.current = { order, paged: null, busy: false };
    more();
  }, [order, more]);
  return { paged, busy, failure: failure?.message ?? null, code: failure?.code ?? null, more };
}

/** One way through a value. */
interface Reading {
  readonly order: Order | undefined;
  paged: Paged | null;
  busy: boolean;
}

/** A list of records as a table: only the rows in view are drawn, so that ten thousand cost as little as ten. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Order } from "../../hooks/useLoadValue";
import { nextSorting, rowsShown, type Sorting } from "../../store/table_view";

const ROW = 24;
const COLUMNS_READ = 200;
/** Rows from which on a filter is offered. */
const WORTH_A_FILTER = 20;

interface TablePreviewProps {
  readonly rows: readonly Record<string, unknown>[];
  readonly place: "node" | "panel";
  readonly label: string;
  /** How many rows there are in all, where `rows` is only their head. */
  readonly total?: number;
  /** Whether there are more rows, nobody yet knows how many. */
  readonly head?: boolean;
  /** Fetch further rows: called when the last of those that are here come into view. */
  readonly onMore?: (() => void) | undefined;
  /** Told of another order or filter, where somebody else orders the rows; undefined for as they came. */
  readonly onOrder?: ((order: Order | undefined) => void) | undefined;
  /** Keep the last row in view as rows come. */
  readonly end?: boolean;
  /** Leave out the line that counts rows. */
  readonly bare?: boolean;
  /** The columns with the types that their author gave them, where these are known. */
  readonly typed?: readonly { readonly name: string; readonly type: string }[] | undefined;
}

/** The columns in order of first appearance, and which of them hold numbers. */
export function columnsOf(rows: readonly Record<string, unknown>[]): { name: string; numeric: boolean }[] {
  const seen = new Map<string, boolean>();
  for (const row of rows.slice(0, COLUMNS_READ)) {
    for (const [name, cell] of Object.entries(row)) {
      const numeric = cell === null || typeof cell === "number";
      seen.set(name, (seen.get(name) ?? true) && numeric);
    }
  }
  return [...seen].map(([name, numeric]) => ({ name, numeric }));
}

interface Column {
  readonly name: string;
  readonly numeric: boolean;
  readonly type?: string;
}

const NUMBERS = /^u?int|^float|^decimal|^double/i;

/** The columns as their types tell them, else as the rows do; undefined where neither says anything. */
function columnsToShow(
  rows: readonly Record<string, unknown>[],
  typed: TablePreviewProps["typed"],
): readonly Column[] | undefined {
  if (typed) return typed.map(({ name, type }) => ({ name, type, numeric: NUMBERS.test(type) }));
  return rows.length > 0 ? columnsOf(rows) : undefined;
}

export function TablePreview(props: TablePreviewProps) {
  const {
    rows,
    place,
    label,
    total,
    head = false,
    onMore,
    onOrder,
    end = false,
    bare = false,
    typed,
  } = props;
  const box = useRef<HTMLDivElement>(null);
  const [sorting, setSorting] = useState<Sorting>(null);
  const [filter, setFilter] = useState("");
  const known = useRef<readonly Column[]>([]);
  // A filter that nothing passes leaves the columns where they were.
  known.current = useMemo(() => columnsToShow(rows, typed) ?? known.current, [rows, typed]);
  const columns = known.current;
  const own = onOrder === undefined;
  const order = useMemo(
    () => rowsShown(rows, own ? sorting : null, own ? filter : ""),
    [rows, sorting, filter, own],
  );
  useOrderTold(sorting, filter, onOrder);
  const virtual = useVirtualizer({
    count: order.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 8,
    initialRect: { width: 260, height: 168 },
  });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const count = total ?? rows.length;
  // More is fetched by scrolling only where the order is that of the whole.
  const atEnd =
    onMore !== undefined && !sorting && filter === "" && (items.at(-1)?.index ?? 0) >= order.length - 1;
  const scrolled = (box.current?.scrollTop ?? 0) > 0;
  useEffect(() => {
    if (atEnd && scrolled) onMore?.();
  }, [atEnd, scrolled, onMore]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows that come are what moves the end
  useLayoutEffect(() => {
    if (end && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [rows, end]);
  const partly = own && (rows.length < count || head);
  return (
    <div className="preview-table">
      {place === "panel" && !bare && (rows.length >= WORTH_A_FILTER || filter !== "") && (
        <input
          className="table-filter"
          type="search"
          placeholder={partly ? "Filter the rows that are here" : "Filter rows"}
          aria-label={`Filter ${label}`}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      )}
      <div className="scroll nowheel table-box" ref={box} data-place={place}>
        <table aria-label={label} aria-rowcount={count}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  key={column.name}
                  scope="col"
                  className={column.numeric ? "numeric" : ""}
                  aria-sort={sorted(sorting, column.name)}
                >
                  <button
                    type="button"
                    className="column nodrag"
                    title={`${column.name}: sort`}
                    onClick={() => setSorting((before) => nextSorting(before, column.name))}
                  >
                    {column.name}
                    {column.type && <span className="column-type">{column.type}</span>}
                    {sorting?.column === column.name &&
                      (sorting.down ? <ArrowDown size={10} /> : <ArrowUp size={10} />)}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {above > 0 && <tr style={{ height: above }} />}
            {items.map((item) => (
              <tr key={item.index} style={{ height: ROW }}>
                {columns.map((column) => (
                  <td key={column.name} className={column.numeric ? "numeric" : ""}>
                    {cellText(rows[order[item.index] ?? -1]?.[column.name])}
                  </td>
                ))}
              </tr>
            ))}
            {below > 0 && <tr style={{ height: below }} />}
          </tbody>
        </table>
      </div>
      {!bare && (
        <div className="table-foot">
          {own && filter !== "" && `${order.length.toLocaleString()} found in `}
          {head && "First "}
          {rows.length < count
            ? `${rows.length.toLocaleString()} of ${count.toLocaleString()}`
            : count.toLocaleString()}{" "}
          {count === 1 ? "row" : "rows"} × {columns.length}
          {!own && filter !== "" && " found"}
          {sorting && partly && ", sorted among those that are here"}
        </div>
      )}
    </div>
  );
}

/** Milliseconds without typing after which a filter is asked for. */
const PAUSE = 250;

/** Tell who orders the rows what is wanted, once a person pauses. */
function useOrderTold(sorting: Sorting, filter: string, onOrder: TablePreviewProps["onOrder"]): void {
  const told = useRef("");
  useEffect(() => {
    const words = filter.trim();
    const order: Order = {
      ...(sorting ? { sort: sorting.column, descending: sorting.down } : {}),
      ...(words ? { filter: words } : {}),
    };
    const key = JSON.stringify(order);
    if (!onOrder || key === (told.current || "{}")) return;
    const timer = setTimeout(() => {
      told.current = key;
      onOrder(key === "{}" ? undefined : order);
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [sorting, filter, onOrder]);
}

function sorted(sorting: Sorting, column: string): "ascending" | "descending" | undefined {
  if (sorting?.column !== column) return undefined;
  return sorting.down ? "descending" : "ascending";
}

function cellText(cell: unknown): React.ReactNode {
  if (cell === null || cell === undefined) return <span className="is-null">–</span>;
  if (typeof cell === "number" && !Number.isInteger(cell)) return Number(cell.toPrecision(6)).toString();
  return String(cell);
}

/** A list of records as a table: only the rows in view are drawn, so that ten thousand cost as little as ten. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";

const ROW = 24;
const COLUMNS_READ = 200;

interface TablePreviewProps {
  readonly rows: readonly Record<string, unknown>[];
  readonly place: "node" | "panel";
  readonly label: string;
  /** How many rows there are in all, where `rows` is only their head. */
  readonly total?: number;
  /** Whether there are more rows, nobody yet knows how many. */
  readonly head?: boolean;
  readonly onMore?: (() => void) | undefined;
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

export function TablePreview({ rows, place, label, total, head = false, onMore }: TablePreviewProps) {
  const box = useRef<HTMLDivElement>(null);
  const columns = useMemo(() => columnsOf(rows), [rows]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 8,
    initialRect: { width: 260, height: 168 },
  });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const count = total ?? rows.length;
  return (
    <div className="preview-table">
      <div className="scroll nowheel table-box" ref={box} data-place={place}>
        <table aria-label={label} aria-rowcount={count}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.name} scope="col" className={column.numeric ? "numeric" : ""}>
                  {column.name}
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
                    {cellText(rows[item.index]?.[column.name])}
                  </td>
                ))}
              </tr>
            ))}
            {below > 0 && <tr style={{ height: below }} />}
          </tbody>
        </table>
      </div>
      <div className="table-foot">
        {head && "First "}
        {rows.length < count
          ? `${rows.length.toLocaleString()} of ${count.toLocaleString()}`
          : count.toLocaleString()}{" "}
        {count === 1 ? "row" : "rows"} × {columns.length}
        {onMore && rows.length < count && (
          <button type="button" className="link-button nodrag" onClick={onMore}>
            Load more
          </button>
        )}
      </div>
    </div>
  );
}

function cellText(cell: unknown): React.ReactNode {
  if (cell === null || cell === undefined) return <span className="is-null">–</span>;
  if (typeof cell === "number" && !Number.isInteger(cell)) return Number(cell.toPrecision(6)).toString();
  return String(cell);
}

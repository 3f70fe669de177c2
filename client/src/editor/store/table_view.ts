/** Which rows of a table are shown, and in what order. */

export type Row = Readonly<Record<string, unknown>>;

/** By which column rows are ordered; null leaves them as they came. */
export type Sorting = { readonly column: string; readonly down: boolean } | null;

/** The next of: upwards, downwards, as they came. */
export function nextSorting(before: Sorting, column: string): Sorting {
  if (before?.column !== column) return { column, down: false };
  return before.down ? null : { column, down: true };
}

/**
 * Indexes into `rows` of those in which some cell contains `filter` (case does not count), in order. Numbers are
 * ordered as numbers and before texts; what is not there comes last either way. Equal rows stay as they came.
 */
export function rowsShown(rows: readonly Row[], sorting: Sorting, filter: string): readonly number[] {
  const words = filter.trim().toLowerCase();
  const shown: number[] = [];
  for (let index = 0; index < rows.length; index += 1) {
    if (words === "" || contains(rows[index], words)) shown.push(index);
  }
  if (!sorting) return shown;
  const { column, down } = sorting;
  return shown.sort((a, b) => {
    const [one, other] = [rows[a]?.[column] ?? null, rows[b]?.[column] ?? null];
    if (one === null || other === null) return Number(one === null) - Number(other === null) || a - b;
    return (down ? compare(other, one) : compare(one, other)) || a - b;
  });
}

function contains(row: Row | undefined, words: string): boolean {
  for (const cell of Object.values(row ?? {})) {
    if (cell !== null && String(cell).toLowerCase().includes(words)) return true;
  }
  return false;
}

function compare(one: unknown, other: unknown): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === "number") return -1;
  if (typeof other === "number") return 1;
  const [a, b] = [String(one), String(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The least changes that make one text of another, so that carets and marks in what stays do not move. */

/** In the places of the old text, in its order. */
export interface Change {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** Differences beyond which the middle is replaced as a whole. */
const MOST = 1_500;

/** Words, runs of blanks, and all else by the character. */
const TOKEN = /[\p{L}\p{N}_]+|\r?\n|[^\S\n]+|./gsu;

/** Return the changes; none where the texts are equal. */
export function changesBetween(before: string, after: string): Change[] {
  const old = before.match(TOKEN) ?? [];
  const fresh = after.match(TOKEN) ?? [];
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start++;
  let end = 0;
  while (
    end < old.length - start &&
    end < fresh.length - start &&
    old[old.length - 1 - end] === fresh[fresh.length - 1 - end]
  )
    end++;
  const inner = old.slice(start, old.length - end);
  const made = fresh.slice(start, fresh.length - end);
  const offset = old.slice(0, start).join("").length;
  if (inner.length === 0 && made.length === 0) return [];
  const kept = common(inner, made);
  if (!kept) return [{ from: offset, to: offset + inner.join("").length, insert: made.join("") }];
  return between(inner, made, kept, offset);
}

/** What stands between the pairs of tokens that are kept. */
function between(
  old: readonly string[],
  fresh: readonly string[],
  kept: readonly (readonly [number, number])[],
  offset: number,
): Change[] {
  const changes: Change[] = [];
  let [a, b, at] = [0, 0, offset];
  for (const [x, y] of [...kept, [old.length, fresh.length] as const]) {
    const removed = old.slice(a, x).join("");
    const insert = fresh.slice(b, y).join("");
    if (removed !== "" || insert !== "") changes.push({ from: at, to: at + removed.length, insert });
    at += removed.length + (old[x]?.length ?? 0);
    [a, b] = [x + 1, y + 1];
  }
  return changes;
}

/** Myers' O(ND): the pairs of equal tokens on a shortest way, or null where that is over MOST. */
function common(old: readonly string[], fresh: readonly string[]): [number, number][] | null {
  const [n, m] = [old.length, fresh.length];
  const reach = Math.min(n + m, MOST);
  const furthest = new Int32Array(2 * reach + 3);
  const middle = reach + 1;
  const trace: Int32Array[] = [];
  for (let d = 0; d <= reach; d++) {
    trace.push(furthest.slice(middle - d - 1, middle + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (furthest[middle + k - 1] ?? 0) < (furthest[middle + k + 1] ?? 0));
      let x = down ? (furthest[middle + k + 1] ?? 0) : (furthest[middle + k - 1] ?? 0) + 1;
      while (x < n && x - k < m && old[x] === fresh[x - k]) x++;
      furthest[middle + k] = x;
      if (x >= n && x - k >= m) return wayBack(trace, n, m, d);
    }
  }
  return null;
}

function wayBack(trace: readonly Int32Array[], n: number, m: number, length: number): [number, number][] {
  const kept: [number, number][] = [];
  let [x, y] = [n, m];
  for (let d = length; d >= 0; d--) {
    const before = trace[d] as Int32Array;
    const at = (k: number) => before[k + d + 1] ?? 0;
    const k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const from = down ? k + 1 : k - 1;
    const [startX, startY] = d === 0 ? [0, 0] : [at(from), at(from) - from];
    while (x > startX && y > startY && (d === 0 || x > (down ? startX : startX + 1))) {
      x--;
      y--;
      kept.push([x, y]);
    }
    [x, y] = [startX, startY];
  }
  return kept.reverse();
}

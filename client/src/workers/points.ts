/** The drawing of a small line of numbers. */

/**
 * Points of an SVG polyline over `width` × `height`, oldest at the left; at the right edge is always the newest. The
 * scale begins at 0 and ends at `top`, or at the largest number where that is more.
 */
export function points(
  numbers: readonly number[],
  width: number,
  height: number,
  top = 0,
  room = 60,
): string {
  const most = Math.max(top, ...numbers, Number.MIN_VALUE);
  const step = width / Math.max(room - 1, 1);
  const shown = numbers.slice(-room);
  return shown
    .map((number, index) => {
      const x = width - (shown.length - 1 - index) * step;
      return `${round(x)},${round(height - (Math.max(number, 0) / most) * height)}`;
    })
    .join(" ");
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}

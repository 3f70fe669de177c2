/** The last minute of a number, as a line the height of a word; a screen reader hears the number beside it instead. */
import { points } from "../../../workers";

const WIDTH = 72;
const HEIGHT = 18;
/** Of fewer numbers there is no line to see. */
const FEWEST = 5;

export function Sparkline({ numbers, top }: { readonly numbers: readonly number[]; readonly top?: number }) {
  if (numbers.length < FEWEST) return null;
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      aria-hidden="true"
    >
      <polyline points={points(numbers, WIDTH, HEIGHT - 2, top)} transform="translate(0 1)" />
    </svg>
  );
}

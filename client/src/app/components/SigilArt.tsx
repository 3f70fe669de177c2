/** A quiet drawing of a spell, for pages that have none of their own; the same seed draws the same. */

function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A number from a text, for seeds. */
export function seedOf(text: string): number {
  let seed = 2166136261;
  for (let index = 0; index < text.length; index += 1)
    seed = Math.imul(seed ^ text.charCodeAt(index), 16777619);
  return seed;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly column: number;
}

function boxesFor(
  next: () => number,
  columns: number,
  width: number,
  height: number,
  size: [number, number],
): Box[] {
  return Array.from({ length: columns }, (_, column) => {
    const count = 1 + Math.floor(next() * 3);
    const gap = height / count;
    return Array.from({ length: count }, (_row, row) => ({
      column,
      x: (column + 0.5) * (width / columns) - size[0] / 2 + (next() - 0.5) * 14,
      y: (row + 0.5) * gap - size[1] / 2 + (next() - 0.5) * gap * 0.25,
    }));
  }).flat();
}

interface SigilArtProps {
  readonly seed?: number;
  /** How many columns of boxes; small for cards. */
  readonly columns?: number;
}

export function SigilArt({ seed = 11, columns = 5 }: SigilArtProps) {
  const next = random(seed);
  const [width, height] = columns > 4 ? [900, 640] : [232, 116];
  const size: [number, number] = columns > 4 ? [116, 62] : [34, 18];
  const boxes = boxesFor(next, columns, width, height, size);
  const wires = boxes.flatMap((box) => {
    const before = boxes.filter((other) => other.column === box.column - 1);
    if (before.length === 0) return [];
    const from = before[Math.floor(next() * before.length)];
    return from ? [{ from, box }] : [];
  });
  const middle = size[1] / 2;
  const large = columns > 4;
  return (
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <defs>
        <pattern
          id={`dots-${columns}`}
          width={large ? 26 : 13}
          height={large ? 26 : 13}
          patternUnits="userSpaceOnUse"
        >
          <circle cx="1" cy="1" r={large ? 1 : 0.7} fill="var(--canvas-dot)" />
        </pattern>
      </defs>
      <rect width={width} height={height} fill={`url(#dots-${columns})`} />
      {wires.map(({ from, box }) => {
        const [x1, y1, x2, y2] = [from.x + size[0], from.y + middle, box.x, box.y + middle];
        const bend = (x2 - x1) / 2;
        return (
          <path
            key={`${from.x} ${from.y} ${box.x} ${box.y}`}
            d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
            fill="none"
            stroke="var(--accent-line)"
            strokeWidth={large ? 2 : 1.3}
          />
        );
      })}
      {boxes.map((box, index) => (
        <g key={`${box.x} ${box.y}`}>
          <rect
            x={box.x}
            y={box.y}
            width={size[0]}
            height={size[1]}
            rx={large ? 10 : 4}
            fill="var(--surface)"
            stroke="var(--line-strong)"
          />
          <rect
            x={box.x + size[0] * 0.1}
            y={box.y + size[1] * 0.26}
            width={size[1] * 0.24}
            height={size[1] * 0.24}
            rx={large ? 4 : 1.5}
            fill={
              index % 3 === 0 ? "var(--accent)" : index % 3 === 1 ? "var(--type-number)" : "var(--type-text)"
            }
            opacity="0.75"
          />
          <rect
            x={box.x + size[0] * 0.32}
            y={box.y + size[1] * 0.32}
            width={size[0] * 0.42}
            height={size[1] * 0.1}
            rx={size[1] * 0.05}
            fill="var(--line-strong)"
          />
          <rect
            x={box.x + size[0] * 0.1}
            y={box.y + size[1] * 0.66}
            width={size[0] * 0.62}
            height={size[1] * 0.08}
            rx={size[1] * 0.04}
            fill="var(--line)"
          />
        </g>
      ))}
    </svg>
  );
}

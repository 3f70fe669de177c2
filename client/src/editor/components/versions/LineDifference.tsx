/** A text before and after, line by line. */
import type { Change } from "../../../versions";

type Lines = NonNullable<Change["fields"][number]["lines"]>;

const SIGNS = { same: " ", removed: "−", added: "+" } as const;
const SPOKEN = { same: "", removed: "then: ", added: "now: " } as const;

export function LineDifference({ lines, cut }: { lines: Lines; cut: number }) {
  let last = { before: 0, after: 0 };
  return (
    <pre className="line-difference scroll">
      {lines.map((line) => {
        const gap = line.op === "same" && (line.after ?? 0) > last.after + 1;
        last = { before: line.before ?? last.before, after: line.after ?? last.after };
        return (
          <span
            key={`${line.op} ${line.before} ${line.after}`}
            className="line"
            data-op={line.op}
            data-gap={gap}
          >
            <i aria-hidden="true">{SIGNS[line.op]}</i>
            <span className="sr-only">{SPOKEN[line.op]}</span>
            {line.text}
            {"\n"}
          </span>
        );
      })}
      {cut > 0 && <span className="line">{`and ${cut} more lines`}</span>}
    </pre>
  );
}

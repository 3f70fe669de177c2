/** Goes from one iteration to the next, or to any number. */
import { ChevronLeft, ChevronRight, TriangleAlert } from "lucide-react";
import type { InsideShown } from "../hooks/useInside";

export function IterationPicker({ shown, testid }: { shown: InsideShown; testid: string }) {
  const { inside, iteration, rounds, failures } = shown;
  if (iteration?.index === null || iteration === undefined) return null;
  const { index } = iteration;
  const told = inside.iterations.flatMap((each) => (each.index === null ? [] : [each.index]));
  const failed = [
    ...new Set([
      ...inside.iterations.flatMap((each) =>
        each.state === "failed" && each.index !== null ? [each.index] : [],
      ),
      ...failures.map((failure) => failure.index),
    ]),
  ].sort((a, b) => a - b);
  const known = [...new Set([...told, ...failed])].sort((a, b) => a - b);
  const before = known.findLast((each) => each < index);
  const after = known.find((each) => each > index);
  const nextFailed = failed.find((each) => each > index) ?? failed[0];
  const total = rounds?.total ?? null;
  const isFailed = failed.includes(index);
  return (
    <div className="iteration-picker nodrag" data-failed={isFailed} data-testid={testid}>
      <StepButton label="The iteration before" to={before} go={shown.choose}>
        <ChevronLeft size={13} />
      </StepButton>
      <label>
        <span className="sr-only">Iteration</span>
        <input
          key={index}
          inputMode="numeric"
          aria-label="Iteration"
          defaultValue={index + 1}
          onBlur={(event) => {
            const number = Math.round(Number(event.target.value)) - 1;
            const last = total === null ? Math.max(...known) : total - 1;
            if (number >= 0 && number !== index) shown.choose(Math.min(number, last));
            else event.target.value = String(index + 1);
          }}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Enter") event.currentTarget.blur();
          }}
        />
      </label>
      {total !== null && <span className="faint">of {total}</span>}
      <StepButton label="The next iteration" to={after} go={shown.choose}>
        <ChevronRight size={13} />
      </StepButton>
      {nextFailed !== undefined && !(isFailed && failed.length === 1) && (
        <StepButton label="Show a failed iteration" to={nextFailed} go={shown.choose}>
          <TriangleAlert size={12} />
        </StepButton>
      )}
    </div>
  );
}

interface StepButtonProps {
  readonly label: string;
  readonly to: number | undefined;
  readonly go: (index: number) => void;
  readonly children: React.ReactNode;
}

function StepButton({ label, to, go, children }: StepButtonProps) {
  return (
    <button
      type="button"
      className="icon-button small"
      aria-label={label}
      title={label}
      disabled={to === undefined}
      onClick={() => to !== undefined && go(to)}
    >
      {children}
    </button>
  );
}

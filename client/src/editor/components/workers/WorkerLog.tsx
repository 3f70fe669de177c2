/** What a worker and its provisioning said last; the end is kept in view until one scrolls up. */
import { useEffect, useLayoutEffect, useRef } from "react";
import { useStore } from "../../../store";
import type { WorkerDesk, WorkerLine } from "../../../workers";

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

export function WorkerLog({ desk }: { readonly desk: WorkerDesk }) {
  const id = useStore(desk.worker, (worker) => worker?.id);
  const lines = useStore(desk.lines);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another worker has another log
  useEffect(() => void desk.readLog(), [desk, id]);
  if (lines.length === 0) return <p className="faint">It has said nothing yet.</p>;
  return <Lines lines={lines} label="Log of the worker" testid="worker-log" />;
}

interface LinesProps {
  readonly lines: readonly WorkerLine[];
  readonly label: string;
  readonly testid?: string;
}

export function Lines({ lines, label, testid }: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: lines that come are what moves the end
  useLayoutEffect(() => {
    if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  return (
    <div
      className="scroll worker-lines"
      role="log"
      aria-label={label}
      aria-live="off"
      data-testid={testid}
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is scrolled by the keyboard
      tabIndex={0}
      onScroll={(event) => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
        atEnd.current = scrollHeight - scrollTop - clientHeight < 8;
      }}
    >
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity of their own
        <div key={index} className="worker-line" data-level={line.level}>
          <time>{clock(line.at)}</time>
          <span>{line.text}</span>
        </div>
      ))}
    </div>
  );
}

/** The runs of the canvas, newest first, by day; only those in sight are drawn. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { GitCompareArrows, LoaderCircle, X } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import { isFiltered, type RunRow as Row } from "../../../runs";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useRunDesk } from "../../hooks/useRunDesk";
import { RunFilters } from "./RunFilters";
import { RunRow } from "./RunRow";

type Line =
  | { readonly kind: "day"; readonly title: string }
  | { readonly kind: "run"; readonly row: Row }
  | { readonly kind: "more" };

export function RunListView() {
  const editor = useEditor();
  const { list, queues } = useRunDesk();
  const rows = useStore(list.rows);
  const more = useStore(list.more);
  const older = useStore(editor.workbench.runs.more);
  const listing = useStore(list.listing);
  const failure = useStore(list.failure);
  const filtered = useStore(list.filter, isFiltered);
  useEffect(() => {
    void list.load();
    return list.open();
  }, [list]);
  // Why a run waits may be its queue: that is asked for once one waits.
  const waits = rows.some(({ status, view }) => status === "queued" && view?.queue);
  useEffect(() => {
    if (waits) void queues.load();
  }, [waits, queues]);
  const offline = listing === "failed" && older;
  const lines = useMemo(() => linesOf(rows, more || offline), [rows, more, offline]);
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: (index) => (lines[index]?.kind === "day" ? 32 : 48),
    getItemKey: (index) => keyOf(lines[index]),
    overscan: 12,
  });
  return (
    <>
      <RunFilters />
      <Choosing />
      {failure && (
        <div className="notice error run-notice" role="alert">
          <span>
            Runs could not be listed: {failure}{" "}
            <button type="button" className="link-button" onClick={() => void list.load()}>
              Try again
            </button>
          </span>
        </div>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrows only help; every row is a button of its own */}
      <div className="scroll side-scroll" ref={scroll} onKeyDown={walk}>
        <ul
          className="plain-list run-lines"
          aria-label="Past runs"
          style={{ height: virtual.getTotalSize() }}
        >
          {virtual.getVirtualItems().map((item) => {
            const line = lines[item.index];
            if (!line) return null;
            return (
              <li
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {line.kind === "day" && <h3 className="side-heading">{line.title}</h3>}
                {line.kind === "run" && <RunRow row={line.row} />}
                {line.kind === "more" && (
                  <button
                    type="button"
                    className="link-button"
                    data-testid="older-runs"
                    onClick={() => void (more ? list.loadMore() : editor.workbench.runs.loadOlder())}
                  >
                    Show older runs
                  </button>
                )}
              </li>
            );
          })}
        </ul>
        {rows.length === 0 && listing === "loading" && (
          <p className="menu-note" role="status">
            <LoaderCircle size={13} className="spin" aria-hidden="true" /> Looking for runs
          </p>
        )}
        {rows.length === 0 && listing === "ready" && (
          <p className="menu-note">
            {filtered ? "No run is like that." : "No runs yet. Every run is kept here and can be replayed."}
          </p>
        )}
      </div>
    </>
  );
}

/** Says that another run is to be chosen, to compare it with one that was. */
function Choosing() {
  const { comparison } = useRunDesk();
  const choosing = useStore(comparison.now, (now) => now?.state === "choosing");
  if (!choosing) return null;
  return (
    <div className="notice run-notice" role="status" data-testid="compare-choosing">
      <GitCompareArrows size={14} aria-hidden="true" />
      <span>Choose the run to compare with.</span>
      <button
        type="button"
        className="icon-button small"
        aria-label="Do not compare"
        onClick={() => comparison.close()}
      >
        <X size={13} />
      </button>
    </div>
  );
}

function linesOf(rows: readonly Row[], more: boolean): Line[] {
  const lines: Line[] = [];
  let day = "";
  for (const row of rows) {
    const title = dayOf(row.createdAt);
    if (title !== day) lines.push({ kind: "day", title });
    day = title;
    lines.push({ kind: "run", row });
  }
  if (more) lines.push({ kind: "more" });
  return lines;
}

function keyOf(line: Line | undefined): string {
  if (line?.kind === "run") return line.row.id;
  return line?.kind === "day" ? `day ${line.title}` : "more";
}

function dayOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return "Today";
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return date.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short", ...year });
}

/** Go to the row above or below with the arrows. */
export function walk(event: React.KeyboardEvent<HTMLDivElement>): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0 || event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement)
    return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLButtonElement>(".run-row")];
  const next = rows[rows.findIndex((row) => row === event.target) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

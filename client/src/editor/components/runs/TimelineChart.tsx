/** Bars per node over the time of a run. Rows out of sight are not drawn. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronRight, LoaderCircle } from "lucide-react";
import { useMemo, useRef } from "react";
import type { RunTimeline, SpanView } from "../../../protocol/generated";
import { placeOf, type Range, rangeOf, type ShownRow, shownRows, sums } from "../../../runs";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useRunDesk } from "../../hooks/useRunDesk";
import { useTitle } from "../../hooks/useTitle";
import { formatDuration } from "../../store/value_kind";

const ROW = 24;
/** Where times are written: as parts of the whole. */
const TICKS = [0, 0.25, 0.5, 0.75, 1] as const;

export function TimelineChart() {
  const { timeline } = useRunDesk();
  const now = useStore(timeline.now);
  if (!now) return null;
  if (now.state === "loading")
    return (
      <p className="menu-note" role="status">
        <LoaderCircle size={13} className="spin" aria-hidden="true" /> Reading when nodes ran
      </p>
    );
  if (now.state === "failed")
    return (
      <div className="notice error run-notice" role="alert">
        <span>
          The timeline could not be read: {now.message}{" "}
          <button type="button" className="link-button" onClick={() => void timeline.load(now.run)}>
            Try again
          </button>
        </span>
      </div>
    );
  if (now.found.nodes.length === 0)
    return <p className="menu-note">No node of this run has begun, or its events are not kept any more.</p>;
  return <Chart found={now.found} />;
}

function Chart({ found }: { found: RunTimeline }) {
  const { timeline } = useRunDesk();
  const open = useStore(timeline.open);
  const rows = useMemo(() => shownRows(found.nodes, open), [found, open]);
  const range = useMemo(() => rangeOf(found, Date.now() / 1000), [found]);
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  return (
    <div className="timeline" data-testid="timeline">
      <Ticks range={range} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrows only help; every row is a button of its own */}
      <div className="scroll timeline-rows" ref={scroll} onKeyDown={walk}>
        <ol className="plain-list" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            return row ? (
              <li key={row.node.node} style={{ transform: `translateY(${item.start}px)` }}>
                <Row row={row} range={range} />
              </li>
            ) : null;
          })}
        </ol>
      </div>
      {(found.more || !found.complete) && (
        <p className="menu-note">
          {found.complete
            ? `The first ${found.nodes.length.toLocaleString()} of ${found.total.toLocaleString()} rows are shown.`
            : "This run said so much that its last events are left out."}
        </p>
      )}
    </div>
  );
}

function Row({ row, range }: { row: ShownRow; range: Range }) {
  const editor = useEditor();
  const { timeline } = useRunDesk();
  const { node, depth } = row;
  const last = node.node.split("/").at(-1) ?? node.node;
  const drawn = useStore(editor.document.spell, (spell) => spell.nodes[node.node]);
  const selected = useStore(editor.selection, (ids) => ids.has(node.node));
  const called = useTitle(drawn);
  const title = node.name ?? (drawn ? called : last);
  const figures = figuresOf(node.spans);
  const said = [node.state ?? "goes on", ...figures, node.attempts > 1 ? `${node.attempts} attempts` : ""];
  const label = `${title}: ${said.filter(Boolean).join(", ")}`;
  return (
    <div className="timeline-row" data-selected={selected}>
      <span className="timeline-name" style={{ paddingLeft: 6 + depth * 12 }}>
        {node.inside ? (
          <button
            type="button"
            className="timeline-fold"
            aria-expanded={row.open}
            aria-label={`What ${title} ran inside itself`}
            onClick={() => timeline.toggle(node.node)}
          >
            <ChevronRight size={12} className={row.open ? "turned" : ""} />
          </button>
        ) : (
          <span className="timeline-fold" />
        )}
        <span className="truncate" data-failed={node.state === "failed"}>
          {title}
        </span>
      </span>
      <button
        type="button"
        className="timeline-bars"
        aria-label={label}
        title={label}
        data-testid={`timeline-${node.node}`}
        onClick={() => {
          const own = node.node.split("/")[0]?.replace(/\[\d+\]$/, "");
          if (own && editor.document.spell.get().nodes[own]) editor.reveal(own);
        }}
      >
        {node.spans.map((span) => {
          const { left, width } = placeOf(span, range);
          return (
            <i
              key={`${span.start} ${span.state}`}
              data-state={span.state}
              data-end={span.state === "running" ? (node.state ?? "running") : undefined}
              style={{ left: `${left}%`, width: `${width}%` }}
            />
          );
        })}
      </button>
      <span className="timeline-figure">{figures.at(-1) ?? ""}</span>
    </div>
  );
}

/** Seconds in each state, in words. */
function figuresOf(spans: readonly SpanView[]): string[] {
  const found = sums(spans, Date.now() / 1000);
  const waited = spans.find((span) => span.state === "waiting")?.waits_for;
  return [
    found.queued > 0.0005 ? `queued ${formatDuration(found.queued)}` : "",
    found.waiting > 0.0005 ? `waited ${formatDuration(found.waiting)}${waited ? ` for ${waited}` : ""}` : "",
    found.running > 0 ? `ran ${formatDuration(found.running)}` : "",
  ].filter(Boolean);
}

function Ticks({ range }: { range: Range }) {
  return (
    <div className="timeline-ticks" aria-hidden="true">
      {TICKS.map((part) => (
        <span key={part} style={{ left: `${part * 100}%` }}>
          {part === 0 ? "0" : formatDuration((range.to - range.from) * part)}
        </span>
      ))}
    </div>
  );
}

/** Go to the bar above or below with the arrows. */
function walk(event: React.KeyboardEvent<HTMLDivElement>): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLButtonElement>(".timeline-bars")];
  const next = rows[rows.findIndex((row) => row === event.target) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** The console: what nodes log, what runs and plugins say; one line each, the newest at the end. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { Trash2, X } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { ConsoleEntry } from "../../engine/types";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useTitle } from "../hooks/useTitle";

const LEVELS = ["debug", "info", "warning", "error"] as const;

export function ConsolePanel() {
  const editor = useEditor();
  const { entries: store, clear } = editor.workbench.console;
  const entries = useStore(store);
  const [query, setQuery] = useState("");
  const [level, setLevel] = useState<(typeof LEVELS)[number]>("info");
  const shown = useMemo(() => {
    const least = LEVELS.indexOf(level);
    const words = query.toLowerCase();
    return entries.filter(
      (entry) =>
        LEVELS.indexOf(entry.level) >= least &&
        (words === "" || `${entry.text} ${entry.node ?? ""}`.toLowerCase().includes(words)),
    );
  }, [entries, query, level]);
  return (
    <section className="console" data-testid="console" aria-label="Console">
      <header className="console-bar">
        <h2>Console</h2>
        <span className="faint">
          {shown.length === entries.length ? entries.length : `${shown.length} of ${entries.length}`}
        </span>
        <input
          className="field"
          type="search"
          placeholder="Filter"
          aria-label="Filter the console"
          data-testid="console-filter"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
        <select
          className="field"
          aria-label="Least level"
          value={level}
          onChange={(event) => setLevel(event.target.value as typeof level)}
        >
          <option value="debug">All</option>
          <option value="info">Info and up</option>
          <option value="warning">Warnings and up</option>
          <option value="error">Errors only</option>
        </select>
        <button
          type="button"
          className="icon-button small"
          aria-label="Clear the console"
          title="Clear"
          onClick={clear}
          data-testid="console-clear"
        >
          <Trash2 size={13} />
        </button>
        <button
          type="button"
          className="icon-button small"
          aria-label="Close the console"
          title="Close"
          onClick={() => editor.console.set(false)}
        >
          <X size={14} />
        </button>
      </header>
      <Lines entries={shown} />
    </section>
  );
}

function Lines({ entries }: { entries: readonly ConsoleEntry[] }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => box.current,
    estimateSize: () => 22,
    overscan: 12,
  });
  useEffect(() => {
    if (atEnd.current && entries.length > 0) virtual.scrollToIndex(entries.length - 1);
  }, [entries.length, virtual]);
  return (
    <div
      className="console-lines scroll"
      role="log"
      aria-live="off"
      ref={box}
      onScroll={(event) => {
        const element = event.currentTarget;
        atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
      }}
    >
      {entries.length === 0 && (
        <div className="menu-note">What nodes log and what runs say appears here.</div>
      )}
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map((item) => {
          const entry = entries[item.index];
          return entry ? (
            <div
              key={entry.id}
              data-index={item.index}
              ref={virtual.measureElement}
              className="console-line"
              data-level={entry.level}
              style={{
                position: "absolute",
                top: 0,
                left: 0,
                right: 0,
                transform: `translateY(${item.start}px)`,
              }}
            >
              <Line entry={entry} />
            </div>
          ) : null;
        })}
      </div>
    </div>
  );
}

function Line({ entry }: { entry: ConsoleEntry }) {
  const editor = useEditor();
  const node = useStore(editor.document.spell, (spell) =>
    entry.node === null ? undefined : spell.nodes[entry.node],
  );
  const title = useTitle(node);
  const time = new Date(entry.at * 1000);
  return (
    <>
      <time dateTime={time.toISOString()}>{time.toLocaleTimeString([], { hour12: false })}</time>
      <span className="console-level">{entry.level === "warning" ? "warn" : entry.level}</span>
      {entry.node !== null && (
        <button
          type="button"
          className="console-node"
          onClick={() => entry.node !== null && editor.reveal(entry.node)}
        >
          {title || entry.node}
        </button>
      )}
      <span className="console-text">{entry.text}</span>
    </>
  );
}

/** Two runs as a table: a row for each node, and what both left on its ports side by side. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronRight, LoaderCircle } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import type { ComparedNode, ComparedPort, NodeComparison } from "../../../protocol/generated";
import { MARK_WORDS, reasons } from "../../../runs";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useRunDesk } from "../../hooks/useRunDesk";
import { useTitle } from "../../hooks/useTitle";
import { formatBytes, formatDuration } from "../../store/value_kind";
import { Preview } from "../previews/Preview";
import { MarkIcon } from "./CompareMark";

export function CompareTable() {
  const { comparison } = useRunDesk();
  const now = useStore(comparison.now);
  const [all, setAll] = useState(false);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const found = now?.state === "open" ? now.found : null;
  const nodes = useMemo(
    () => (found?.nodes ?? []).filter((node) => all || node.what !== "same" || reasons(node).length > 0),
    [found, all],
  );
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: nodes.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => 30,
    getItemKey: (index) => nodes[index]?.node ?? index,
    overscan: 8,
  });
  if (now?.state === "loading")
    return (
      <p className="menu-note" role="status">
        <LoaderCircle size={13} className="spin" aria-hidden="true" /> Comparing
      </p>
    );
  if (now?.state === "failed")
    return (
      <div className="notice error run-notice" role="alert">
        <span>
          They could not be compared: {now.message}{" "}
          <button
            type="button"
            className="link-button"
            onClick={() => void comparison.open(now.before, now.after)}
          >
            Try again
          </button>
        </span>
      </div>
    );
  if (!found) return <p className="menu-note">Choose two runs in the list.</p>;
  const toggle = (node: string) => {
    const next = new Set(open);
    if (!next.delete(node)) next.add(node);
    setOpen(next);
  };
  return (
    <div className="compare" data-testid="compare">
      <div className="compare-head">
        <span>Node</span>
        <span>Before, {clock(found.before.created_at)}</span>
        <span>After, {clock(found.after.created_at)}</span>
        <label className="compare-all">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} /> Same
          ones, too
        </label>
      </div>
      <div className="scroll compare-rows" ref={scroll}>
        <ul className="plain-list" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const node = nodes[item.index];
            return node ? (
              <li
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Row node={node} open={open.has(node.node)} onToggle={() => toggle(node.node)} />
              </li>
            ) : null;
          })}
        </ul>
        {nodes.length === 0 && <p className="menu-note">Both runs came to the same, node by node.</p>}
      </div>
    </div>
  );
}

function Row({ node, open, onToggle }: { node: NodeComparison; open: boolean; onToggle(): void }) {
  const editor = useEditor();
  const drawn = useStore(editor.document.spell, (spell) => spell.nodes[node.node]);
  const called = useTitle(drawn);
  const title = node.name ?? (drawn ? called : node.node);
  return (
    <div className="compare-row" data-what={node.what}>
      <button
        type="button"
        className="compare-line"
        aria-expanded={open}
        data-testid={`compare-${node.node}`}
        onClick={() => {
          onToggle();
          if (drawn) editor.reveal(node.node);
        }}
      >
        <span className="compare-name">
          <ChevronRight size={12} className={open ? "turned" : ""} aria-hidden="true" />
          <span className="truncate">{title}</span>
          <span className="compare-word" data-what={node.what}>
            <MarkIcon what={node.what} /> {MARK_WORDS[node.what]}
          </span>
        </span>
        <span>{sideWords(node.before)}</span>
        <span>{sideWords(node.after)}</span>
        <span className="faint truncate">{reasons(node).join("; ")}</span>
      </button>
      {open && (
        <div className="compare-values">
          {node.ports.map((port) => (
            <Port key={port.port} port={port} />
          ))}
          {node.ports.length === 0 && <p className="faint">Neither run left a value here.</p>}
        </div>
      )}
    </div>
  );
}

function Port({ port }: { port: ComparedPort }) {
  return (
    <div className="compare-port" data-equal={port.equal}>
      <span>
        {port.port}
        <span className="faint"> {port.equal ? "equal" : "differs"}</span>
      </span>
      {([port.before, port.after] as const).map((left, index) => (
        <div key={index === 0 ? "before" : "after"}>
          {left ? (
            <>
              <Preview value={left.value} label={`${port.port} ${index === 0 ? "before" : "after"}`} />
              <span className="faint">{formatBytes(left.size)}</span>
            </>
          ) : (
            <span className="faint">nothing</span>
          )}
        </div>
      ))}
    </div>
  );
}

function sideWords(there: ComparedNode | null): string {
  if (!there) return "not there";
  const said: string[] = [there.status];
  if (there.duration !== null) said.push(formatDuration(there.duration));
  if (there.attempts > 1) said.push(`${there.attempts} attempts`);
  const message = there.error?.message;
  if (typeof message === "string") said.push(message);
  return said.join(", ");
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleString([], { dateStyle: "short", timeStyle: "medium" });
}

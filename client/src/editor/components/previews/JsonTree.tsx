/** JSON as a tree that opens and closes; long lists are shown by the hundred. */
import { ChevronRight } from "lucide-react";
import { useState } from "react";

const PAGE = 100;

interface JsonTreeProps {
  readonly value: unknown;
  readonly place: "node" | "panel";
  readonly label: string;
}

export function JsonTree({ value, place, label }: JsonTreeProps) {
  return (
    <div className="preview-json scroll nowheel" role="tree" aria-label={label}>
      <Branch value={value} depth={0} open={place === "panel" ? 2 : 1} />
    </div>
  );
}

interface BranchProps {
  readonly name?: string;
  readonly value: unknown;
  readonly depth: number;
  /** How many levels start open. */
  readonly open: number;
}

function Branch({ name, value, depth, open }: BranchProps) {
  const [isOpen, setOpen] = useState(depth < open);
  const [shown, setShown] = useState(PAGE);
  if (typeof value !== "object" || value === null) {
    return (
      <div className="json-row" role="treeitem" tabIndex={-1} style={{ paddingLeft: depth * 12 + 14 }}>
        <Name name={name} />
        <Scalar value={value} />
      </div>
    );
  }
  const entries = Array.isArray(value)
    ? value.map((entry, index) => [String(index), entry] as const)
    : Object.entries(value);
  const summary = Array.isArray(value) ? `${entries.length} items` : `${entries.length} keys`;
  return (
    <>
      <button
        type="button"
        role="treeitem"
        aria-expanded={isOpen}
        className="json-row json-branch nodrag"
        style={{ paddingLeft: depth * 12 }}
        onClick={() => setOpen(!isOpen)}
      >
        <ChevronRight size={12} className={isOpen ? "turned" : ""} aria-hidden="true" />
        <Name name={name} />
        <span className="faint">
          {Array.isArray(value) ? "[ ]" : "{ }"} {summary}
        </span>
      </button>
      {isOpen &&
        entries
          .slice(0, shown)
          .map(([key, entry]) => <Branch key={key} name={key} value={entry} depth={depth + 1} open={open} />)}
      {isOpen && entries.length > shown && (
        <button type="button" className="link-button nodrag" onClick={() => setShown(shown + PAGE)}>
          Show {Math.min(PAGE, entries.length - shown)} more of {entries.length.toLocaleString()}
        </button>
      )}
    </>
  );
}

function Name({ name }: { readonly name: string | undefined }) {
  return name === undefined ? null : <span className="json-name">{name}</span>;
}

function Scalar({ value }: { readonly value: unknown }) {
  if (typeof value === "string") {
    const text = value.length > 300 ? `${value.slice(0, 300)}…` : value;
    return <span className="json-string">"{text}"</span>;
  }
  return <span className={`json-${value === null ? "null" : typeof value}`}>{String(value)}</span>;
}

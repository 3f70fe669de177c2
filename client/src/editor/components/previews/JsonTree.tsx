/** JSON as a tree that opens and closes; long lists are shown by the hundred, and large parts are read when opened. */
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { isHandle } from "../../../protocol";
import { usePaged } from "../../hooks/useLoadValue";
import { pointer } from "../../store/paged_value";
import { formatBytes, isLarge, type LargeValue } from "../../store/value_kind";

const PAGE = 100;
const LONG = 300;

interface JsonTreeProps {
  readonly value: unknown;
  readonly place: "node" | "panel";
  readonly label: string;
  /** Number of the first item, where `value` is the end of a longer list. */
  readonly first?: number;
  /** The large value that `value` is read from, and where in it. */
  readonly hash?: string;
  readonly path?: string;
  /** How many items or fields there are in all, where not all are here. */
  readonly total?: number | null;
}

export function JsonTree({ value, place, label, first = 0, hash, path = "", total }: JsonTreeProps) {
  return (
    <div className="preview-json scroll nowheel" role="tree" aria-label={label}>
      <Branch value={value} depth={0} open={place === "panel" ? 2 : 1} {...{ first, hash, path, total }} />
    </div>
  );
}

interface BranchProps {
  readonly name?: string;
  readonly value: unknown;
  readonly depth: number;
  /** How many levels start open. */
  readonly open: number;
  readonly first?: number;
  readonly hash?: string | undefined;
  readonly path: string;
  readonly total?: number | null | undefined;
}

function Branch(props: BranchProps) {
  const { name, value, depth } = props;
  if (isLarge(value)) return <LargeBranch {...props} value={value} />;
  if (isHandle(value))
    return (
      <div className="json-row" role="treeitem" tabIndex={-1} style={{ paddingLeft: depth * 12 + 14 }}>
        <Name name={name} />
        <span className="faint">
          {value.kind}, {formatBytes(value.size)}, in the worker
        </span>
      </div>
    );
  if (typeof value !== "object" || value === null) {
    return (
      <div className="json-row" role="treeitem" tabIndex={-1} style={{ paddingLeft: depth * 12 + 14 }}>
        <Name name={name} />
        <Scalar value={value} />
      </div>
    );
  }
  return <Entries {...props} value={value} />;
}

/** `1 item`, `2,000 keys`. */
function words(count: number, list: boolean): string {
  return `${count.toLocaleString()} ${list ? "item" : "key"}${count === 1 ? "" : "s"}`;
}

function Entries(props: BranchProps & { readonly value: object }) {
  const { name, value, depth, open, first = 0, hash, path, total } = props;
  const [isOpen, setOpen] = useState(depth < open);
  const [shown, setShown] = useState(PAGE);
  const list = Array.isArray(value);
  // Entries of what is closed or beyond the page are not even named.
  const keys = list ? null : Object.keys(value);
  const count = keys ? keys.length : (value as unknown[]).length;
  const visible = isOpen ? Math.min(shown, count) : 0;
  return (
    <>
      <Head name={name} depth={depth} isOpen={isOpen} toggle={() => setOpen(!isOpen)}>
        {list ? "[ ]" : "{ }"} {words(total ?? count + first, list)}
      </Head>
      {Array.from({ length: visible }, (_, index) => {
        const key = keys ? (keys[index] as string) : String(index + first);
        const entry = (value as Record<string, unknown>)[keys ? key : String(index)];
        return (
          <Branch
            key={key}
            name={key}
            value={entry}
            depth={depth + 1}
            open={open}
            hash={hash}
            path={pointer(path, key)}
          />
        );
      })}
      {isOpen && count > shown && (
        <button type="button" className="link-button nodrag" onClick={() => setShown(shown + PAGE)}>
          Show {Math.min(PAGE, count - shown)} more of {count.toLocaleString()}
        </button>
      )}
    </>
  );
}

/** A part that is too large to come with its page: read when it is opened, by the page. */
function LargeBranch(props: BranchProps & { readonly value: LargeValue }) {
  const { name, value, depth, open, path } = props;
  // A part of the same value lies where the tree is; one with a name of its own is read from its beginning.
  const within = value.path ?? (value.$ref === props.hash ? path : "");
  const { paged, busy, failure, more } = usePaged(value.$ref, within);
  const inner = paged?.value;
  const indent = { paddingLeft: depth * 12 + 14 };
  return (
    <>
      {paged === null ? (
        <Head name={name} depth={depth} isOpen={false} toggle={more}>
          {busy ? "Loading…" : formatBytes(value.size)}
        </Head>
      ) : typeof inner === "string" ? (
        <div className="json-row" role="treeitem" tabIndex={-1} style={indent}>
          <Name name={name} />
          <span className="json-string json-text">"{inner}"</span>
        </div>
      ) : (
        <Branch
          {...(name === undefined ? {} : { name })}
          value={inner}
          depth={depth}
          open={Math.max(open, depth + 1)}
          hash={value.$ref}
          path={within}
          total={paged.total}
        />
      )}
      {paged?.more && (
        <button type="button" className="link-button nodrag" style={indent} onClick={more} disabled={busy}>
          {busy ? "Loading…" : `Load more of ${(paged.total ?? 0).toLocaleString()}`}
        </button>
      )}
      {failure !== null && (
        <div className="field-error" style={indent}>
          Could not load: {failure}
        </div>
      )}
    </>
  );
}

interface HeadProps {
  readonly name: string | undefined;
  readonly depth: number;
  readonly isOpen: boolean;
  readonly toggle: () => void;
  readonly children: React.ReactNode;
}

function Head({ name, depth, isOpen, toggle, children }: HeadProps) {
  return (
    <button
      type="button"
      role="treeitem"
      aria-expanded={isOpen}
      className="json-row json-branch nodrag"
      style={{ paddingLeft: depth * 12 }}
      onClick={toggle}
    >
      <ChevronRight size={12} className={isOpen ? "turned" : ""} aria-hidden="true" />
      <Name name={name} />
      <span className="faint">{children}</span>
    </button>
  );
}

function Name({ name }: { readonly name: string | undefined }) {
  return name === undefined ? null : <span className="json-name">{name}</span>;
}

/** A long text is cut until it is asked for. */
function Scalar({ value }: { readonly value: unknown }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== "string")
    return <span className={`json-${value === null ? "null" : typeof value}`}>{String(value)}</span>;
  const cut = !whole && value.length > LONG;
  return (
    <span className="json-string">
      "{cut ? value.slice(0, LONG) : value}"
      {cut && (
        <button type="button" className="link-button nodrag" onClick={() => setWhole(true)}>
          … {value.length.toLocaleString()} characters
        </button>
      )}
    </span>
  );
}

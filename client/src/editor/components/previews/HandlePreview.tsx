/** A value that stays in a worker: what it is and how large, the head that the worker shows, and more by the page. */
import { Cpu } from "lucide-react";
import { useState } from "react";
import type { HandleRef } from "../../../protocol";
import { useGone } from "../../hooks/useGone";
import { type Order, usePaged } from "../../hooks/useLoadValue";
import { formatBytes } from "../../store/value_kind";
import { goneWords } from "../../store/why";
import { JsonTree } from "./JsonTree";
import { TablePreview } from "./TablePreview";
import { TextPreview } from "./TextPreview";

interface HandlePreviewProps {
  readonly handle: HandleRef;
  readonly place: "node" | "panel";
  readonly label: string;
}

/** Codes with which a worker says that it has the value no more. */
const GONE = new Set(["value_gone", "worker_gone"]);

export function HandlePreview({ handle, place, label }: HandlePreviewProps) {
  const [order, setOrder] = useState<Order | undefined>(undefined);
  const { paged, busy, failure, code, more } = usePaged(handle.$handle, "", order);
  const form = handle.preview;
  const told = useGone(handle.$handle);
  const gone = told !== undefined || (code !== null && GONE.has(code));
  const readable = form !== null && (form.form === "table" || form.form === "list" || form.form === "object");
  const here = readable ? shownOf(form) : null;
  const total = paged?.total ?? (readable ? form.total : 0);
  // What no encoding can bring out of the worker is not read by the page either.
  const readMore = handle.encodings.length > 0 && !gone;
  const open = readable && readMore && (paged ? paged.more : here !== null && here.count < form.total);
  return (
    <div className="preview-handle" data-testid="handle-preview" data-gone={gone}>
      <div className="handle-head">
        <span
          className="badge handle-badge"
          title="The value stays in the worker; other cells there use it as it is"
        >
          <Cpu size={11} aria-hidden="true" /> Lives in the worker
        </span>
        <code className="truncate" title={handle.kind}>
          {shortKind(handle.kind)}
        </code>
        <span className="faint">{formatBytes(handle.size)}</span>
      </div>
      {form === null && <div className="preview-empty">Not looked at yet: the worker was busy</div>}
      {form?.form === "table" && (
        <TablePreview
          rows={(paged?.value ?? form.rows) as Record<string, unknown>[]}
          typed={form.columns}
          place={place}
          label={label}
          total={total}
          onMore={open ? more : undefined}
          onOrder={readMore ? setOrder : undefined}
        />
      )}
      {(form?.form === "list" || form?.form === "object") && (
        <JsonTree value={paged?.value ?? here?.value} place={place} label={label} />
      )}
      {form?.form === "array" && (
        <>
          <div className="handle-array">
            <code>{form.dtype}</code>
            <span className="faint">{form.shape.join(" × ") || "scalar"}</span>
          </div>
          <JsonTree value={form.values} place={place} label={label} />
        </>
      )}
      {form?.form === "image" && (
        <img className="preview-image" src={form.image} alt={`Output ${label}`} draggable={false} />
      )}
      {form?.form === "text" && <TextPreview text={form.text} place={place} />}
      {readable && form.form !== "table" && !open && total > (paged?.loaded ?? here?.count ?? 0) && (
        <div className="large-foot">
          <span className="faint">The first of {total.toLocaleString()}</span>
        </div>
      )}
      {open && form.form !== "table" && (
        <div className="large-foot">
          <span className="faint">
            {(paged?.loaded ?? here?.count ?? 0).toLocaleString()} of {total.toLocaleString()}
          </span>
          <button type="button" className="link-button nodrag" onClick={more} disabled={busy}>
            {busy ? "Loading…" : "Load more"}
          </button>
        </div>
      )}
      {form?.form === "table" && open && (
        <div className="large-foot">
          <button type="button" className="link-button nodrag" onClick={more} disabled={busy}>
            {busy ? "Loading…" : paged ? "Load more" : "Load rows"}
          </button>
        </div>
      )}
      {gone ? (
        <div className="notice warning" role="status" data-testid="value-gone">
          {told !== undefined && place === "node" ? `Gone: ${goneWords(told)[0]}` : goneWords(told ?? "")[1]}
        </div>
      ) : (
        failure !== null && <div className="notice error">Could not load the value: {failure}</div>
      )}
    </div>
  );
}

/** What is here at once of a value that can be read by the page. */
function shownOf(form: Exclude<HandleRef["preview"], null>): { value: unknown; count: number } | null {
  if (form.form === "table") return { value: form.rows, count: form.rows.length };
  if (form.form === "list") return { value: form.values, count: form.values.length };
  if (form.form === "object") return { value: form.value, count: Object.keys(form.value).length };
  return null;
}

/** `pandas.core.frame.DataFrame` -> `pandas.DataFrame`: what its author would call it. */
export function shortKind(kind: string): string {
  const parts = kind.split(".");
  return parts.length > 2 ? `${parts[0]}.${parts.at(-1)}` : kind;
}

/** A value too large to travel with its event: its head at once, the rest by the page when asked. */
import { useState } from "react";
import { type Order, usePaged } from "../../hooks/useLoadValue";
import type { JsonSchema } from "../../store/schema";
import { formatBytes, isRecords, type LargeValue } from "../../store/value_kind";
import { JsonTree } from "./JsonTree";
import { Preview } from "./Preview";
import { TablePreview } from "./TablePreview";

interface LargePreviewProps {
  readonly value: LargeValue;
  readonly schema: JsonSchema | undefined;
  readonly place: "node" | "panel";
  readonly label: string;
}

export function LargePreview({ value, schema, place, label }: LargePreviewProps) {
  const path = value.path ?? "";
  const [order, setOrder] = useState<Order | undefined>(undefined);
  const { paged, busy, failure, more } = usePaged(value.$ref, path, order);
  const shown = paged ? paged.value : value.preview;
  const open = paged === null || paged.more;
  // Where all rows are here they are ordered here; once the server orders them, it goes on doing so.
  const reorder = open || order ? setOrder : undefined;
  return (
    <div className="preview-large">
      {isRecords(shown) || order ? (
        <TablePreview
          rows={shown as Record<string, unknown>[]}
          place={place}
          label={label}
          onMore={open ? more : undefined}
          onOrder={reorder}
          {...(paged ? { total: paged.total ?? 0 } : { head: true })}
        />
      ) : paged && typeof shown === "object" && shown !== null ? (
        <JsonTree
          value={shown}
          place={place}
          label={label}
          hash={value.$ref}
          path={path}
          total={paged.total}
        />
      ) : (
        <Preview value={shown} schema={schema} place={place} label={label} />
      )}
      <div className="large-foot">
        <span className="faint">
          {open ? `Head of ${formatBytes(value.size)}` : formatBytes(value.size)}
          {paged?.total && open
            ? `: ${paged.loaded.toLocaleString()} of ${paged.total.toLocaleString()}`
            : ""}
        </span>
        {open && (
          <button type="button" className="link-button nodrag" onClick={more} disabled={busy}>
            {busy ? "Loading…" : "Load more"}
          </button>
        )}
      </div>
      {failure !== null && <div className="notice error">Could not load the value: {failure}</div>}
    </div>
  );
}

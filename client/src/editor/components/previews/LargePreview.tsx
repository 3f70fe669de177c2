/** A value too large to travel with its event: its head at once, the rest by the page when asked. */
import { useState } from "react";
import { useLoadValue } from "../../hooks/useLoadValue";
import type { JsonSchema } from "../../store/schema";
import { formatBytes, isRecords, type LargeValue } from "../../store/value_kind";
import { Preview } from "./Preview";
import { TablePreview } from "./TablePreview";

interface LargePreviewProps {
  readonly value: LargeValue;
  readonly schema: JsonSchema | undefined;
  readonly place: "node" | "panel";
  readonly label: string;
}

/** Put a page behind what is there already: lists and texts grow, anything else is replaced. */
function joined(before: unknown, page: unknown): unknown {
  if (Array.isArray(before) && Array.isArray(page)) return [...before, ...page];
  if (typeof before === "string" && typeof page === "string") return before + page;
  return page;
}

export function LargePreview({ value, schema, place, label }: LargePreviewProps) {
  const load = useLoadValue();
  const [loaded, setLoaded] = useState<{ value: unknown; total: number | null; more: boolean } | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const shown = loaded?.value ?? value.preview;

  async function more() {
    setBusy(true);
    try {
      const before = loaded?.value;
      const offset = Array.isArray(before) || typeof before === "string" ? before.length : 0;
      const page = await load(value.$ref, offset);
      setLoaded({ value: joined(before, page.value), total: page.total, more: page.more });
      setFailure(null);
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  const table = isRecords(shown);
  return (
    <div className="preview-large">
      {table ? (
        <TablePreview
          rows={shown}
          place={place}
          label={label}
          {...(loaded?.total ? { total: loaded.total } : { head: loaded === null || loaded.more })}
        />
      ) : (
        <Preview value={shown} schema={schema} place={place} label={label} />
      )}
      <div className="large-foot">
        <span className="faint">
          {loaded && !loaded.more ? formatBytes(value.size) : `Head of ${formatBytes(value.size)}`}
        </span>
        {(loaded === null || loaded.more) && (
          <button type="button" className="link-button nodrag" onClick={more} disabled={busy}>
            {busy ? "Loading…" : "Load more"}
          </button>
        )}
      </div>
      {failure !== null && <div className="notice error">Could not load the value: {failure}</div>}
    </div>
  );
}

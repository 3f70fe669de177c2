/** What a node streams, while it does: the end of it in view, how much there is, how fast it comes. */

import { hasGap, type Streamed, streamedValue } from "../../../engine/streamed";
import type { Json } from "../../../protocol";
import type { JsonSchema } from "../../store/schema";
import { formatBytes, isRecords, valueKind } from "../../store/value_kind";
import { JsonTree } from "./JsonTree";
import { Preview } from "./Preview";
import { TablePreview } from "./TablePreview";
import { useFlowing } from "./useFlowing";

interface StreamPreviewProps {
  readonly stream: Streamed;
  readonly schema: JsonSchema | undefined;
  readonly place: "node" | "panel";
  readonly label: string;
  /** Whether more may come: the end is kept in view. */
  readonly streaming: boolean;
  /** Said in the foot, for instance that a slow reader is waited for. */
  readonly note?: string | null | undefined;
}

/** Items of the end that are shown. */
const SHOWN = { node: 20, panel: 100 } as const;

export function StreamPreview({ stream, schema, place, label, streaming, note }: StreamPreviewProps) {
  return (
    <div className="preview-stream" data-streaming={streaming}>
      {stream.kind === "text" ? (
        <Text stream={stream} schema={schema} place={place} label={label} streaming={streaming} />
      ) : (
        stream.kind === "items" && <Items stream={stream} place={place} label={label} streaming={streaming} />
      )}
      <div className="stream-foot" data-testid="stream-foot">
        <span>{amountWords(stream)}</span>
        {streaming && stream.rate !== null && <span>{rateWords(stream, stream.rate)}</span>}
        {hasGap(stream) && !streaming && <span>beginning and end</span>}
        {note && <span className="stream-note">{note}</span>}
      </div>
    </div>
  );
}

function Text({ stream, schema, place, label, streaming }: Omit<StreamPreviewProps, "note">) {
  const whole = streamedValue(stream) as string;
  const text = useFlowing(whole, streaming);
  // Markdown is drawn anew from its beginning, which long text is not worth while it still comes.
  const kind = valueKind(whole, schema) === "markdown" && whole.length > 20_000 ? undefined : schema;
  return <Preview value={text} schema={kind} place={place} streaming={streaming} label={label} />;
}

function Items({ stream, place, label, streaming }: Omit<StreamPreviewProps, "note" | "schema">) {
  const all = streamedValue(stream) as Json[];
  // While it comes the newest are of interest; afterwards both ends are.
  const items = streaming ? all.slice(-SHOWN[place]) : all;
  const first = streaming ? stream.size - items.length : 0;
  if (items.length === 0) return <div className="preview-empty">Nothing yet</div>;
  if (isRecords(items))
    return <TablePreview rows={items} place={place} label={label} total={stream.size} end={streaming} bare />;
  return <JsonTree value={items} place={place} label={label} first={first} />;
}

function amountWords({ kind, size, chunks }: Streamed): string {
  if (kind === "bytes")
    return `${formatBytes(size)} in ${chunks.toLocaleString()} ${chunks === 1 ? "part" : "parts"}`;
  const word = kind === "text" ? "character" : "item";
  return `${size.toLocaleString()} ${word}${size === 1 ? "" : "s"}`;
}

function rateWords({ kind }: Streamed, rate: number): string {
  if (kind === "bytes") return `${formatBytes(Math.round(rate))}/s`;
  return `${rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString()}/s`;
}

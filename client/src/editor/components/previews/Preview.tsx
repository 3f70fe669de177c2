/** Shows one value in the way that suits its kind; heavy kinds are fetched only when first needed. */
import { lazy, memo, Suspense } from "react";
import { Boundary } from "../../../app/components/Boundary";
import { isHandle } from "../../../protocol";
import type { JsonSchema } from "../../store/schema";
import { formatBytes, isLarge, valueKind } from "../../store/value_kind";
import { HandlePreview } from "./HandlePreview";
import { JsonTree } from "./JsonTree";
import { LargePreview } from "./LargePreview";
import { TablePreview } from "./TablePreview";
import { TextPreview } from "./TextPreview";

const MarkdownPreview = lazy(() => import("./MarkdownPreview"));
const PlotPreview = lazy(() => import("./PlotPreview"));

export interface PreviewProps {
  readonly value: unknown;
  readonly schema?: JsonSchema | undefined;
  /** `node` is compact and bounded in height; `panel` may be taller and offers more. */
  readonly place?: "node" | "panel";
  /** True while more is still arriving: the end is kept in view. */
  readonly streaming?: boolean;
  readonly label?: string;
}

/** Shows a value; one that cannot be drawn says so and leaves the rest of the canvas alone. */
export const Preview = memo(function Preview(props: PreviewProps) {
  return (
    <Boundary
      instead={(error, again) => (
        <div className="preview-empty">
          This value cannot be shown: {error.message}{" "}
          <button type="button" className="link-button nodrag" onClick={again}>
            Try again
          </button>
        </div>
      )}
    >
      <Shown {...props} />
    </Boundary>
  );
});

function Shown({ value, schema, place = "node", streaming, label }: PreviewProps) {
  const name = label ?? "value";
  switch (valueKind(value, schema)) {
    case "empty":
      return <div className="preview-empty">No value</div>;
    case "scalar":
      return <div className={`preview-scalar ${value === null ? "is-null" : ""}`}>{String(value)}</div>;
    case "markdown":
      return (
        <Suspense fallback={<TextPreview text={value as string} place={place} />}>
          <MarkdownPreview text={value as string} place={place} streaming={streaming ?? false} />
        </Suspense>
      );
    case "text":
      return <TextPreview text={value as string} place={place} streaming={streaming ?? false} />;
    case "table":
      return <TablePreview rows={value as Record<string, unknown>[]} place={place} label={name} />;
    case "image":
      return <img className="preview-image" src={value as string} alt={`Output ${name}`} draggable={false} />;
    case "bytes":
      return <BytesPreview url={value as string} label={name} />;
    case "plot":
      return (
        <Suspense fallback={<div className="preview-empty">Drawing…</div>}>
          <PlotPreview spec={value as Record<string, unknown>} place={place} label={name} />
        </Suspense>
      );
    case "large":
      return isLarge(value) ? (
        <LargePreview value={value} schema={schema} place={place} label={name} />
      ) : null;
    case "handle":
      return isHandle(value) ? <HandlePreview handle={value} place={place} label={name} /> : null;
    case "json":
      return <JsonTree value={value} place={place} label={name} />;
  }
}

/** Bytes that are no picture: their media type, size, and a way to save them. */
function BytesPreview({ url, label }: { readonly url: string; readonly label: string }) {
  const media = url.slice(5, url.search(/[;,]/));
  const body = url.slice(url.indexOf(",") + 1);
  const size = url.includes(";base64,") ? Math.floor((body.length * 3) / 4) : decodeURIComponent(body).length;
  return (
    <div className="preview-bytes">
      <span className="badge">{media || "bytes"}</span>
      <span className="faint">{formatBytes(size)}</span>
      <a className="nodrag" href={url} download={label}>
        Save
      </a>
    </div>
  );
}

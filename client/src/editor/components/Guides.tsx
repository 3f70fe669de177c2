/** The lines along which a dragged node lines up with others. */
import { ViewportPortal } from "@xyflow/react";
import type { Guide } from "../store/guides";

const LONG = 20_000;

export function Guides({ guides }: { guides: readonly Guide[] }) {
  if (guides.length === 0) return null;
  return (
    <ViewportPortal>
      {guides.map((guide) => (
        <div
          key={guide.axis}
          className="guide"
          style={
            guide.axis === "x"
              ? { left: guide.at, top: -LONG, width: 1, height: 2 * LONG }
              : { top: guide.at, left: -LONG, height: 1, width: 2 * LONG }
          }
        />
      ))}
    </ViewportPortal>
  );
}

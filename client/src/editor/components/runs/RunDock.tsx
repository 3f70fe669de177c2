/** Below the canvas: when the nodes of a run ran, or how two runs differ. */
import { RefreshCw, X } from "lucide-react";
import { useStore } from "../../../store";
import { useRunDesk } from "../../hooks/useRunDesk";
import { CompareTable } from "./CompareTable";
import { TimelineChart } from "./TimelineChart";

export function RunDock() {
  const desk = useRunDesk();
  const dock = useStore(desk.dock);
  const timed = useStore(desk.timeline.now);
  if (!dock) return null;
  return (
    <section
      className="console run-dock"
      aria-label={dock === "timeline" ? "Timeline" : "Comparison"}
      data-testid="run-dock"
    >
      <header className="console-bar">
        <h2>{dock === "timeline" ? "Timeline" : "Two runs compared"}</h2>
        <DockFacts />
        {dock === "timeline" && timed && (
          <button
            type="button"
            className="icon-button small"
            aria-label="Read it again"
            title="Read it again"
            onClick={() => void desk.timeline.load(timed.run)}
          >
            <RefreshCw size={13} />
          </button>
        )}
        <button
          type="button"
          className="icon-button small"
          aria-label="Close"
          title="Close"
          data-testid="dock-close"
          onClick={() => desk.closeDock()}
        >
          <X size={14} />
        </button>
      </header>
      {dock === "timeline" ? <TimelineChart /> : <CompareTable />}
    </section>
  );
}

/** What the bars and marks mean, beside the title. */
function DockFacts() {
  const desk = useRunDesk();
  const dock = useStore(desk.dock);
  const found = useStore(desk.comparison.now, (now) => (now?.state === "open" ? now.found : null));
  if (dock === "timeline")
    return (
      <span className="faint timeline-legend">
        <i data-state="queued" /> queued <i data-state="waiting" /> waiting <i data-state="running" /> running
      </span>
    );
  if (!found) return <span className="faint" />;
  const count = (what: string) => found.nodes.filter((node) => node.what === what).length;
  const said = [
    `${count("changed")} changed`,
    `${count("same")} same`,
    count("before") ? `${count("before")} only before` : "",
    count("after") ? `${count("after")} only after` : "",
  ].filter(Boolean);
  return <span className="faint">{said.join(", ")}</span>;
}

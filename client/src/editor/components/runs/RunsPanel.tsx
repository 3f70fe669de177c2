/** Everything about runs: the list of them, the queues they wait in, and what they took. */
import { useState } from "react";
import { QueuesView } from "./QueuesView";
import { RunListView } from "./RunListView";
import { UsageView } from "./UsageView";

const VIEWS = [
  ["runs", "Runs", RunListView],
  ["queues", "Queues", QueuesView],
  ["usage", "Usage", UsageView],
] as const;

export function RunsPanel() {
  const [shown, setShown] = useState<(typeof VIEWS)[number][0]>("runs");
  const View = VIEWS.find(([name]) => name === shown)?.[2] ?? RunListView;
  return (
    <div className="side-body runs" data-testid="history">
      <div className="segmented run-tabs" role="tablist" aria-label="What about runs">
        {VIEWS.map(([name, title]) => (
          <button
            key={name}
            type="button"
            role="tab"
            aria-selected={shown === name}
            data-testid={`runs-tab-${name}`}
            onClick={() => setShown(name)}
          >
            {title}
          </button>
        ))}
      </div>
      <View />
    </div>
  );
}

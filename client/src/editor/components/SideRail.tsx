/** The strip at the left that opens one panel at a time. */
import {
  CalendarClock,
  Cpu,
  FlaskConical,
  History,
  Library,
  ListTree,
  MessageSquare,
  Milestone,
  SquareTerminal,
} from "lucide-react";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import type { SidePanel } from "../store/editor";
import { CommentsPanel } from "./comments/CommentsPanel";
import { LibraryPanel } from "./LibraryPanel";
import { OutlinePanel } from "./OutlinePanel";
import { RunsPanel } from "./runs/RunsPanel";
import { SchedulesPanel } from "./schedules/SchedulesPanel";
import { TestsPanel } from "./tests/TestsPanel";
import { VersionsPanel } from "./versions/VersionsPanel";
import { WorkerPanel } from "./workers/WorkerPanel";

const PANELS: readonly {
  panel: SidePanel;
  title: string;
  icon: typeof Library;
  body: () => React.ReactNode;
}[] = [
  { panel: "library", title: "Library", icon: Library, body: LibraryPanel },
  { panel: "outline", title: "Nodes", icon: ListTree, body: OutlinePanel },
  { panel: "comments", title: "Comments", icon: MessageSquare, body: CommentsPanel },
  { panel: "history", title: "Runs", icon: History, body: RunsPanel },
  { panel: "tests", title: "Tests", icon: FlaskConical, body: TestsPanel },
  { panel: "schedules", title: "Schedules", icon: CalendarClock, body: SchedulesPanel },
  { panel: "versions", title: "Versions", icon: Milestone, body: VersionsPanel },
  { panel: "worker", title: "Worker", icon: Cpu, body: WorkerPanel },
];

export function SideRail() {
  const editor = useEditor();
  const open = useStore(editor.panel);
  const consoleOpen = useStore(editor.console);
  const entry = PANELS.find((one) => one.panel === open);
  const Body = entry?.body;
  return (
    <>
      <nav className="rail" aria-label="Panels">
        {PANELS.map(({ panel, title, icon: Icon }) => (
          <button
            key={panel}
            type="button"
            className="icon-button"
            aria-label={title}
            aria-pressed={open === panel}
            title={title}
            data-testid={`panel-${panel}`}
            onClick={() => editor.togglePanel(panel)}
          >
            <Icon size={17} />
          </button>
        ))}
        <div className="spacer" />
        <button
          type="button"
          className="icon-button"
          aria-label="Console"
          aria-pressed={consoleOpen}
          title="Console"
          data-testid="panel-console"
          onClick={() => editor.console.set(!consoleOpen)}
        >
          <SquareTerminal size={17} />
        </button>
      </nav>
      {entry && Body && (
        <aside className="side" aria-label={entry.title} data-panel={entry.panel}>
          <header className="side-head">
            <h2>{entry.title}</h2>
          </header>
          <Body />
        </aside>
      )}
    </>
  );
}

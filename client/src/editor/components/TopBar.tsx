/** The bar above the canvas: where one is, whether it is saved, running, and who else is here. */
import { HelpCircle, Search, Share2, TriangleAlert } from "lucide-react";
import { BrandMark } from "../../app/components/Brand";
import { Link } from "../../app/components/Link";
import { ThemeButton } from "../../app/components/ThemeButton";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { renameCanvas } from "../store/actions";
import { keysOf } from "../store/commands";
import { problemTone } from "../store/graph";
import { Breadcrumb } from "./Breadcrumb";
import { ConnectionIndicator } from "./ConnectionIndicator";
import { InboxButton } from "./comments/InboxButton";
import { PresenceBar } from "./PresenceBar";
import { RunControls } from "./RunControls";
import { SaveIndicator } from "./SaveIndicator";
import { TasksButton } from "./tasks/TasksButton";
import { WorkerMenu } from "./workers/WorkerMenu";

export function TopBar() {
  const editor = useEditor();
  const name = useStore(editor.document.spell, (spell) => spell.name);
  const editable = useStore(editor.document.editable);
  const role = useStore(editor.document.role);
  return (
    <header className="topbar">
      <Link to="/" className="brand" aria-label="All canvases" title="All canvases">
        <BrandMark size={22} />
      </Link>
      <Breadcrumb />
      <input
        key={name}
        className="title-field canvas-name"
        aria-label="Name of the canvas"
        data-testid="canvas-name"
        defaultValue={name}
        readOnly={!editable}
        size={Math.min(Math.max(name.length, 6), 36)}
        onBlur={(event) => {
          const next = event.target.value.trim();
          if (next !== "" && next !== name) renameCanvas(editor, next);
        }}
        onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
      />
      <SaveIndicator />
      <ConnectionIndicator />
      <ProblemsButton />
      <div className="spacer" />
      <RunControls />
      <WorkerMenu />
      <div className="spacer" />
      <PresenceBar />
      {role !== null && (
        <button
          type="button"
          className="icon-button"
          aria-label={role === "owner" ? "Share" : "Who is on this canvas"}
          title={role === "owner" ? "Share" : "Who is on this canvas"}
          onClick={() => editor.share.set(true)}
          data-testid="share-button"
        >
          <Share2 size={16} />
        </button>
      )}
      <button
        type="button"
        className="icon-button"
        aria-label="Search"
        title={`Search  ${keysOf("palette")}`}
        onClick={() => editor.palette.set({ mode: "all" })}
      >
        <Search size={16} />
      </button>
      <TasksButton />
      <InboxButton />
      <ThemeButton />
      <button
        type="button"
        className="icon-button"
        aria-label="All shortcuts"
        title="Shortcuts  ?"
        onClick={() => editor.shortcuts.set(true)}
      >
        <HelpCircle size={16} />
      </button>
    </header>
  );
}

/** How many things are wrong with the spell; opens their list. */
function ProblemsButton() {
  const editor = useEditor();
  const problems = useStore(editor.document.problems);
  if (problems.length === 0) return null;
  const words = `${problems.length} ${problems.length === 1 ? "problem" : "problems"}`;
  const wrong = problems.some((problem) => problemTone(problem) === "error");
  return (
    <button
      type="button"
      className="indicator"
      data-tone={wrong ? "bad" : "warn"}
      data-testid="problems-button"
      title="Show what is wrong"
      onClick={() => {
        editor.select([]);
        editor.showInspector();
      }}
    >
      <TriangleAlert size={13} />
      {words}
    </button>
  );
}

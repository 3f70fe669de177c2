/** The tests of this canvas: how each came out, what it claims, and how a run becomes one. */
import { FlaskConical, Play } from "lucide-react";
import { useState } from "react";
import { ended } from "../../../engine/reduce";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useTestDesk } from "../../hooks/useTestDesk";
import { MakeTest } from "./MakeTest";
import { TestRow } from "./TestRow";

export function TestsPanel() {
  const editor = useEditor();
  const desk = useTestDesk();
  const tests = useStore(editor.document.spell, (spell) => spell.tests);
  const editable = useStore(editor.document.editable);
  const role = useStore(editor.document.role);
  const failure = useStore(desk.failure);
  const running = useStore(desk.running, (ids) => ids.size > 0);
  const opened = useStore(desk.opened);
  const run = useShownRun();
  const [making, setMaking] = useState(false);
  const canRun = role !== null && role !== "viewer";
  const rows = Object.entries(tests).sort(byName);
  return (
    <div className="side-body tests" data-testid="tests">
      <div className="tests-head">
        {editable && (
          <button
            type="button"
            className="button"
            disabled={run === null}
            title={run === null ? "Run the canvas first" : "What the shown run left becomes a test"}
            data-testid="make-test"
            onClick={() => setMaking(true)}
          >
            <FlaskConical size={13} aria-hidden="true" /> Test from run
          </button>
        )}
        {rows.length > 0 && (
          <button
            type="button"
            className="button"
            disabled={!canRun || running}
            data-testid="run-tests"
            onClick={() => void desk.run()}
          >
            <Play size={12} fill="currentColor" aria-hidden="true" /> Run all
          </button>
        )}
      </div>
      {rows.length > 0 && <Tally ids={rows.map(([id]) => id)} />}
      <div className="scroll side-scroll">
        {failure !== null && (
          <div className="notice error" role="alert" data-testid="tests-failure">
            {failure}
          </div>
        )}
        {rows.length === 0 && <NoTests editable={editable} run={run !== null} />}
        <ul className="plain-list">
          {rows.map(([id, test]) => (
            <li key={id}>
              <TestRow id={id} test={test} open={opened === id} editable={editable} canRun={canRun} />
            </li>
          ))}
        </ul>
      </div>
      {making && run !== null && <MakeTest run={run} onClose={() => setMaking(false)} />}
    </div>
  );
}

/** The run whose states are on the canvas, once it has ended: the one looked at, else the last. */
function useShownRun() {
  const editor = useEditor();
  const viewing = useStore(editor.viewing);
  const current = useStore(editor.workbench.runs.current);
  const run = viewing ?? current;
  return run !== null && run.mode === "once" && ended(run.status) ? run : null;
}

function NoTests({ editable, run }: { readonly editable: boolean; readonly run: boolean }) {
  return (
    <div className="menu-note" data-testid="no-tests">
      <p>This canvas has no tests yet.</p>
      {editable && (
        <p>
          {run
            ? "Choose “Test from run”: what the shown run gave is then what must come out."
            : "Run the canvas, then choose “Test from run”: what the run gave is then what must come out."}{" "}
          Nodes that call others or cost money are recorded, and not called again.
        </p>
      )}
    </div>
  );
}

/** How many of the tests passed, told to who does not see the list too. */
function Tally({ ids }: { readonly ids: readonly string[] }) {
  const desk = useTestDesk();
  const tested = useStore(desk.tested);
  const running = useStore(desk.running);
  const outcomes = ids.map((id) => (running.has(id) ? "running" : tested[id]?.result.outcome));
  const count = (which: string) => outcomes.filter((each) => each === which).length;
  const parts = [
    [count("passed"), "passed"],
    [count("failed"), "failed"],
    [count("error"), "cannot run"],
    [count("running"), "running"],
  ] as const;
  const told = parts.filter(([many]) => many > 0).map(([many, word]) => `${many} ${word}`);
  const all = ids.length === 1 ? "1 test" : `${ids.length} tests`;
  return (
    <p className="tests-tally" role="status" data-testid="tests-tally">
      {[all, ...told].join(", ")}
    </p>
  );
}

function byName(
  [one, { name: a = "" }]: [string, { name?: string }],
  [other, { name: b = "" }]: [string, { name?: string }],
) {
  return a.localeCompare(b, undefined, { numeric: true }) || one.localeCompare(other);
}

/** What the inspector says while nothing is selected: the canvas, its last run, and what is wrong. */
import { CheckCircle2 } from "lucide-react";
import { lastedWords } from "../../runs";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useTitleOf } from "../hooks/useTitle";
import { renameCanvas } from "../store/actions";
import { problemTone } from "../store/graph";
import { formatDuration } from "../store/value_kind";
import { runWords } from "../store/why";
import { ProblemText } from "./ProblemText";
import { UpdateButton } from "./UpdateNode";

export function CanvasFacts() {
  const editor = useEditor();
  const spell = useStore(editor.document.spell);
  const titleOf = useTitleOf();
  const role = useStore(editor.document.role);
  const run = useStore(editor.workbench.runs.current);
  const problems = useStore(editor.document.problems);
  const editable = useStore(editor.document.editable);
  const outdated = problems.flatMap(({ node, details }) => (node && details?.newest ? [node] : []));
  const count = (things: object, one: string, many: string) => {
    const amount = Object.keys(things).length;
    return `${amount} ${amount === 1 ? one : many}`;
  };
  return (
    <>
      <header className="inspector-head">
        <input
          key={spell.name}
          className="title-field"
          aria-label="Name of the spell"
          defaultValue={spell.name}
          readOnly={!editable}
          onBlur={(event) => {
            const name = event.target.value.trim();
            if (name !== "" && name !== spell.name) renameCanvas(editor, name);
          }}
          onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
        />
      </header>
      <dl className="facts">
        <dt>Contains</dt>
        <dd>
          {count(spell.nodes, "node", "nodes")}, {count(spell.edges, "wire", "wires")}
        </dd>
        <dt>Your role</dt>
        <dd>{role ?? "…"}</dd>
        {run && (
          <>
            <dt>Last run</dt>
            <dd>
              {run.startedAt && run.endedAt
                ? lastedWords(runWords(run).word, formatDuration(run.endedAt - run.startedAt))
                : runWords(run).word}
            </dd>
          </>
        )}
      </dl>
      <h3 className="side-heading">Problems</h3>
      {outdated.length > 1 && (
        <UpdateButton nodes={outdated} label={`Update all ${outdated.length} old nodes`} />
      )}
      {problems.length === 0 ? (
        <p className="all-well">
          <CheckCircle2 size={14} /> Nothing is wrong
        </p>
      ) : (
        <ul className="plain-list">
          {problems.slice(0, 100).map((problem) => {
            const at = problem.node ?? problem.edge;
            return (
              <li key={`${at} ${problem.port} ${problem.code} ${problem.message}`}>
                <button
                  type="button"
                  className={`problem-row ${problemTone(problem)}`}
                  onClick={() => {
                    if (problem.node) editor.reveal(problem.node);
                    else if (problem.edge) editor.select([problem.edge]);
                  }}
                >
                  {problem.node && <strong>{titleOf(spell.nodes[problem.node])} </strong>}
                  {problem.node ? <ProblemText problem={problem} /> : problem.message}
                </button>
                {problem.node && typeof problem.details?.newest === "number" && (
                  <UpdateButton nodes={[problem.node]} label="Update" />
                )}
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}

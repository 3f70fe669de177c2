/** The form in which a run becomes a test: its name, what is recorded of the run, and what must come out again. */
import { useState } from "react";
import type { RunState } from "../../../engine/types";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useTestDesk } from "../../hooks/useTestDesk";
import { useTitleOf } from "../../hooks/useTitle";
import { Sheet } from "../Sheet";
import { FormRow } from "../schedules/FormRow";

interface MakeTestProps {
  readonly run: RunState;
  readonly onClose: () => void;
}

export function MakeTest({ run, onClose }: MakeTestProps) {
  const editor = useEditor();
  const desk = useTestDesk();
  const nodes = useNodes(run);
  const [name, setName] = useState("");
  // Null: the server chooses.
  const [record, setRecord] = useState<readonly string[] | null>(null);
  const [expected, setExpected] = useState<readonly string[] | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const unnamed = name.trim() === "";
  const make = async () => {
    setTried(true);
    if (unnamed || busy) return;
    setBusy(true);
    const why = await desk.make(run.id, {
      name: name.trim(),
      ...(record && { record }),
      ...(expected && { expect: expected }),
    });
    setBusy(false);
    setRefused(why);
    if (why !== null) return;
    const made = desk.opened.get();
    editor.toasts.show({
      tone: "done",
      title: `Made the test “${name.trim()}”`,
      // It was written by the server: the undo of this tab does not know it.
      action: { label: "Undo", run: () => made !== null && editor.document.removeTest(made) },
    });
    onClose();
  };
  const when = new Date(run.createdAt * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return (
    <Sheet title="Test from a run" onClose={onClose} testid="make-test-sheet">
      <form
        className="trigger-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <p className="faint">Of the run of {when}. The test is kept with the canvas, and can be edited.</p>
        <FormRow label="Name" fault={tried && unnamed ? "Give it a name" : undefined}>
          {(aria) => (
            <input
              className="field"
              maxLength={200}
              autoComplete="off"
              data-first-field
              data-testid="test-name"
              {...aria}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </FormRow>
        <NodeChoice
          legend="Recorded, and not called again"
          auto="By default: what has side effects, may cost money, or need not give the same again"
          nodes={nodes}
          chosen={record}
          testid="record"
          onChoose={setRecord}
        />
        <NodeChoice
          legend="Must give what it gave"
          auto="By default: the last nodes, which nothing else needs"
          nodes={nodes}
          chosen={expected}
          testid="expect"
          onChoose={setExpected}
        />
        {refused !== null && (
          <div className="notice error" role="alert" data-testid="make-test-refused">
            {refused}
          </div>
        )}
        <div className="sheet-foot">
          <span className="grow" />
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary" disabled={busy} data-testid="make-test-save">
            Make the test
          </button>
        </div>
      </form>
    </Sheet>
  );
}

interface Choosable {
  readonly id: string;
  readonly title: string;
}

/** The nodes of the run with the names that they have on the canvas, in the order of the run. */
function useNodes(run: RunState): readonly Choosable[] {
  const editor = useEditor();
  const spell = useStore(editor.document.spell);
  const titleOf = useTitleOf();
  const ids = run.order.length > 0 ? run.order : Object.keys(run.nodes).filter((id) => !id.includes("/"));
  return ids.map((id) => {
    const node = spell.nodes[id];
    return { id, title: node ? titleOf(node) : id };
  });
}

interface NodeChoiceProps {
  readonly legend: string;
  readonly auto: string;
  readonly nodes: readonly Choosable[];
  readonly chosen: readonly string[] | null;
  readonly testid: string;
  readonly onChoose: (chosen: readonly string[] | null) => void;
}

function NodeChoice({ legend, auto, nodes, chosen, testid, onChoose }: NodeChoiceProps) {
  const turn = (id: string, on: boolean) =>
    onChoose(nodes.map((node) => node.id).filter((each) => (each === id ? on : chosen?.includes(each))));
  return (
    <fieldset className="trigger-checks" data-testid={`${testid}-choice`}>
      <legend>{legend}</legend>
      <label>
        <input
          type="checkbox"
          checked={chosen === null}
          data-testid={`${testid}-auto`}
          onChange={(event) => onChoose(event.target.checked ? null : [])}
        />{" "}
        {auto}
      </label>
      {chosen !== null && (
        <div className="test-choice scroll">
          {nodes.map(({ id, title }) => (
            <label key={id}>
              <input
                type="checkbox"
                checked={chosen.includes(id)}
                data-testid={`${testid}-${id}`}
                onChange={(event) => turn(id, event.target.checked)}
              />{" "}
              {title} <span className="faint">{title === id ? "" : id}</span>
            </label>
          ))}
        </div>
      )}
    </fieldset>
  );
}

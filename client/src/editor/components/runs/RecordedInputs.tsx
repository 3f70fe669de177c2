/** What went into a node of the run that is looked at: from the record, nothing is called. */
import { LoaderCircle, RefreshCw } from "lucide-react";
import { useEffect, useState } from "react";
import type { RecordedInputsView } from "../../../protocol/generated";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useRunDesk } from "../../hooks/useRunDesk";
import { runWithTheseInputs } from "../../store/past_runs";
import { Preview } from "../previews/Preview";
import { Section } from "../Section";

/** Shown while a past run is on the canvas; of a node that had not begun at that moment nothing went in yet. */
export function RecordedInputs({ id }: { id: string }) {
  const editor = useEditor();
  const run = useStore(editor.viewing, (viewed) => viewed?.id);
  const begun = useStore(editor.viewing, (viewed) => {
    const state = viewed?.nodes[id]?.state;
    return state !== undefined && state !== "queued" && state !== "waiting";
  });
  if (run === undefined) return null;
  return (
    <Section title="What went in then" open>
      {begun ? <Inputs key={run} run={run} node={id} /> : <p className="faint">It had not begun by then.</p>}
    </Section>
  );
}

function Inputs({ run, node }: { run: string; node: string }) {
  const editor = useEditor();
  const desk = useRunDesk();
  const [found, setFound] = useState<RecordedInputsView | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    desk.inputs(run, node).then(
      (answer) => wanted && setFound(answer),
      (error: unknown) => wanted && setFailure(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      wanted = false;
    };
  }, [desk, run, node]);
  if (failure) return <p className="faint">{failure}</p>;
  if (!found)
    return (
      <p className="faint" role="status">
        <LoaderCircle size={12} className="spin" aria-hidden="true" /> Looking
      </p>
    );
  const ports = Object.entries(found.inputs);
  const lost = Object.entries(found.not_kept);
  return (
    <div className="recorded-inputs" data-testid="recorded-inputs">
      {ports.map(([port, value]) => (
        <div key={port}>
          <span className="recorded-port">{port}</span>
          <Preview value={value} place="panel" label={port} />
        </div>
      ))}
      {lost.map(([port, why]) => (
        <p key={port} className="faint">
          <span className="recorded-port">{port}</span> {why}
        </p>
      ))}
      {ports.length + lost.length === 0 && <p className="faint">Nothing went in.</p>}
      <button
        type="button"
        className="button"
        data-testid="run-again-here"
        onClick={() => void runWithTheseInputs(editor, desk, run, node)}
      >
        <RefreshCw size={13} aria-hidden="true" /> Run again from here with these inputs
      </button>
    </div>
  );
}

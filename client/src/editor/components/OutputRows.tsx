/** What the last run left at a node: outputs, failure, log. */
import type { NodeRun } from "../../engine/types";
import { useNodeStatus } from "../hooks/useNode";
import { inPortOrder, type ShownPorts, shortMessage } from "../store/graph";
import { schemaOf } from "../store/library";
import { nextStep } from "../store/toasts";
import { words } from "./NodeBody";
import { portColour } from "./PortHandle";
import { Preview } from "./previews/Preview";

interface OutputRowsProps {
  readonly id: string;
  readonly ports: ShownPorts;
}

export function OutputRows({ id, ports }: OutputRowsProps) {
  const status = useNodeStatus(id);
  if (!status) return <p className="faint">Not run yet. What it gives appears here.</p>;
  const { last, state } = status;
  const streaming = state === "running";
  const values = streaming ? last.streamed : (last.outputs ?? last.streamed);
  return (
    <>
      {last.why && <p className="faint">{whyWords(last.why)}</p>}
      {state === "stale" && (
        <p className="notice warning">Something it was made from has changed. Run again to renew it.</p>
      )}
      {last.error && <FailureDetails run={last} />}
      {last.message && !last.error && <p className="faint">{last.message}</p>}
      {inPortOrder<unknown>(values, ports.outputs).map(([name, value]) => {
        const port = ports.outputs.find((output) => output.name === name);
        return (
          <div className="output-row" key={name}>
            <div className="input-head">
              {port && (
                <span className="port-dot" style={{ background: portColour(port) }} aria-hidden="true" />
              )}
              <span>{name}</span>
            </div>
            <div className="output-box">
              <Preview
                value={value}
                schema={port ? schemaOf(port) : undefined}
                place="panel"
                streaming={streaming}
                label={name}
              />
            </div>
          </div>
        );
      })}
      {last.logs.length > 0 && <Log run={last} />}
    </>
  );
}

function whyWords(why: string): string {
  if (why === "cached") return "Nothing had changed: taken from the cache.";
  return `Ran because: ${why}.`;
}

function FailureDetails({ run }: { run: NodeRun }) {
  const { error } = run;
  if (!error) return null;
  return (
    <div className="notice error failure" data-testid="failure-details">
      <div>
        <strong>
          {words(error.code)}
          {error.port ? ` at “${error.port}”` : ""}
        </strong>
        <p>{shortMessage(error.message)}</p>
        {nextStep(error.code) && <p className="faint">{nextStep(error.code)}</p>}
        {(error.attempts ?? 1) > 1 && <p className="faint">Tried {error.attempts} times.</p>}
        {error.traceback && (
          <details>
            <summary>Traceback</summary>
            <pre className="scroll">{error.traceback}</pre>
          </details>
        )}
      </div>
    </div>
  );
}

function Log({ run }: { run: NodeRun }) {
  return (
    <details className="node-log-list" open={run.state === "failed"}>
      <summary>
        Log, {run.logs.length} {run.logs.length === 1 ? "line" : "lines"}
      </summary>
      <div className="scroll">
        {run.logs.slice(-200).map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity of their own
          <div key={index} className="console-line" data-level={line.level}>
            <span className="console-text">{line.message}</span>
          </div>
        ))}
      </div>
    </details>
  );
}

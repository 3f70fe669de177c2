/** What a node shows below its ports: code, what is wrong, what streams in, and its outputs. */
import { memo } from "react";
import type { NodeFailure, NodeType, Outputs, Problem, SpellNode } from "../../protocol";
import { useEditor } from "../hooks/useEditor";
import type { ShownStatus } from "../hooks/useNode";
import { inPortOrder, problemTone, shortMessage } from "../store/graph";
import { schemaOf } from "../store/library";
import { nextStep } from "../store/toasts";
import { Preview } from "./previews/Preview";

const CODE_LINES = 7;

interface NodeBodyProps {
  readonly id: string;
  readonly node: SpellNode;
  readonly type: NodeType | undefined;
  readonly unknown: boolean;
  readonly status: ShownStatus | undefined;
  readonly problems: readonly Problem[];
}

export const NodeBody = memo(function NodeBody({ id, node, type, unknown, status, problems }: NodeBodyProps) {
  const failed = status?.state === "failed" ? status.last.error : null;
  const error = failed ? undefined : problems.find((problem) => problem.severity === "error");
  const shown = status && status.state !== "failed" ? shownOutputs(status) : null;
  const log = status?.state === "running" || status?.state === "failed" ? status.last.logs.at(-1) : undefined;
  const saying = status?.state === "running" ? status.last.message : null;
  const hasCode = node.code !== undefined;
  if (!hasCode && !unknown && !failed && !error && !shown && !log && !saying) return null;
  return (
    <div className="node-body">
      {unknown && (
        <div className="node-error warning">
          <strong>“{node.type}” is not installed here</strong>
          <span className="next">The node is kept as it is. Ask for its pack, or remove the node.</span>
        </div>
      )}
      {hasCode && <CodeGlance id={id} code={node.code ?? ""} />}
      {failed && <Failure error={failed} />}
      {error && !unknown && <ProblemNotice problem={error} />}
      {(saying || log) && <div className="node-log">{saying || log?.message}</div>}
      {shown &&
        inPortOrder(shown.values, type?.outputs ?? []).map(([port, value], index, all) => {
          const declared = type?.outputs.find((output) => output.name === port);
          return (
            <section
              className="node-output"
              key={port}
              aria-label={`Output ${port}`}
              data-testid={`node-${id}-output-${port}`}
            >
              {all.length > 1 && <div className="node-output-name">{port}</div>}
              {index < 3 && (
                <Preview
                  value={value}
                  schema={declared ? schemaOf(declared) : undefined}
                  streaming={shown.streaming}
                  label={port}
                />
              )}
            </section>
          );
        })}
    </div>
  );
});

/** The values to show: what streams while it runs, else the outputs. */
function shownOutputs({ state, last }: ShownStatus): { values: Outputs; streaming: boolean } | null {
  const streamed = last.streamed as Outputs;
  if (state === "running" && Object.keys(streamed).length > 0) return { values: streamed, streaming: true };
  if (last.outputs && Object.keys(last.outputs).length > 0) return { values: last.outputs, streaming: false };
  return Object.keys(streamed).length > 0 ? { values: streamed, streaming: false } : null;
}

function CodeGlance({ id, code }: { id: string; code: string }) {
  const editor = useEditor();
  const lines = code.split("\n");
  const cut = lines.length > CODE_LINES;
  return (
    <pre
      className={`node-code ${code.trim() === "" ? "is-empty" : ""}`}
      title="Double-click to edit"
      onDoubleClick={(event) => {
        event.stopPropagation();
        editor.writeCode(id);
      }}
    >
      {code.trim() === ""
        ? "No code yet: double-click to write"
        : cut
          ? lines.slice(0, CODE_LINES).join("\n")
          : code}
    </pre>
  );
}

function Failure({ error }: { error: NodeFailure }) {
  const next = nextStep(error.code) ?? "Select the node to see the details.";
  return (
    <div className="node-error" data-testid="node-error">
      <strong>{error.port ? `${words(error.code)} at “${error.port}”` : words(error.code)}</strong>
      <p>{shortMessage(error.message)}</p>
      <span className="next">{next}</span>
    </div>
  );
}

function ProblemNotice({ problem }: { problem: Problem }) {
  return (
    <div className={`node-error ${problemTone(problem)}`} data-testid="node-problem">
      <p>{shortMessage(problem.message)}</p>
    </div>
  );
}

/** `worker_died` -> `Worker died`. */
export function words(code: string): string {
  const plain = code.replaceAll("_", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** What a node shows below its ports: code, what is wrong, what streams in, and its outputs. */
import { memo } from "react";
import type { Streamed } from "../../engine/streamed";
import type { NodeFailure, NodeType, Outputs, Problem, SpellNode } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { type ShownStatus, useDraftOutputs, useNodeType } from "../hooks/useNode";
import { failureText, inPortOrder, problemTone } from "../store/graph";
import { schemaOf } from "../store/library";
import { RESERVED_OUTPUTS } from "../store/passages";
import { nextStepOfNode } from "../store/toasts";
import { DRAFT_WORDS, type ShownState, shortWhy, withTitles } from "../store/why";
import { ProblemText } from "./ProblemText";
import { Preview } from "./previews/Preview";
import { StreamPreview } from "./previews/StreamPreview";
import { ShowFailed } from "./ShowFailed";
import { useTitleIn } from "./WhyLine";

const CODE_LINES = 7;

interface NodeBodyProps {
  readonly id: string;
  readonly node: SpellNode;
  readonly type: NodeType | undefined;
  readonly unknown: boolean;
  readonly state: ShownState | undefined;
  readonly status: ShownStatus | undefined;
  readonly problems: readonly Problem[];
}

export const NodeBody = memo(function NodeBody(props: NodeBodyProps) {
  const { id, node, type, unknown, state, status, problems } = props;
  const draft = useDraftOutputs(id);
  const failed = !draft && status?.state === "failed" && state === "failed" ? status.last.error : null;
  const error = failed ? undefined : problems.find((problem) => problem.severity === "error");
  const shown = failed ? null : draft ? drafted(draft) : shownOutputs(node, state, status);
  const log = status?.state === "running" || status?.state === "failed" ? status.last.logs.at(-1) : undefined;
  const saying = status?.state === "running" && !status.last.waiting ? status.last.message : null;
  // The foot of a stream says itself what it waits for.
  const editor = useEditor();
  const titleIn = useTitleIn();
  const short = draft
    ? DRAFT_WORDS
    : state && !shown?.note
      ? shortWhy(state, status?.last, status?.gone)
      : null;
  const spell = editor.document.spell.get();
  const why = short && withTitles(short, { spell, title: (other) => titleIn(spell, other) });
  // Code that a body stands in for is not asked for.
  const hasCode = node.code !== undefined && (node.settings.body === undefined || node.code.trim() !== "");
  if (!hasCode && !unknown && !failed && !error && !shown && !log && !saying && !why) return null;
  return (
    <div className="node-body">
      {unknown && <UnknownType node={node} />}
      {hasCode && <CodeGlance id={id} code={node.code ?? ""} />}
      {failed && <Failure id={id} error={failed} />}
      {error && !unknown && <ProblemNotice problem={error} />}
      {(saying || log) && <div className="node-log">{saying || log?.message}</div>}
      {shown && <ShownOutputs id={id} type={type} shown={shown} />}
      {why && (
        <div className="node-why" data-testid={`node-${id}-why`}>
          {why}
        </div>
      )}
    </div>
  );
});

/** What a node gives, or gives so far. */
interface Shown {
  readonly values: Outputs;
  readonly streams: Readonly<Record<string, Streamed>>;
  readonly streaming: boolean;
  readonly note: string | null;
  /** Whether it is what the node would give for what is being typed. */
  readonly draft?: true;
}

const NONE = {};

function drafted(values: Outputs): Shown {
  return { values, streams: NONE, streaming: false, note: null, draft: true };
}

function ShownOutputs({ id, type, shown }: { id: string; type: NodeType | undefined; shown: Shown }) {
  const derived = useStore(useEditor().document.ports, (all) => all[id]?.outputs);
  const declared = derived ?? type?.outputs ?? [];
  const ports = inPortOrder<unknown>({ ...shown.values, ...shown.streams }, declared);
  // Where one of several outputs has a value, as of a choice, which of them is what one wants to know.
  const named = ports.length > 1 || declared.filter((port) => !RESERVED_OUTPUTS.has(port.name)).length > 1;
  return ports.map(([port, value], index) => {
    const its = declared.find((output) => output.name === port);
    const schema = its ? schemaOf(its) : undefined;
    const stream = shown.streams[port];
    return (
      <section
        className="node-output"
        key={port}
        aria-label={`Output ${port}`}
        data-testid={`node-${id}-output-${port}`}
        data-draft={shown.draft}
      >
        {named && <div className="node-output-name">{port}</div>}
        {index < 3 &&
          (stream ? (
            <StreamPreview
              stream={stream}
              schema={schema}
              place="node"
              streaming={shown.streaming}
              label={port}
              note={shown.note}
            />
          ) : (
            <Preview value={value} schema={schema} label={port} />
          ))}
      </section>
    );
  });
}

/** The values to show: what streams while it runs, else the outputs, and those given by hand before all. */
function shownOutputs(
  node: SpellNode,
  state: ShownState | undefined,
  status: ShownStatus | undefined,
): Shown | null {
  const pins = (node.settings.pins ?? NONE) as Outputs;
  if (state === "pinned") return { values: pins, streams: NONE, streaming: false, note: null };
  if (!status) return null;
  const { streamed, outputs, waiting } = status.last;
  const streams = Object.keys(streamed).length > 0;
  const note = waiting?.for === "stream" ? "waits for a slow reader" : null;
  if (status.state === "running" && streams)
    return { values: NONE, streams: streamed, streaming: true, note };
  if (outputs && Object.keys(outputs).length > 0)
    return { values: outputs, streams: NONE, streaming: false, note: null };
  return streams ? { values: NONE, streams: streamed, streaming: false, note: null } : null;
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

function Failure({ id, error }: { id: string; error: NodeFailure }) {
  const next = nextStepOfNode(error.code) ?? "Select the node to see the details.";
  return (
    <div className="node-error" data-testid="node-error">
      <strong>{error.port ? `${words(error.code)} at “${error.port}”` : words(error.code)}</strong>
      <p>{failureText(error)}</p>
      <ShowFailed id={id} error={error} />
      <span className="next">{next}</span>
    </div>
  );
}

function ProblemNotice({ problem }: { problem: Problem }) {
  return (
    <div className={`node-error ${problemTone(problem)}`} data-testid="node-problem">
      <p>
        <ProblemText problem={problem} />
      </p>
    </div>
  );
}

/** `worker_died` -> `Worker died`. */
export function words(code: string): string {
  const plain = code.replaceAll("_", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** Says what is missing: the whole type, or the version that the node names. */
function UnknownType({ node }: { node: SpellNode }) {
  const newest = useNodeType({ type: node.type });
  return (
    <div className="node-error warning">
      <strong>
        {newest
          ? `Version ${node.version} of “${newest.title}” is not here`
          : `“${node.type}” is not installed here`}
      </strong>
      <span className="next">
        {newest
          ? `Version ${newest.version} is: select the node to change it.`
          : "The node is kept as it is. Ask for its pack, or remove the node."}
      </span>
    </div>
  );
}

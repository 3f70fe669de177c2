/** What the last run left at a node: why, outputs, failure, log; and the outputs that are given by hand. */
import { Pin, PinOff } from "lucide-react";
import type { NodeRun } from "../../engine/types";
import type { Port, SpellNode } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { type ShownStatus, useDraftOutputs, useNodeStatus, useShownState } from "../hooks/useNode";
import { failureText, inPortOrder, type ShownPorts, type Wired } from "../store/graph";
import { schemaOf } from "../store/library";
import { setPin } from "../store/modes";
import { RESERVED_OUTPUTS } from "../store/passages";
import { nextStepOfNode } from "../store/toasts";
import { DRAFT_WORDS } from "../store/why";
import { words } from "./NodeBody";
import { PinField } from "./PinField";
import { portColour } from "./PortHandle";
import { Preview } from "./previews/Preview";
import { StreamPreview } from "./previews/StreamPreview";
import { ShowFailed } from "./ShowFailed";
import { Traceback } from "./Traceback";
import { WhyLine } from "./WhyLine";
import { WorkerWay } from "./workers/WorkerWay";

interface OutputRowsProps {
  readonly id: string;
  readonly node: SpellNode;
  readonly ports: ShownPorts;
  readonly wired: Wired;
}

export function OutputRows({ id, node, ports, wired }: OutputRowsProps) {
  const status = useNodeStatus(id);
  const state = useShownState(node, status, wired);
  const last = status?.last;
  const saying =
    last?.message && !last.error && !last.waiting && last.state === "running" ? last.message : null;
  return (
    <>
      {state ? (
        <WhyLine id={id} state={state} last={last} />
      ) : (
        <p className="faint">Not run yet. What it gives appears here.</p>
      )}
      {last?.error && <FailureDetails node={id} run={last} />}
      {saying && <p className="faint">{saying}</p>}
      {rows(ports.outputs, node, last).map((name) => (
        <OutputRow
          key={name}
          id={id}
          name={name}
          node={node}
          port={ports.outputs.find((output) => output.name === name)}
          status={status}
        />
      ))}
      {last && last.logs.length > 0 && <Log run={last} />}
    </>
  );
}

/** The outputs to list: all that can be pinned, and all that there is something of. */
function rows(outputs: readonly Port[], node: SpellNode, last: NodeRun | undefined): string[] {
  const seen: Record<string, true> = {};
  const left = [node.settings.pins, last?.outputs, last?.streamed];
  for (const values of left) for (const name of Object.keys(values ?? {})) seen[name] = true;
  for (const { name } of outputs) if (!RESERVED_OUTPUTS.has(name)) seen[name] = true;
  return inPortOrder(seen, outputs).map(([name]) => name);
}

interface OutputRowProps {
  readonly id: string;
  readonly name: string;
  readonly node: SpellNode;
  readonly port: Port | undefined;
  readonly status: ShownStatus | undefined;
}

function OutputRow({ id, name, node, port, status }: OutputRowProps) {
  const editor = useEditor();
  const editable = useStore(editor.document.editable);
  const pins = node.settings.pins ?? {};
  const pinned = name in pins;
  return (
    <div className="output-row" data-output={name}>
      <div className="input-head">
        {port && <span className="port-dot" style={{ background: portColour(port) }} aria-hidden="true" />}
        <span>{name}</span>
        {editable && <PinButton id={id} name={name} pinned={pinned} status={status} />}
      </div>
      {pinned ? (
        <PinField id={id} port={name} schema={port ? schemaOf(port) : {}} value={pins[name]} />
      ) : (
        <OutputValue id={id} name={name} port={port} status={status} />
      )}
    </div>
  );
}

function PinButton({
  id,
  name,
  pinned,
  status,
}: Pick<OutputRowProps, "id" | "name" | "status"> & { pinned: boolean }) {
  const editor = useEditor();
  const value = status?.last.outputs?.[name];
  async function pin() {
    try {
      setPin(editor, id, name, value === undefined ? null : await editor.workbench.value(value));
    } catch (error) {
      editor.toasts.error(`Could not read “${name}”`, error);
    }
  }
  const title = pinned ? "Unpin: let the node give it again" : "Pin: give this output by hand";
  return (
    <button
      type="button"
      className="icon-button small pin-button"
      aria-pressed={pinned}
      aria-label={`${pinned ? "Unpin" : "Pin"} ${name}`}
      title={title}
      data-testid={`pin-${name}`}
      onClick={() => (pinned ? setPin(editor, id, name, undefined) : void pin())}
    >
      {pinned ? <PinOff size={13} /> : <Pin size={13} />}
    </button>
  );
}

function OutputValue({ id, name, port, status }: Pick<OutputRowProps, "id" | "name" | "port" | "status">) {
  const draft = useDraftOutputs(id);
  const last = status?.last;
  const schema = port ? schemaOf(port) : undefined;
  const running = status?.state === "running";
  const stream = running || !last?.outputs ? last?.streamed[name] : undefined;
  const value = running ? undefined : last?.outputs?.[name];
  if (draft && name in draft) {
    return (
      <div className="output-box" data-draft="true">
        <Preview value={draft[name]} schema={schema} place="panel" label={name} />
        <p className="draft-note">{DRAFT_WORDS}</p>
      </div>
    );
  }
  if (!stream && value === undefined) return null;
  return (
    <div className="output-box">
      {stream ? (
        <StreamPreview
          stream={stream}
          schema={schema}
          place="panel"
          streaming={running}
          label={name}
          note={last?.waiting?.for === "stream" ? "waits for a slow reader" : null}
        />
      ) : (
        <Preview value={value} schema={schema} place="panel" label={name} />
      )}
    </div>
  );
}

function FailureDetails({ node, run }: { node: string; run: NodeRun }) {
  const { error } = run;
  if (!error) return null;
  return (
    <div className="notice error failure" data-testid="failure-details">
      <div>
        <strong>
          {words(error.code)}
          {error.port ? ` at “${error.port}”` : ""}
        </strong>
        <p>{failureText(error)}</p>
        {nextStepOfNode(error.code) && <p className="faint">{nextStepOfNode(error.code)}</p>}
        <ShowFailed id={node} error={error} />
        <WorkerWay code={error.code} />
        {(error.attempts ?? 1) > 1 && <p className="faint">Tried {error.attempts} times.</p>}
        {error.traceback && (
          <details>
            <summary>Traceback</summary>
            <Traceback node={node} text={error.traceback} />
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

/** A node on the canvas: its head, ports, code, and what its last run left. */
import { type NodeProps, NodeResizer, useStore as useFlowStore, useUpdateNodeInternals } from "@xyflow/react";
import { Pin, Play } from "lucide-react";
import { memo, useEffect, useRef } from "react";
import type { SpellNode } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import {
  type ShownStatus,
  useNode,
  useNodeStatus,
  useNodeType,
  usePorts,
  useProblems,
  useShownState,
  useWired,
} from "../hooks/useNode";
import { useRunActions } from "../hooks/useRunActions";
import { FAR_ZOOM } from "../store/geometry";
import { nodeTitle, type ShownPorts, type Wired } from "../store/graph";
import { openBody } from "../store/ways";
import { type ShownState, STATE_WORDS, shortWhy } from "../store/why";
import { BodyChip } from "./BodyChip";
import { BypassWires } from "./BypassWires";
import { NodeBody } from "./NodeBody";
import { NodeIcon, nodeLook } from "./NodeIcon";
import { NodeName } from "./NodeName";
import { PortHandle } from "./PortHandle";
import { PortField } from "./PortValue";
import { RemoteSelection } from "./RemoteSelection";
import { ReservedPorts } from "./ReservedPorts";
import { RoundsBar } from "./RoundsBar";
import { CompareMark } from "./runs/CompareMark";
import { StateBadge } from "./StateBadge";
import { TaskOnNode } from "./tasks/TaskOnNode";
import { VersionMark } from "./versions/VersionMark";

const isFar = (state: { transform: [number, number, number] }) => state.transform[2] < FAR_ZOOM;

export const SpellNodeView = memo(function SpellNodeView({ id, selected }: NodeProps) {
  const node = useNode(id);
  return node ? <NodeCard id={id} node={node} selected={selected} /> : null;
});

function NodeCard({ id, node, selected }: { id: string; node: SpellNode; selected: boolean }) {
  const editor = useEditor();
  const far = useFlowStore(isFar);
  const type = useNodeType(node);
  const libraryReady = useStore(editor.library.state, (state) => state.status === "ready");
  const wired = useWired(id);
  const ports = usePorts(id, node, type, wired);
  useHandlesInPlace(id, ports);
  const status = useNodeStatus(id);
  const highlighted = useStore(editor.workbench.highlight, (at) => at?.node === id);
  const editable = useStore(editor.document.editable);
  const problems = useProblems(id);
  const unknown = libraryReady && !type;
  const own = useShownState(node, status, wired);
  const state: ShownState | undefined = unknown && !status ? "unknown" : own;
  const { mode } = node.settings;
  const title = nodeTitle(node, type);
  const { tint } = nodeLook(node.type, type?.category);
  return (
    <article
      className="node"
      data-testid={`node-${id}`}
      data-state={unknown ? "unknown" : state}
      data-far={far}
      data-mode={mode}
      data-held={isHeld(status)}
      data-sized={node.size !== undefined}
      data-highlight={highlighted}
      style={{ "--tint": tint } as React.CSSProperties}
      onDoubleClick={(event) => {
        if (!node.settings.body?.spell || event.target instanceof HTMLInputElement) return;
        event.stopPropagation();
        openBody(editor, id);
      }}
      aria-label={`${title}, ${type?.title ?? node.type}${state ? `, ${STATE_WORDS[state]}` : ""}`}
    >
      {selected && editable && !far && (
        <NodeResizer
          minWidth={200}
          minHeight={80}
          onResizeEnd={(_event, box) => editor.document.resize(id, [box.width, box.height], [box.x, box.y])}
        />
      )}
      <header className="node-head">
        {!far && (
          <>
            <NodeIcon type={node.type} category={type?.category} />
            <NodeName id={id} title={title} />
            <RunNodeButton id={id} title={title} />
            {state && (
              <StateBadge
                state={state}
                duration={status?.last.duration}
                why={shortWhy(state, status?.last, status?.gone)}
                waiting={status?.last.waiting}
                testid={`node-${id}-state`}
              />
            )}
          </>
        )}
        {status?.state === "running" && !mode && <ProgressBar value={status.last.progress} />}
      </header>
      {mode === "bypass" && <BypassWires node={node} ports={ports} wired={wired} />}
      <PortRows id={id} node={node} ports={ports} wired={wired} far={far} />
      {!far && status?.last.rounds && status.state !== "queued" && (
        <RoundsBar rounds={status.last.rounds} testid={`rounds-${id}`} />
      )}
      {!far && <BodyChip id={id} node={node} />}
      {far ? (
        <div className="node-far">
          <span className="node-name">{title}</span>
          {state && <StateBadge state={state} duration={status?.last.duration} testid={`node-${id}-state`} />}
        </div>
      ) : (
        <NodeBody
          id={id}
          node={node}
          type={type}
          unknown={unknown}
          state={state}
          status={status}
          problems={problems}
        />
      )}
      {!far && <TaskOnNode id={id} />}
      <ReservedPorts id={id} ports={ports} wired={wired} far={far} />
      <RemoteSelection id={id} />
      <VersionMark id={id} />
      <CompareMark id={id} />
    </article>
  );
}

/** Have React Flow look again where the handles are when ports change their places, though the node keeps its size. */
function useHandlesInPlace(id: string, ports: ShownPorts): void {
  const look = useUpdateNodeInternals();
  const order = [ports.inputs, ports.outputs].map((side) => side.map(({ name }) => name).join(" ")).join("|");
  const seen = useRef(order);
  useEffect(() => {
    if (seen.current === order) return;
    seen.current = order;
    look(id);
  }, [look, id, order]);
}

/** Whether what the node shows is of an earlier run, or of inputs that have changed since. */
function isHeld(status: ShownStatus | undefined): boolean {
  if (status?.state === "stale" || status?.state === "queued") return true;
  return status?.state === "running" && Object.keys(status.last.streamed).length === 0;
}

function RunNodeButton({ id, title }: { id: string; title: string }) {
  const { runUntil } = useRunActions();
  const role = useStore(useEditor().document.role);
  if (role === null || role === "viewer") return null;
  return (
    <button
      type="button"
      className="icon-button small node-run nodrag"
      aria-label={`Run ${title} and what it needs`}
      title="Run until here"
      data-testid={`node-${id}-run`}
      onClick={() => runUntil([id])}
    >
      <Play size={12} fill="currentColor" />
    </button>
  );
}

function ProgressBar({ value }: { value: number | null }) {
  return (
    <div
      className="node-progress"
      data-known={value !== null}
      role="progressbar"
      aria-valuenow={value === null ? undefined : Math.round(value * 100)}
    >
      <i style={value === null ? undefined : { width: `${Math.round(value * 100)}%` }} />
    </div>
  );
}

interface PortRowsProps {
  readonly id: string;
  readonly node: SpellNode;
  readonly ports: ShownPorts;
  readonly wired: Wired;
  readonly far: boolean;
}

function PortRows({ id, node, ports, wired, far }: PortRowsProps) {
  const rows = Math.max(ports.inputs.length, ports.outputs.length);
  if (rows === 0) return null;
  const { pins } = node.settings;
  return (
    <div className="node-ports">
      {Array.from({ length: rows }, (_, row) => {
        const input = ports.inputs[row];
        const output = ports.outputs[row];
        const inWired = input !== undefined && wired.inputs.includes(input.name);
        const value = input ? node.inputs[input.name] : undefined;
        const missing = input?.required === true && !inWired && !input.named && value === undefined;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place, shared by an input and an output
          <div className="port-row" key={row} data-missing={missing}>
            {input && (
              <>
                <PortHandle
                  node={id}
                  port={input}
                  side="target"
                  wired={inWired}
                  broken={ports.broken.has(`in:${input.name}`)}
                />
                <span className="port-label in" hidden={far}>
                  <span>{input.name}</span>
                  {input.required && (
                    <span className="port-required" aria-hidden="true" title="Required">
                      *
                    </span>
                  )}
                </span>
                {!inWired && !far && !input.trigger && <PortField node={id} port={input} value={value} />}
              </>
            )}
            {output && (
              <>
                <span className="port-label out" hidden={far}>
                  {pins && output.name in pins && (
                    <Pin
                      className="pin-mark"
                      size={11}
                      aria-label={`${output.name} is pinned`}
                      data-testid={`pin-mark-${id}-${output.name}`}
                    />
                  )}
                  <span>{output.name}</span>
                </span>
                <PortHandle
                  node={id}
                  port={output}
                  side="source"
                  wired={wired.outputs.includes(output.name)}
                  broken={ports.broken.has(`out:${output.name}`)}
                />
              </>
            )}
          </div>
        );
      })}
    </div>
  );
}

/** Drawing wires: which are allowed and why not, and what happens where they are dropped. */
import type {
  Connection,
  Edge,
  FinalConnectionState,
  IsValidConnection,
  OnConnect,
  OnConnectStart,
} from "@xyflow/react";
import { useMemo } from "react";
import type { Port } from "../../protocol";
import type { Editor, WireEnd } from "../store/editor";
import { nodeTitle, shownPorts, type WireRefusal, whyNoWire, wiredPorts } from "../store/graph";
import { schemaOf } from "../store/library";
import { nextStep } from "../store/toasts";
import { useEditor } from "./useEditor";

/** The ports of a node as they stand, outside of a component. */
export function portsNow(
  editor: Editor,
  id: string,
): { inputs: readonly Port[]; outputs: readonly Port[] } | null {
  const spell = editor.document.spell.get();
  const node = spell.nodes[id];
  if (!node) return null;
  const dynamic = editor.document.ports.get()[id];
  return shownPorts(node, editor.library.get(node.type), dynamic, wiredPorts(spell.edges, id));
}

/** Why `connection` may not be drawn; null when it may. */
export function whyNotConnection(editor: Editor, connection: Connection | Edge): WireRefusal | null {
  const { source, target, sourceHandle, targetHandle } = connection;
  const output = portsNow(editor, source)?.outputs.find((port) => port.name === sourceHandle);
  const input = portsNow(editor, target)?.inputs.find((port) => port.name === targetHandle);
  if (!output || !input) return { code: "unknown_port", reason: "This port does not exist" };
  const spell = editor.document.spell.get();
  const title = (id: string) => nodeTitle(spell.nodes[id], editor.library.get(spell.nodes[id]?.type ?? ""));
  return whyNoWire(spell, { source, target, output, input }, title);
}

const INSTEAD = {
  cycle: "A spell runs from left to right: leave one wire of the circle out.",
  incompatible_types: nextStep("incompatible_types") ?? "",
  unknown_port: "Reload the page, or draw to a port that is there.",
} as const;

function refusalToast({ code, reason }: WireRefusal) {
  return { tone: "error" as const, title: reason, code, next: INSTEAD[code] };
}

/** Join two ports; the document replaces the wire that ended there unless the input takes many. */
export function joinPorts(editor: Editor, connection: Connection): void {
  const why = whyNotConnection(editor, connection);
  if (why) {
    editor.toasts.show(refusalToast(why));
    return;
  }
  const input = portsNow(editor, connection.target)?.inputs.find(
    (port) => port.name === connection.targetHandle,
  );
  editor.document.connect(
    {
      source: connection.source,
      output: connection.sourceHandle ?? "",
      target: connection.target,
      input: connection.targetHandle ?? "",
    },
    { many: input?.many ?? false },
  );
}

/** Join a wire's end to the best port of a node: one of the same name, else the first that fits and is free. */
export function joinNode(editor: Editor, end: WireEnd, node: string): boolean {
  const ports = portsNow(editor, node);
  if (!ports) return false;
  const wired = wiredPorts(editor.document.spell.get().edges, node);
  const candidates = end.from === "source" ? ports.inputs : ports.outputs;
  const connection = (port: Port): Connection =>
    end.from === "source"
      ? { source: end.node, sourceHandle: end.port, target: node, targetHandle: port.name }
      : { source: node, sourceHandle: port.name, target: end.node, targetHandle: end.port };
  const fitting = candidates.filter((port) => whyNotConnection(editor, connection(port)) === null);
  const free = fitting.filter((port) => end.from === "target" || !wired.inputs.includes(port.name));
  const best =
    free.find((port) => port.name === end.port) ??
    free.find((port) => port.required) ??
    free[0] ??
    fitting[0];
  if (!best) return false;
  joinPorts(editor, connection(best));
  return true;
}

function pointerOf(event: MouseEvent | TouchEvent): { x: number; y: number } {
  const point = "changedTouches" in event ? event.changedTouches[0] : event;
  return { x: point?.clientX ?? 0, y: point?.clientY ?? 0 };
}

export interface ConnectHandlers {
  readonly isValidConnection: IsValidConnection;
  readonly onConnect: OnConnect;
  readonly onConnectStart: OnConnectStart;
  readonly onConnectEnd: (event: MouseEvent | TouchEvent, state: FinalConnectionState) => void;
}

export function useConnect(): ConnectHandlers {
  const editor = useEditor();
  return useMemo(
    () => ({
      isValidConnection: (connection) => whyNotConnection(editor, connection) === null,
      onConnect: (connection) => joinPorts(editor, connection),
      onConnectStart: (_event, { nodeId, handleId, handleType }) => {
        const ports = nodeId === null ? null : portsNow(editor, nodeId);
        const port = (handleType === "source" ? ports?.outputs : ports?.inputs)?.find(
          (one) => one.name === handleId,
        );
        if (!port || nodeId === null || !handleType) return;
        editor.connecting.set({
          node: nodeId,
          port: port.name,
          from: handleType,
          schema: schemaOf(port),
          many: port.many ?? false,
        });
      },
      onConnectEnd: (event, state) => {
        const end = editor.connecting.get();
        editor.connecting.set(null);
        if (!end || state.isValid) return;
        const { x, y } = pointerOf(event);
        if (state.toHandle && state.toNode) {
          refuse(editor, end, state.toNode.id, state.toHandle.id ?? "");
          return;
        }
        const over = document.elementFromPoint(x, y)?.closest<HTMLElement>(".react-flow__node-spell")
          ?.dataset.id;
        if (over && over !== end.node) {
          if (!joinNode(editor, end, over)) {
            editor.toasts.show({
              tone: "error",
              title: `No port of this node fits “${end.port}”`,
              code: "incompatible_types",
            });
          }
        } else if (editor.view && !over) {
          editor.palette.set({ mode: "add", at: editor.view.toCanvas(x, y), wire: end });
        }
      },
    }),
    [editor],
  );
}

function refuse(editor: Editor, end: WireEnd, node: string, port: string): void {
  const connection =
    end.from === "source"
      ? { source: end.node, sourceHandle: end.port, target: node, targetHandle: port }
      : { source: node, sourceHandle: port, target: end.node, targetHandle: end.port };
  if (node === end.node && port === end.port) return;
  const why = whyNotConnection(editor, connection);
  if (why) editor.toasts.show(refusalToast(why));
}

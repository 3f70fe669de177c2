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
import { transformWords } from "../../engine/transform";
import type { Port, Transform } from "../../protocol";
import type { Editor, WireEnd } from "../store/editor";
import {
  nodeTitle,
  type ShownPorts,
  shownPorts,
  type WireRefusal,
  whyNoWire,
  wiredPorts,
} from "../store/graph";
import { schemaOf } from "../store/library";
import { suggestWires } from "../store/suggestion";
import { nextStep } from "../store/toasts";
import { useEditor } from "./useEditor";

/** The ports of a node as they stand, outside of a component. */
export function portsNow(editor: Editor, id: string): ShownPorts | null {
  const spell = editor.document.spell.get();
  const node = spell.nodes[id];
  if (!node) return null;
  const dynamic = editor.document.ports.get()[id];
  return shownPorts(node, editor.library.of(node), dynamic, wiredPorts(spell.edges, id));
}

/** Why `connection` may not be drawn; null when it may. */
export function whyNotConnection(
  editor: Editor,
  connection: Connection | Edge,
  transform?: readonly Transform[],
): WireRefusal | null {
  const { source, target, sourceHandle, targetHandle } = connection;
  const output = outputNow(editor, source, sourceHandle ?? "");
  const input = portsNow(editor, target)?.inputs.find((port) => port.name === targetHandle);
  if (!output || !input) return { code: "unknown_port", reason: "This port does not exist" };
  const spell = editor.document.spell.get();
  const title = (id: string) => nodeTitle(spell.nodes[id], editor.library.of(spell.nodes[id]));
  return whyNoWire(spell, { source, target, output, input, ...(transform ? { transform } : {}) }, title);
}

/** An output of a node as it stands, one of those that every node has included. */
export function outputNow(editor: Editor, id: string, name: string): Port | undefined {
  const ports = portsNow(editor, id);
  return [...(ports?.outputs ?? []), ...(ports?.reserved ?? [])].find((port) => port.name === name);
}

const INSTEAD = {
  cycle: "A spell runs from left to right: leave one wire of the circle out.",
  incompatible_types: nextStep("incompatible_types") ?? "",
  unknown_port: "Reload the page, or draw to a port that is there.",
} as const;

/** Say why a wire is refused; where a transform would make it fit, offer to draw it with that. */
function showRefusal(editor: Editor, { code, reason, suggest }: WireRefusal, connection: Connection): void {
  const toast = { tone: "error" as const, title: reason, code };
  if (!suggest) {
    editor.toasts.show({ ...toast, next: INSTEAD[code] });
    return;
  }
  const words = suggest.map(transformWords).join(", then ");
  editor.toasts.show({
    ...toast,
    next: "The wire can change the value on its way.",
    action: {
      label: words.replace(/^./, (first) => first.toUpperCase()),
      run: () => joinPorts(editor, connection, suggest),
    },
  });
}

/** Join two ports; the document replaces the wire that ended there unless the input takes many. */
export function joinPorts(editor: Editor, connection: Connection, transform?: readonly Transform[]): void {
  const why = whyNotConnection(editor, connection, transform);
  if (why) {
    showRefusal(editor, why, connection);
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
      ...(transform ? { transform } : {}),
    },
    { many: input?.many ?? false },
  );
}

/**
 * Join a wire's end to the best port of a node: the one that would be proposed, else the first that fits. Where none
 * does, says why, and offers a transform with which one would.
 */
export function joinNode(editor: Editor, end: WireEnd, node: string): boolean {
  const ports = portsNow(editor, node);
  if (!ports) return false;
  const wired = wiredPorts(editor.document.spell.get().edges, node);
  const candidates = end.from === "source" ? ports.inputs : ports.outputs;
  const connection = (port: Port): Connection =>
    end.from === "source"
      ? { source: end.node, sourceHandle: end.port, target: node, targetHandle: port.name }
      : { source: node, sourceHandle: port.name, target: end.node, targetHandle: end.port };
  const allowed = candidates.filter((port) => whyNotConnection(editor, connection(port))?.code !== "cycle");
  const fitting = allowed.filter((port) => whyNotConnection(editor, connection(port)) === null);
  const own = portOf(editor, end);
  const [pair] =
    end.from === "source" ? suggestWires(own, fitting, new Set(wired.inputs)) : suggestWires(fitting, own);
  const named = pair?.[end.from === "source" ? 1 : 0];
  const best = fitting.find((port) => port.name === named) ?? fitting[0];
  if (best) {
    joinPorts(editor, connection(best));
    return true;
  }
  for (const port of allowed) {
    const why = whyNotConnection(editor, connection(port));
    if (!why?.suggest) continue;
    showRefusal(editor, why, connection(port));
    return true;
  }
  return false;
}

/** The port that a wire's end is at, as a list. */
function portOf(editor: Editor, end: WireEnd): readonly Port[] {
  const port =
    end.from === "source"
      ? outputNow(editor, end.node, end.port)
      : portsNow(editor, end.node)?.inputs.find((each) => each.name === end.port);
  return port ? [{ ...port, required: true }] : [];
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
        const sides =
          ports && (handleType === "source" ? [...ports.outputs, ...ports.reserved] : ports.inputs);
        const port = sides?.find((one) => one.name === handleId);
        if (!port || nodeId === null || !handleType) return;
        editor.connecting.set({
          node: nodeId,
          port: port.name,
          from: handleType,
          schema: schemaOf(port),
          many: port.many ?? false,
          trigger: port.trigger ?? false,
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
  if (why) showRefusal(editor, why, connection);
}

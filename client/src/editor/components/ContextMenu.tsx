/** The menu at the pointer: what can be done with a node, a wire, a frame, a note, or the canvas. */
import {
  ArrowRightFromLine,
  ArrowRightToLine,
  ClipboardPaste,
  Copy,
  CopyPlus,
  CornerDownRight,
  Group,
  Maximize,
  Maximize2,
  Minimize2,
  Network,
  PencilLine,
  Pin,
  PinOff,
  Play,
  Plus,
  Redo2,
  RefreshCw,
  Repeat,
  Scissors,
  Spline,
  StickyNote,
  Trash2,
  Ungroup,
  VolumeX,
  Waypoints,
  Workflow,
} from "lucide-react";
import { useEffect, useRef } from "react";
import type { RunDesk } from "../../runs";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { runActions } from "../hooks/useRunActions";
import { useRunDesk } from "../hooks/useRunDesk";
import { addNote, groupSelection, layout, removeSelection, ungroup } from "../store/actions";
import { connectAutomatically } from "../store/autoconnect";
import { bodyKind } from "../store/bodies";
import { copySelection, duplicateSelection, pasteHere } from "../store/clipboard";
import { keysOf } from "../store/commands";
import type { Editor, MenuRequest } from "../store/editor";
import { isFolded, toggleFold } from "../store/frames";
import { makeSubspell, mapOverGroup } from "../store/make_subspell";
import { toggleMode, togglePins } from "../store/modes";
import { forkRun, runOf, runWithTheseInputs } from "../store/past_runs";
import { openBody } from "../store/ways";
import { isPinned } from "../store/why";
import { TINTS } from "./GroupView";

interface Item {
  readonly label: string;
  readonly icon: React.ReactNode;
  readonly keys?: string;
  readonly danger?: boolean;
  readonly edits?: boolean;
  run(): void;
}

type Row = Item | "line";

const SIZE = 14;

export function ContextMenu() {
  const editor = useEditor();
  const request = useStore(editor.menu);
  return request ? <OpenMenu request={request} /> : null;
}

function clipboardRows(editor: Editor): Row[] {
  return [
    {
      label: "Copy as text",
      icon: <Copy size={SIZE} />,
      keys: keysOf("copy"),
      run: () => void copySelection(editor),
    },
    {
      label: "Cut",
      icon: <Scissors size={SIZE} />,
      keys: keysOf("cut"),
      edits: true,
      run: () => void copySelection(editor).then(() => removeSelection(editor)),
    },
    {
      label: "Duplicate",
      icon: <CopyPlus size={SIZE} />,
      keys: keysOf("duplicate"),
      edits: true,
      run: () => duplicateSelection(editor),
    },
  ];
}

function removeRow(editor: Editor): Row {
  return {
    label: "Remove",
    icon: <Trash2 size={SIZE} />,
    keys: keysOf("remove"),
    danger: true,
    edits: true,
    run: () => removeSelection(editor),
  };
}

function runRows(nodes: string[], actions: ReturnType<typeof runActions>): Row[] {
  return [
    {
      label: nodes.length > 1 ? "Run only these nodes" : "Run only this node",
      icon: <Play size={SIZE} />,
      keys: keysOf("run-only"),
      run: () => actions.runOnly(nodes),
    },
    {
      label: "Run until here",
      icon: <ArrowRightToLine size={SIZE} />,
      keys: keysOf("run-selection"),
      run: () => actions.runUntil(nodes),
    },
    {
      label: "Run from here",
      icon: <ArrowRightFromLine size={SIZE} />,
      keys: keysOf("run-from"),
      run: () => actions.runFrom(nodes),
    },
  ];
}

/** Runs again with what a run left: the one that is looked at, else the last one of the node. */
function againRows(editor: Editor, desk: RunDesk, nodes: string[]): Row[] {
  const [first] = nodes;
  const run = first === undefined ? null : runOf(editor, first);
  if (run === null || first === undefined) return [];
  const again: Row = {
    label: "Run again from here, with what that run left",
    icon: <RefreshCw size={SIZE} />,
    run: () => void forkRun(editor, desk, run, { from: nodes, spell: "now" }),
  };
  if (nodes.length > 1) return [again];
  return [
    again,
    {
      label: "Run again from here with these inputs",
      icon: <RefreshCw size={SIZE} />,
      run: () => void runWithTheseInputs(editor, desk, run, first),
    },
  ];
}

/** Whether the nodes run at all; each row takes itself back where all of them are as it would make them. */
function modeRows(editor: Editor, nodes: string[]): Row[] {
  const all = editor.document.spell.get().nodes;
  const every = (mode: string) => nodes.every((id) => all[id]?.settings.mode === mode);
  const pinned = nodes.every((id) => isPinned(all[id]?.settings));
  return [
    {
      label: pinned ? "Unpin the output" : "Pin the output",
      icon: pinned ? <PinOff size={SIZE} /> : <Pin size={SIZE} />,
      keys: keysOf("pin"),
      edits: true,
      run: () => void togglePins(editor, nodes),
    },
    {
      label: every("mute") ? "Unmute" : "Mute",
      icon: <VolumeX size={SIZE} />,
      keys: keysOf("mute"),
      edits: true,
      run: () => toggleMode(editor, "mute", nodes),
    },
    {
      label: every("bypass") ? "Do not bypass" : "Bypass",
      icon: <Redo2 size={SIZE} />,
      keys: keysOf("bypass"),
      edits: true,
      run: () => toggleMode(editor, "bypass", nodes),
    },
  ];
}

function nodeRows(editor: Editor, desk: RunDesk, id: string): Row[] {
  const actions = runActions(editor);
  const selected = editor.selectedNodes();
  const chosen = selected.includes(id) ? selected : [id];
  return [
    ...runRows(chosen, actions),
    ...againRows(editor, desk, chosen),
    "line",
    ...modeRows(editor, chosen),
    "line",
    ...bodyRows(editor, id),
    subspellRow(editor),
    {
      label: "Connect automatically",
      icon: <Waypoints size={SIZE} />,
      keys: keysOf("connect"),
      edits: true,
      run: () => connectAutomatically(editor, chosen),
    },
    {
      label: "Rename",
      icon: <PencilLine size={SIZE} />,
      keys: keysOf("rename"),
      edits: true,
      run: () => editor.renaming.set(id),
    },
    {
      label: "Group",
      icon: <Group size={SIZE} />,
      keys: keysOf("group"),
      edits: true,
      run: () => groupSelection(editor),
    },
    "line",
    ...clipboardRows(editor),
    "line",
    removeRow(editor),
  ];
}

/** Leads to what the node runs inside itself. */
function bodyRows(editor: Editor, id: string): Row[] {
  const kind = bodyKind(editor.document.spell.get().nodes[id]?.settings.body);
  if (kind === null || kind === "type") return [];
  const label = kind === "spell" ? "Open the subspell" : "Show the group it runs";
  return [{ label, icon: <CornerDownRight size={SIZE} />, run: () => openBody(editor, id) }];
}

function subspellRow(editor: Editor): Row {
  return {
    label: "Make a subspell",
    icon: <Workflow size={SIZE} />,
    keys: keysOf("subspell"),
    edits: true,
    run: () => void makeSubspell(editor),
  };
}

function rowsFor(editor: Editor, desk: RunDesk, { target, x, y }: MenuRequest): Row[] {
  const at = editor.view?.toCanvas(x, y);
  switch (target.kind) {
    case "node":
      return nodeRows(editor, desk, target.id);
    case "edge":
      return [
        {
          label: "Change the value on its way…",
          icon: <Spline size={SIZE} />,
          run: () => {
            editor.select([target.id]);
            editor.showInspector();
          },
        },
        "line",
        removeRow(editor),
      ];
    case "group":
      return [
        {
          label: "Rename",
          icon: <PencilLine size={SIZE} />,
          edits: true,
          run: () => editor.renaming.set(target.id),
        },
        {
          label: isFolded(editor, target.id) ? "Open the group" : "Fold into one box",
          icon: isFolded(editor, target.id) ? <Maximize2 size={SIZE} /> : <Minimize2 size={SIZE} />,
          keys: keysOf("fold"),
          run: () => toggleFold(editor, [target.id]),
        },
        {
          label: "Ungroup",
          icon: <Ungroup size={SIZE} />,
          edits: true,
          run: () => ungroup(editor, target.id),
        },
        {
          label: "Run it for each item of a list",
          icon: <Repeat size={SIZE} />,
          edits: true,
          run: () => mapOverGroup(editor, target.id),
        },
        subspellRow(editor),
        "line",
        ...clipboardRows(editor),
        "line",
        removeRow(editor),
      ];
    case "note":
      return [
        {
          label: "Edit",
          icon: <PencilLine size={SIZE} />,
          edits: true,
          run: () => editor.renaming.set(target.id),
        },
        ...clipboardRows(editor),
        "line",
        removeRow(editor),
      ];
    default:
      return [
        {
          label: "Add a node…",
          icon: <Plus size={SIZE} />,
          keys: keysOf("add"),
          edits: true,
          run: () => editor.palette.set({ mode: "add", ...(at ? { at } : {}) }),
        },
        {
          label: "Add a note",
          icon: <StickyNote size={SIZE} />,
          keys: keysOf("note"),
          edits: true,
          run: () => addNote(editor, at),
        },
        {
          label: "Paste here",
          icon: <ClipboardPaste size={SIZE} />,
          keys: keysOf("paste"),
          edits: true,
          run: () => void pasteHere(editor, false, at),
        },
        "line",
        {
          label: "Lay out",
          icon: <Network size={SIZE} />,
          keys: keysOf("layout"),
          edits: true,
          run: () => void layout(editor),
        },
        {
          label: "Fit all in view",
          icon: <Maximize size={SIZE} />,
          keys: keysOf("fit"),
          run: () => editor.view?.fit(),
        },
        {
          label: "Run the canvas",
          icon: <Play size={SIZE} />,
          keys: keysOf("run"),
          run: () => runActions(editor).run(),
        },
      ];
  }
}

function OpenMenu({ request }: { request: MenuRequest }) {
  const editor = useEditor();
  const desk = useRunDesk();
  const editable = useStore(editor.document.editable);
  const box = useRef<HTMLDivElement>(null);
  const close = () => editor.menu.set(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${Math.min(request.x, window.innerWidth - width - 8)}px`;
    element.style.top = `${Math.min(request.y, window.innerHeight - height - 8)}px`;
    element.querySelector<HTMLElement>("button:not(:disabled)")?.focus();
    const away = (event: PointerEvent) => {
      if (!element.contains(event.target as Node)) editor.menu.set(null);
    };
    window.addEventListener("pointerdown", away, true);
    return () => window.removeEventListener("pointerdown", away, true);
  }, [request, editor]);
  const { target } = request;
  const tinted =
    target.kind === "group" || target.kind === "note" ? { kind: target.kind, id: target.id } : null;
  return (
    <div
      className="menu"
      role="menu"
      tabIndex={-1}
      ref={box}
      style={{ position: "fixed", left: request.x, top: request.y }}
      data-testid="context-menu"
      onKeyDown={(event) => {
        const items = [...event.currentTarget.querySelectorAll<HTMLElement>("button:not(:disabled)")];
        const here = items.indexOf(document.activeElement as HTMLElement);
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step !== undefined) items[(here + step + items.length) % items.length]?.focus();
        else if (event.key === "Escape" || event.key === "Tab") close();
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      {rowsFor(editor, desk, request).map((row, index) =>
        row === "line" ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the rows of one menu never change
          <div className="menu-line" key={index} />
        ) : (
          <button
            key={row.label}
            type="button"
            role="menuitem"
            className={`menu-item ${row.danger ? "danger" : ""}`}
            disabled={row.edits === true && !editable}
            onClick={() => {
              close();
              row.run();
            }}
          >
            {row.icon}
            {row.label}
            {row.keys && <span className="hint">{row.keys}</span>}
          </button>
        ),
      )}
      {tinted && editable && <TintRow {...tinted} onDone={close} />}
    </div>
  );
}

function TintRow({ kind, id, onDone }: { kind: "group" | "note"; id: string; onDone: () => void }) {
  const { document: shared } = useEditor();
  return (
    <fieldset className="tint-row" aria-label="Colour">
      {Object.entries(TINTS).map(([name, tint]) => (
        <button
          key={name}
          type="button"
          aria-label={name}
          title={name}
          style={{ background: tint }}
          onClick={() => {
            if (kind === "group") shared.setGroup(id, { color: name });
            else shared.setNote(id, { color: name });
            onDone();
          }}
        />
      ))}
    </fieldset>
  );
}

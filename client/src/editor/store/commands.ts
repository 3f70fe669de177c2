/** Every command of the editor, with its keys: the palette, the shortcut list and the keyboard read this one table. */

import { chooseTheme } from "../../app/theme";
import { runActions } from "../hooks/useRunActions";
import { addNote, align, groupSelection, layout, nudge, removeSelection, selectAll } from "./actions";
import { connectAutomatically } from "./autoconnect";
import { copySelection, duplicateSelection, pasteHere } from "./clipboard";
import type { Editor } from "./editor";
import { chosenFrames, toggleFold } from "./frames";
import { makeSubspell } from "./make_subspell";
import { toggleMode, togglePins } from "./modes";
import { chooseFiles, exportAs, exportSpell } from "./spell_files";
import { openBody } from "./ways";

/** A command. `keys` are written as `Mod+Shift+Z`, where Mod is Cmd on a Mac and Ctrl elsewhere. */
export interface Command {
  readonly id: string;
  readonly title: string;
  readonly section: "Run" | "Add" | "Edit" | "Arrange" | "View";
  readonly keys: readonly string[];
  /** Changes the document: left out where one may not edit. */
  readonly edits?: boolean;
  /** Left out of the palette, where it makes no sense. */
  readonly keyOnly?: boolean;
  run(editor: Editor): void;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as const;

const nudges: Command[] = Object.entries(ARROWS)
  .flatMap(([key, [x, y]]) => [
    command(
      `nudge-${key}`,
      `Nudge ${key.slice(5).toLowerCase()}`,
      "Arrange",
      [key],
      (editor) => nudge(editor, x * 8, y * 8),
      true,
    ),
    command(
      `push-${key}`,
      `Nudge ${key.slice(5).toLowerCase()} by 1`,
      "Arrange",
      [`Shift+${key}`],
      (editor) => nudge(editor, x, y),
      true,
    ),
  ])
  .map((entry) => ({ ...entry, keyOnly: true }));

function command(
  id: string,
  title: string,
  section: Command["section"],
  keys: readonly string[],
  run: (editor: Editor) => void,
  edits = false,
): Command {
  return { id, title, section, keys, run, edits };
}

/** Other words that people look for a command by. */
const ALSO: Readonly<Record<string, string>> = {
  import: "open load upload",
  export: "download save file",
  "export-yaml": "download save file",
  "export-python": "download save file code",
  remove: "delete",
  live: "reactive watch auto",
  mute: "disable off skip",
  bypass: "disable skip",
  stop: "cancel abort",
};

/** Whether every word of `query` is in the command's title, section or other words. */
export function isMeant({ id, title, section }: Command, query: string): boolean {
  const words = `${title} ${section} ${ALSO[id] ?? ""}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => words.includes(word));
}

function withChosen(editor: Editor, act: (nodes: string[]) => void): void {
  const nodes = editor.selectedNodes();
  if (nodes.length > 0) act(nodes);
}

export const COMMANDS: readonly Command[] = [
  command("run", "Run the canvas", "Run", ["Mod+Enter"], (editor) => runActions(editor).run()),
  command("stop", "Stop the run", "Run", ["Mod+Shift+Enter", "Ctrl+Alt+Enter"], (editor) =>
    runActions(editor).stop(),
  ),
  command("run-selection", "Run until the selected nodes", "Run", ["Mod+Alt+R"], (editor) =>
    withChosen(editor, (nodes) => runActions(editor).runUntil(nodes)),
  ),
  command("run-only", "Run only the selected nodes", "Run", ["Mod+Alt+O"], (editor) =>
    withChosen(editor, (nodes) => runActions(editor).runOnly(nodes)),
  ),
  command("run-from", "Run from the selected nodes on", "Run", ["Mod+Alt+F"], (editor) =>
    withChosen(editor, (nodes) => runActions(editor).runFrom(nodes)),
  ),
  command("pause", "Pause the run, or let it go on", "Run", ["Mod+Alt+P"], (editor) =>
    runActions(editor).togglePause(),
  ),
  command("step", "Take one step of the paused run", "Run", ["Mod+Alt+S"], (editor) =>
    runActions(editor).step(),
  ),
  command("live", "Live mode: play or pause", "Run", ["Mod+Alt+L"], (editor) =>
    runActions(editor).toggleLive(),
  ),
  command("history", "Show past runs", "Run", [], (editor) => editor.panel.set("history")),
  command("tests", "Show tests", "Run", [], (editor) => editor.panel.set("tests")),
  command("schedules", "Show schedules", "Run", [], (editor) => editor.panel.set("schedules")),
  command("versions", "Show versions", "View", ["H"], (editor) => editor.togglePanel("versions")),
  command("now", "Back to the present run", "Run", [], (editor) => editor.viewing.set(null)),

  {
    ...command("palette", "Search commands and nodes", "View", ["Mod+K"], (editor) =>
      editor.palette.set({ mode: "all" }),
    ),
    keyOnly: true,
  },
  { ...command("add", "Add a node", "Add", ["Tab"], (editor) => editor.palette.set({ mode: "add" }), true) },
  command("note", "Add a note", "Add", ["N"], (editor) => addNote(editor), true),
  command("comment", "Comment on a node or a place", "Add", ["C"], (editor) =>
    editor.commenting.mode.update((on) => !on),
  ),
  command("comment-here", "Comment on what is selected", "Add", ["Shift+C"], (editor) =>
    editor.commenting.beginHere(),
  ),

  command("undo", "Undo", "Edit", ["Mod+Z"], (editor) => editor.document.undo(), true),
  command("redo", "Redo", "Edit", ["Mod+Shift+Z", "Ctrl+Y"], (editor) => editor.document.redo(), true),
  command("copy", "Copy as text", "Edit", ["Mod+C"], (editor) => void copySelection(editor)),
  command(
    "cut",
    "Cut",
    "Edit",
    ["Mod+X"],
    (editor) => void copySelection(editor).then(() => removeSelection(editor)),
    true,
  ),
  command("paste", "Paste", "Edit", ["Mod+V"], (editor) => void pasteHere(editor, false), true),
  command(
    "paste-wired",
    "Paste with incoming wires",
    "Edit",
    ["Mod+Shift+V"],
    (editor) => void pasteHere(editor, true),
    true,
  ),
  command("duplicate", "Duplicate", "Edit", ["Mod+D"], duplicateSelection, true),
  command("import", "Import a spell file", "Edit", [], chooseFiles, true),
  command("export", "Export as JSON", "Edit", [], exportSpell),
  command("export-yaml", "Export as YAML", "Edit", [], (editor) => void exportAs(editor, "yaml")),
  command("export-python", "Export as Python", "Edit", [], (editor) => void exportAs(editor, "python")),
  command("select-all", "Select all", "Edit", ["Mod+A"], selectAll),
  command("remove", "Remove", "Edit", ["Delete", "Backspace"], removeSelection, true),
  command(
    "rename",
    "Rename",
    "Edit",
    ["F2"],
    (editor) => {
      const [id] = editor.selection.get();
      if (id !== undefined) editor.renaming.set(id);
    },
    true,
  ),
  command(
    "mute",
    "Mute, or let run again",
    "Edit",
    ["Mod+M"],
    (editor) => toggleMode(editor, "mute", editor.selectedNodes()),
    true,
  ),
  command(
    "bypass",
    "Bypass, or let run again",
    "Edit",
    ["Mod+B"],
    (editor) => toggleMode(editor, "bypass", editor.selectedNodes()),
    true,
  ),
  command(
    "pin",
    "Pin the output, or let run again",
    "Edit",
    ["P"],
    (editor) => void togglePins(editor, editor.selectedNodes()),
    true,
  ),

  command("layout", "Lay out the nodes", "Arrange", ["Shift+L"], (editor) => void layout(editor), true),
  command(
    "connect",
    "Connect automatically",
    "Arrange",
    ["Shift+W"],
    (editor) => withChosen(editor, (nodes) => connectAutomatically(editor, nodes)),
    true,
  ),
  command("group", "Group the selection", "Arrange", ["Mod+G"], groupSelection, true),
  command("fold", "Fold the group, or open it", "Arrange", ["Shift+G"], (editor) =>
    toggleFold(editor, chosenFrames(editor)),
  ),
  command(
    "subspell",
    "Make a subspell of the selection",
    "Arrange",
    ["Mod+Shift+G"],
    (editor) => void makeSubspell(editor),
    true,
  ),
  command("open-body", "Open what the selected node runs", "View", ["Mod+ArrowDown"], (editor) =>
    withChosen(editor, ([id]) => id !== undefined && openBody(editor, id)),
  ),
  command("align-left", "Align left", "Arrange", ["Alt+A"], (editor) => align(editor, "left"), true),
  command("align-right", "Align right", "Arrange", ["Alt+D"], (editor) => align(editor, "right"), true),
  command("align-top", "Align top", "Arrange", ["Alt+W"], (editor) => align(editor, "top"), true),
  command("align-bottom", "Align bottom", "Arrange", ["Alt+S"], (editor) => align(editor, "bottom"), true),
  command("spread-row", "Spread in a row", "Arrange", ["Alt+H"], (editor) => align(editor, "row"), true),
  command(
    "spread-column",
    "Spread in a column",
    "Arrange",
    ["Alt+V"],
    (editor) => align(editor, "column"),
    true,
  ),
  ...nudges,

  command("fit", "Fit all in view", "View", [".", "Mod+Shift+F"], (editor) => editor.view?.fit()),
  command("zoom-in", "Zoom in", "View", ["Mod+="], (editor) => editor.view?.zoom(1)),
  command("zoom-out", "Zoom out", "View", ["Mod+-"], (editor) => editor.view?.zoom(-1)),
  command("find", "Find on the canvas", "View", ["Mod+F"], (editor) => editor.find.set(true)),
  command("library", "Show the library", "View", ["L"], (editor) => editor.togglePanel("library")),
  command("outline", "Show the list of nodes", "View", ["O"], (editor) => editor.togglePanel("outline")),
  command("comments", "Show the comments", "View", [], (editor) => editor.togglePanel("comments")),
  command("worker", "Show the worker: packages, packs, access, log", "View", ["W"], (editor) =>
    editor.togglePanel("worker"),
  ),
  command("console", "Show the console", "View", ["Mod+J"], (editor) =>
    editor.console.update((open) => !open),
  ),
  command("inspector", "Show the inspector", "View", ["Mod+I"], (editor) => editor.toggleInspector()),
  command("shortcuts", "All shortcuts", "View", ["?"], (editor) => editor.shortcuts.set(true)),
  command("light", "Light theme", "View", [], () => chooseTheme("light")),
  command("dark", "Dark theme", "View", [], () => chooseTheme("dark")),
  command("system", "Theme of the system", "View", [], () => chooseTheme("system")),
];

const IS_MAC = typeof navigator !== "undefined" && /Mac|iP(hone|ad)/.test(navigator.platform);

/** The parts of a key event that matter, so that tests need no event. */
export interface KeyPress {
  readonly key: string;
  readonly code?: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** Whether `press` is the combination `keys`. Characters made with Shift (`?`) match by the character itself. */
export function matchesKeys(press: KeyPress, keys: string, mac = IS_MAC): boolean {
  const parts = keys.split("+");
  const key = parts.pop() || "+";
  const wants = (part: string) => parts.includes(part);
  const ctrl = wants("Ctrl") || (wants("Mod") && !mac);
  const meta = wants("Mod") && mac;
  if (press.ctrlKey !== ctrl || press.metaKey !== meta || press.altKey !== wants("Alt")) return false;
  const letter = /^[A-Z]$/.test(key);
  const symbol = key.length === 1 && !letter;
  if (!symbol && press.shiftKey !== wants("Shift")) return false;
  if (letter) return press.code === `Key${key}` || press.key.toUpperCase() === key;
  return press.key === key;
}

/** Keys as they are printed: `⌘⇧Z` on a Mac, `Ctrl Shift Z` elsewhere. */
export function keyCaps(keys: string, mac = IS_MAC): string[] {
  const caps: Record<string, string> = mac
    ? { Mod: "⌘", Shift: "⇧", Alt: "⌥", Ctrl: "⌃", Enter: "↵" }
    : { Mod: "Ctrl", Enter: "↵" };
  const arrows: Record<string, string> = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
  return keys.split("+").map((part) => caps[part] ?? arrows[part] ?? part);
}

/** The keys of a command, for titles of buttons: ` (Ctrl Enter)`. */
export function keysOf(id: string): string {
  const first = COMMANDS.find((entry) => entry.id === id)?.keys[0];
  return first ? keyCaps(first).join(" ") : "";
}

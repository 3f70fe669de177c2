/** Search for a node to add, a command to run, or a thing on the canvas to go to. */
import { CornerDownLeft, Search } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { NodeType } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { addNode } from "../store/actions";
import { COMMANDS, type Command, isMeant, keyCaps } from "../store/commands";
import type { Editor, PaletteRequest } from "../store/editor";
import { nodeTitle } from "../store/graph";
import { searchTypes } from "../store/library";
import { NodeIcon } from "./NodeIcon";

interface Entry {
  readonly key: string;
  readonly section: string;
  readonly title: string;
  readonly hint: string;
  readonly icon: React.ReactNode;
  readonly keys?: string | undefined;
  run(): void;
}

const LIMIT = 60;

export function Palette() {
  const editor = useEditor();
  const request = useStore(editor.palette);
  return request ? <OpenPalette request={request} /> : null;
}

function typeEntry(editor: Editor, request: PaletteRequest, type: NodeType): Entry {
  return {
    key: `type:${type.type}`,
    section: request.mode === "all" ? "Add a node" : type.category,
    title: type.title,
    hint: type.description,
    icon: <NodeIcon type={type.type} category={type.category} />,
    run: () => void addNode(editor, type, request),
  };
}

function commandEntry(editor: Editor, command: Command): Entry {
  return {
    key: `command:${command.id}`,
    section: "Commands",
    title: command.title,
    hint: command.section,
    icon: <CornerDownLeft size={14} />,
    keys: command.keys[0],
    run: () => command.run(editor),
  };
}

function entriesFor(editor: Editor, request: PaletteRequest, query: string): Entry[] {
  const types = searchTypes(editor.library.state.get().types, query, request.wire);
  const editable = editor.document.editable.get();
  const adds = editable ? types.map((type) => typeEntry(editor, request, type)) : [];
  if (request.mode === "add")
    return query === "" ? adds : adds.map((entry) => ({ ...entry, section: "Best matches" }));
  const words = query.toLowerCase();
  const commands = COMMANDS.filter(
    (command) => !command.keyOnly && (editable || !command.edits) && isMeant(command, query),
  ).map((command) => commandEntry(editor, command));
  const spell = editor.document.spell.get();
  const places = Object.entries(spell.nodes)
    .map(([id, node]) => ({ id, node, title: nodeTitle(node, editor.library.of(node)) }))
    .filter(
      ({ id, title, node }) => words !== "" && `${title} ${node.type} ${id}`.toLowerCase().includes(words),
    )
    .slice(0, 8)
    .map(
      ({ id, node, title }): Entry => ({
        key: `node:${id}`,
        section: "On the canvas",
        title,
        hint: node.type,
        icon: <NodeIcon type={node.type} category={editor.library.of(node)?.category} />,
        run: () => editor.reveal(id),
      }),
    );
  return query === "" ? [...commands, ...adds] : [...places, ...commands.slice(0, 8), ...adds];
}

function OpenPalette({ request }: { request: PaletteRequest }) {
  const editor = useEditor();
  const [query, setQuery] = useState("");
  const [picked, setPicked] = useState(0);
  const library = useStore(editor.library.state);
  const list = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the library is read inside entriesFor
  const entries = useMemo(
    () => entriesFor(editor, request, query.trim()).slice(0, LIMIT),
    [editor, request, query, library],
  );
  const close = () => editor.palette.set(null);
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    entry.run();
  };
  useEffect(() => {
    list.current?.querySelector(`[data-index="${picked}"]`)?.scrollIntoView({ block: "nearest" });
  }, [picked]);
  const nothing =
    library.status === "failed" ? `The library could not be loaded: ${library.message}` : "Nothing fits";
  return (
    <div className="palette-veil" onPointerDown={(event) => event.target === event.currentTarget && close()}>
      <div className="palette" role="dialog" aria-label="Search" data-testid="palette">
        <label className="palette-search">
          <Search size={16} aria-hidden="true" />
          <input
            ref={(input) => input?.focus()}
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-activedescendant={entries[picked] ? `palette-${picked}` : undefined}
            aria-label={
              request.mode === "add" ? "Search node types" : "Search commands, node types and nodes"
            }
            placeholder={placeholder(request)}
            data-testid="palette-search"
            value={query}
            onChange={(event) => {
              setQuery(event.target.value);
              setPicked(0);
            }}
            onKeyDown={(event) => {
              const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
              if (step !== undefined)
                setPicked((picked + step + entries.length) % Math.max(entries.length, 1));
              else if (event.key === "Enter") choose(entries[picked]);
              else if (event.key === "Escape") close();
              else return;
              event.preventDefault();
              event.stopPropagation();
            }}
          />
        </label>
        <div className="palette-list scroll" id="palette-list" role="listbox" ref={list} aria-label="Results">
          {entries.map((entry, index) => (
            <PaletteRow
              key={entry.key}
              entry={entry}
              index={index}
              heading={entries[index - 1]?.section !== entry.section}
              picked={index === picked}
              onPick={() => setPicked(index)}
              onChoose={() => choose(entry)}
            />
          ))}
          {entries.length === 0 && <div className="menu-note">{nothing}</div>}
        </div>
      </div>
    </div>
  );
}

function placeholder(request: PaletteRequest): string {
  if (!request.wire) return request.mode === "add" ? "Add a node…" : "Search commands and nodes…";
  return request.wire.from === "source"
    ? `Feed “${request.wire.port}” into…`
    : `Fill “${request.wire.port}” from…`;
}

interface PaletteRowProps {
  readonly entry: Entry;
  readonly index: number;
  readonly heading: boolean;
  readonly picked: boolean;
  readonly onPick: () => void;
  readonly onChoose: () => void;
}

function PaletteRow({ entry, index, heading, picked, onPick, onChoose }: PaletteRowProps) {
  return (
    <>
      {heading && <div className="palette-section">{entry.section}</div>}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the search field above handles the keys */}
      <div
        className="palette-row"
        role="option"
        id={`palette-${index}`}
        data-index={index}
        data-testid={`palette-${entry.key}`}
        aria-selected={picked}
        tabIndex={-1}
        onPointerMove={onPick}
        onClick={onChoose}
      >
        <span className="palette-icon">{entry.icon}</span>
        <span className="palette-title">{entry.title}</span>
        <span className="palette-hint truncate">{entry.hint}</span>
        {entry.keys && (
          <span className="keys">
            {keyCaps(entry.keys).map((cap) => (
              <kbd key={cap}>{cap}</kbd>
            ))}
          </span>
        )}
      </div>
    </>
  );
}

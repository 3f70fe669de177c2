/** Finds text in names, values and code on the canvas, and replaces it in values and code. */
import { ChevronDown, ChevronUp, Replace, X } from "lucide-react";
import { useMemo, useState } from "react";
import type { Json, Spell } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import type { Editor } from "../store/editor";

/** The nodes and notes that contain `words`, in reading order. */
export function findIn(spell: Spell, words: string): string[] {
  const needle = words.toLowerCase();
  if (needle === "") return [];
  const has = (...texts: (string | undefined)[]) =>
    texts.some((text) => text?.toLowerCase().includes(needle));
  const nodes = Object.entries(spell.nodes).filter(([id, node]) =>
    has(id, node.name, node.type, node.code, JSON.stringify(node.inputs)),
  );
  const notes = Object.entries(spell.notes).filter(([, note]) => has(note.text));
  return [...nodes, ...notes]
    .sort(([, a], [, b]) => a.position[1] - b.position[1] || a.position[0] - b.position[0])
    .map(([id]) => id);
}

function replaceIn(editor: Editor, ids: readonly string[], words: string, by: string): void {
  const spell = editor.document.spell.get();
  const pattern = new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi");
  editor.document.checkpoint();
  editor.document.together(() => {
    for (const id of ids) {
      const node = spell.nodes[id];
      const note = spell.notes[id];
      if (node?.code !== undefined)
        editor.document.setCode(
          id,
          node.code.replace(pattern, () => by),
        );
      if (node?.name)
        editor.document.setName(
          id,
          node.name.replace(pattern, () => by),
        );
      for (const [port, value] of Object.entries(node?.inputs ?? {}) as [string, Json][]) {
        if (typeof value === "string")
          editor.document.setInput(
            id,
            port,
            value.replace(pattern, () => by),
          );
      }
      if (note) editor.document.setNote(id, { text: note.text.replace(pattern, () => by) });
    }
  });
}

export function FindBar() {
  const editor = useEditor();
  const open = useStore(editor.find);
  return open ? <OpenFindBar /> : null;
}

function OpenFindBar() {
  const editor = useEditor();
  const spell = useStore(editor.document.spell);
  const editable = useStore(editor.document.editable);
  const [words, setWords] = useState("");
  const [by, setBy] = useState("");
  const [at, setAt] = useState(0);
  const found = useMemo(() => findIn(spell, words), [spell, words]);
  const go = (step: number) => {
    if (found.length === 0) return;
    const next = (at + step + found.length) % found.length;
    setAt(next);
    const id = found[next];
    if (id !== undefined) editor.reveal(id);
  };
  return (
    <search className="find-bar" data-testid="find">
      <input
        className="field"
        ref={(input) => {
          if (input && document.activeElement === document.body) input.focus();
        }}
        // biome-ignore lint/a11y/noAutofocus: the bar opens because the person asked to type in it
        autoFocus
        placeholder="Find"
        aria-label="Find on the canvas"
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setAt(-1);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
          if (event.key === "Escape") editor.find.set(false);
        }}
      />
      <span className="faint count">
        {words ? `${found.length === 0 ? 0 : Math.max(at, 0) + 1} of ${found.length}` : ""}
      </span>
      <button type="button" className="icon-button small" aria-label="Previous" onClick={() => go(-1)}>
        <ChevronUp size={14} />
      </button>
      <button type="button" className="icon-button small" aria-label="Next" onClick={() => go(1)}>
        <ChevronDown size={14} />
      </button>
      {editable && (
        <>
          <input
            className="field"
            placeholder="Replace with"
            aria-label="Replace with"
            value={by}
            onChange={(event) => setBy(event.target.value)}
          />
          <button
            type="button"
            className="icon-button small"
            aria-label="Replace all"
            title="Replace all"
            disabled={found.length === 0}
            onClick={() => replaceIn(editor, found, words, by)}
          >
            <Replace size={14} />
          </button>
        </>
      )}
      <button
        type="button"
        className="icon-button small"
        aria-label="Close"
        onClick={() => editor.find.set(false)}
      >
        <X size={14} />
      </button>
    </search>
  );
}

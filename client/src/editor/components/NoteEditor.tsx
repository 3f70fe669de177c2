/** The text of a note, in Markdown. */
import { defaultKeymap } from "@codemirror/commands";
import { markdown } from "@codemirror/lang-markdown";
import { keymap, placeholder } from "@codemirror/view";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useSharedText } from "../hooks/useSharedText";

export function NoteEditor({ id }: { id: string }) {
  const editor = useEditor();
  const present = useStore(editor.document.spell, (spell) => spell.notes[id] !== undefined);
  const box = useSharedText({
    thing: id,
    field: "text",
    present,
    label: "Text of the note, in Markdown",
    text: (document) => document.noteText(id),
    made: (view) => view?.focus(),
    extensions: () => [markdown(), placeholder("Markdown"), keymap.of([...defaultKeymap])],
  });
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only keeps the canvas's keys away from the text
    <div
      className="note-editor nodrag nowheel"
      ref={box}
      onKeyDown={(event) => event.stopPropagation()}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) editor.renaming.set(null);
      }}
    />
  );
}

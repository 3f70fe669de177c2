/** Spells as files: what is on the canvas goes out as one, and a file's things come in beside what is here. */
import type { Form } from "../../engine";
import type { Pair, SpellJson } from "../../protocol";
import type { Editor } from "./editor";

/** Larger files are not read: one edit could not carry them. The command line imports those. */
export const LARGEST_FILE = 1_900_000;

/** The endings of files that hold spells. */
const ENDINGS = [".json", ".yaml", ".yml", ".py", ".ir", ".msgpack"];

/** Between what is here and what comes in, in canvas units. */
const APART = 80;

/** Give `spell` to the person as a JSON file. */
export function saveFile(spell: SpellJson, name = spell.name ?? "spell"): void {
  saveText(`${JSON.stringify(spell, null, 2)}\n`, "application/json", `${fileName(name)}.json`);
}

function saveText(text: string, type: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Not at once: some browsers begin to read it only after this.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** What is on the canvas, as a JSON file; this needs no server. */
export function exportSpell(editor: Editor): void {
  saveFile(editor.document.toJson());
}

/** What is on the canvas, edits not yet saved too, as a file in a form that the server writes. */
export async function exportAs(editor: Editor, form: Exclude<Form, "json" | "ir">): Promise<void> {
  const spell = editor.document.toJson();
  try {
    const file = await editor.workbench.forms.write(spell, form);
    const [ending] = file.name.match(/(\.manifest)?\.\w+$/) ?? [""];
    saveText(file.text ?? "", file.media_type, `${fileName(spell.name ?? "spell")}${ending}`);
  } catch (error) {
    editor.toasts.error("The file could not be written", error);
  }
}

/** A name without what no file may have in its name. */
export function fileName(name: string): string {
  const clean = name
    .replace(/[\p{Cc}\s<>:"/\\|?*]+/gu, " ")
    .trim()
    .replace(/^\.+/, "");
  return clean.slice(0, 80).trim() || "spell";
}

/** Let the person choose files, and add what they hold. */
export function chooseFiles(editor: Editor): void {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = ENDINGS.join(",");
  input.multiple = true;
  input.hidden = true;
  input.addEventListener("change", () => void importFiles(editor, [...(input.files ?? [])]));
  for (const end of ["change", "cancel"]) input.addEventListener(end, () => input.remove());
  document.body.append(input); // Not every browser asks for a field that is nowhere on the page.
  input.click();
}

/**
 * Add the things of spell files under new ids, with the wires among them: at `at`, else beside what is here.
 *
 * One step of undo for each file. Nothing runs, and nothing that is here changes. A file that holds no spell is
 * told, and adds nothing.
 */
export async function importFiles(editor: Editor, files: readonly File[], at?: Pair): Promise<void> {
  for (const file of files) {
    if (!editor.document.editable.get()) {
      editor.toasts.show({ tone: "info", title: "You cannot edit this canvas now, so nothing is added" });
      return;
    }
    const text = await readText(editor, file);
    if (text !== null) addSpell(editor, file.name, text, at ?? beside(editor));
  }
}

/** What a file holds as the JSON of a spell; of one that is not JSON the server says it. */
async function readText(editor: Editor, file: File): Promise<string | null> {
  if (file.size > LARGEST_FILE) {
    editor.toasts.show({
      tone: "error",
      title: `${file.name} is too large to add here`,
      next: `Files up to ${LARGEST_FILE / 1e6} MB can be added; "spellwork import" takes larger ones.`,
    });
    return null;
  }
  try {
    if (!/\.(ya?ml|py|ir|msgpack)$/i.test(file.name)) return await file.text();
    const content = new Uint8Array(await file.arrayBuffer());
    const { spell } = await editor.workbench.forms.read(file.name, content);
    return JSON.stringify(spell);
  } catch (error) {
    editor.toasts.error(`${file.name} cannot be read`, error);
    return null;
  }
}

function addSpell(editor: Editor, name: string, text: string, at: Pair): void {
  try {
    editor.document.checkpoint();
    const added = editor.document.paste(text, { at });
    const things = [...added.nodes, ...added.groups, ...added.notes];
    editor.select(things);
    setTimeout(() => editor.view?.fit(things)); // once they are drawn
    editor.toasts.show({ tone: "done", title: `Added ${things.length} things of ${name}` });
  } catch (error) {
    editor.toasts.error(`${name} holds no spell`, error);
  }
}

/** Right of everything that is here, level with its top. */
function beside(editor: Editor): Pair {
  const spell = editor.document.spell.get();
  const boxes = [spell.nodes, spell.groups, spell.notes].flatMap((things) =>
    Object.values<{ position: Pair; size?: Pair }>(things),
  );
  if (boxes.length === 0) return editor.view?.center() ?? [0, 0];
  const right = Math.max(...boxes.map(({ position, size }) => position[0] + (size?.[0] ?? 240)));
  return [right + APART, Math.min(...boxes.map(({ position }) => position[1]))];
}

/** Files come in beside what is here, as one step each, and what is no spell adds nothing. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PasteError } from "../../document/errors";
import type { Editor } from "./editor";
import { exportAs, fileName, importFiles, LARGEST_FILE } from "./spell_files";

const FILE = new File(['{"nodes": {}}'], "birds.json");

function fakeEditor(editable = true) {
  const spell = {
    nodes: { a: { position: [10, 40] }, b: { position: [300, 20], size: [100, 50] } },
    groups: {},
    notes: { n: { position: [0, 90], size: [120, 60] } },
  };
  return {
    document: {
      editable: { get: () => editable },
      spell: { get: () => spell },
      checkpoint: vi.fn(),
      toJson: () => ({ name: "My: birds", nodes: {} }),
      paste: vi.fn(() => ({ nodes: ["x"], edges: ["w"], groups: [], notes: ["y"] })),
    },
    workbench: {
      forms: {
        read: vi.fn(async () => ({ form: "yaml", spell: { nodes: {} }, problems: [] })),
        write: vi.fn(async () => ({ name: "Birds.py", media_type: "text/x-python", text: "wf" })),
      },
    },
    select: vi.fn(),
    view: { fit: vi.fn(), center: () => [1, 2] },
    toasts: { show: vi.fn(), error: vi.fn() },
  };
}

let fake: ReturnType<typeof fakeEditor>;
const editor = () => fake as unknown as Editor;
beforeEach(() => {
  fake = fakeEditor();
});
afterEach(() => vi.restoreAllMocks());

it("adds a file right of all that is here, as a step of undo of its own, and selects it", async () => {
  await importFiles(editor(), [FILE]);
  expect(fake.document.checkpoint).toHaveBeenCalledOnce();
  expect(fake.document.paste).toHaveBeenCalledWith('{"nodes": {}}', { at: [480, 20] });
  expect(fake.select).toHaveBeenCalledWith(["x", "y"]);
});

it("adds it where it was dropped", async () => {
  await importFiles(editor(), [FILE], [7, 8]);
  expect(fake.document.paste).toHaveBeenCalledWith(expect.any(String), { at: [7, 8] });
});

it("says which file holds no spell, and goes on with the others", async () => {
  fake.document.paste.mockImplementationOnce(() => {
    throw new PasteError("no nodes");
  });
  await importFiles(editor(), [FILE, FILE]);
  expect(fake.toasts.error).toHaveBeenCalledWith("birds.json holds no spell", expect.any(PasteError));
  expect(fake.document.paste).toHaveBeenCalledTimes(2);
});

it("reads no file that is too large, and none where one may not edit", async () => {
  const large = new File(["x".repeat(LARGEST_FILE + 1)], "large.json");
  await importFiles(editor(), [large]);
  expect(fake.toasts.show).toHaveBeenCalledWith(expect.objectContaining({ tone: "error" }));
  fake = fakeEditor(false);
  await importFiles(editor(), [FILE]);
  expect(fake.document.paste).not.toHaveBeenCalled();
});

it.each(["a.yaml", "a.YML", "a.py", "a.ir", "a.msgpack"])("has the server read %s", async (name) => {
  await importFiles(editor(), [new File(["nodes: {}"], name)]);
  expect(fake.workbench.forms.read).toHaveBeenCalledWith(name, new TextEncoder().encode("nodes: {}"));
  expect(fake.document.paste).toHaveBeenCalledWith('{"nodes":{}}', expect.anything());
});

it("says what the server says of a file that holds no spell, and adds nothing", async () => {
  fake.workbench.forms.read.mockRejectedValueOnce(new Error("a.py: line 1, column 1: only Workflow"));
  await importFiles(editor(), [new File(["import os"], "a.py")]);
  expect(fake.toasts.error).toHaveBeenCalledWith("a.py cannot be read", expect.any(Error));
  expect(fake.document.paste).not.toHaveBeenCalled();
});

it("saves what the server wrote under the canvas's name", async () => {
  const link = { click: vi.fn(), href: "", download: "" };
  vi.stubGlobal("document", { createElement: () => link });
  const blob = vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  await exportAs(editor(), "python");
  expect(fake.workbench.forms.write).toHaveBeenCalledWith(fake.document.toJson(), "python");
  expect(link.download).toBe("My birds.py");
  expect(link.click).toHaveBeenCalledOnce();
  expect(blob).toHaveBeenCalledWith(expect.objectContaining({ type: "text/x-python" }));
  fake.workbench.forms.write.mockRejectedValueOnce(new Error("offline"));
  await exportAs(editor(), "yaml");
  expect(fake.toasts.error).toHaveBeenCalledWith("The file could not be written", expect.any(Error));
  vi.unstubAllGlobals();
});

it.each([
  ["Birds", "Birds"],
  ["a/b\\c: d?", "a b c d"],
  ["..", "spell"],
  ["\u0000\n", "spell"],
  ["x".repeat(200), "x".repeat(80)],
])("makes a file's name of %j", (name, expected) => {
  expect(fileName(name)).toBe(expected);
});

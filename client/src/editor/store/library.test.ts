/** Node types are found by words, and by the wire they are to be joined to. */
import { describe, expect, it } from "vitest";
import type { NodeType } from "../../protocol";
import { byCategory, fittingPort, NodeLibrary, searchTypes } from "./library";

function type(id: string, title: string, more: Partial<NodeType> = {}): NodeType {
  return { type: id, version: 1, title, category: "Text", description: "", inputs: [], outputs: [], ...more };
}

const number = { type: "number" };
const types = {
  "core.template": type("core.template", "Template", {
    extra_inputs: true,
    inputs: [{ name: "template", schema: { type: "string" }, required: true }],
    outputs: [{ name: "text", schema: { type: "string" } }],
  }),
  "core.sum": type("core.sum", "Sum", {
    category: "Math",
    keywords: ["add", "plus"],
    inputs: [{ name: "a", schema: number, required: true }],
    outputs: [{ name: "sum", schema: number }],
  }),
};

describe("search", () => {
  it("finds by title, keyword and category, all words needed", () => {
    expect(searchTypes(types, "temp").map((found) => found.type)).toEqual(["core.template"]);
    expect(searchTypes(types, "plus").map((found) => found.type)).toEqual(["core.sum"]);
    expect(searchTypes(types, "plus zebra")).toEqual([]);
  });

  it("offers only what a dropped wire can be joined to", () => {
    const fromNumber = { from: "source", schema: number, many: false } as const;
    expect(searchTypes(types, "", fromNumber).map((found) => found.type)).toEqual([
      "core.template",
      "core.sum",
    ]);
    expect(fittingPort(types["core.sum"], fromNumber)?.name).toBe("a");
    const intoText = { from: "target", schema: { type: "string" }, many: false } as const;
    expect(searchTypes(types, "", intoText).map((found) => found.type)).toEqual(["core.template"]);
  });

  it("puts types in their categories", () => {
    expect(byCategory(searchTypes(types, "")).map(([category]) => category)).toEqual(["Text", "Math"]);
  });
});

describe("the library", () => {
  it("quotes the names that a docstring marks", async () => {
    const library = new NodeLibrary(async () => [
      type("a", "If", { description: "By ``then``, else ``else``." }),
    ]);
    await library.refresh();
    expect(library.get("a")?.description).toBe("By “then”, else “else”.");
  });

  it("keeps the newest version of a type", async () => {
    const library = new NodeLibrary(async () => [type("a", "New", { version: 2 }), type("a", "Old")]);
    await library.refresh();
    expect(library.get("a")?.title).toBe("New");
  });

  it("has older versions for the nodes that name them (15.11)", async () => {
    const library = new NodeLibrary(async () => [type("a", "New", { version: 2 }), type("a", "Old")]);
    await library.refresh();
    const node = { type: "a", inputs: {}, settings: {}, position: [0, 0] as const };
    expect(library.of({ ...node, version: 1 })?.title).toBe("Old");
    expect(library.of({ ...node, version: 2 })?.title).toBe("New");
    expect(library.of(node)?.title).toBe("New");
    expect(library.of({ ...node, version: 9 })).toBeUndefined();
  });

  it("keeps what it has when it cannot be fetched again, and says why", async () => {
    let broken = false;
    const library = new NodeLibrary(async () => {
      if (broken) throw new Error("no server");
      return [type("a", "A")];
    });
    await library.refresh();
    broken = true;
    await library.refresh();
    expect(library.state.get()).toMatchObject({ status: "failed", message: "no server" });
    expect(library.get("a")?.title).toBe("A");
  });
});

/** Node types are found by words, and by the wire they are to be joined to. */
import { describe, expect, it, vi } from "vitest";
import type { NodeType } from "../../protocol";
import { FakeServer } from "../../testing/fake_server";
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

describe("the library of a canvas", () => {
  it("is fetched anew when the server says that it changed, once for changes that come together", async () => {
    vi.useFakeTimers();
    const { session } = new FakeServer().session();
    const emit = vi.spyOn(session, "on");
    const fetched = vi.fn(async () => [type("a", "A")]);
    const library = new NodeLibrary(fetched);
    const end = library.follow(session, "c1");
    const told = emit.mock.calls[0]?.[1] as (data: { canvas: string }) => void;
    await vi.advanceTimersByTimeAsync(0);
    expect(fetched).toHaveBeenLastCalledWith("c1");
    told({ canvas: "c2" });
    told({ canvas: "c1" });
    told({ canvas: "c1" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(fetched).toHaveBeenCalledTimes(2);
    end();
    vi.useRealTimers();
  });

  it("is asked for until it is there, and shows what was remembered meanwhile", async () => {
    vi.useFakeTimers();
    const { session } = new FakeServer().session();
    session.connect();
    await vi.advanceTimersByTimeAsync(0);
    const fetched = vi
      .fn<() => Promise<NodeType[]>>()
      .mockRejectedValueOnce(new Error("busy"))
      .mockRejectedValueOnce(new Error("busy"))
      .mockResolvedValue([type("a", "Told")]);
    const library = new NodeLibrary(fetched, async () => [type("a", "Remembered")]);
    const end = library.follow(session, "c1");
    await vi.advanceTimersByTimeAsync(0);
    expect(library.get("a")?.title).toBe("Remembered");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(library.get("a")?.title).toBe("Told");
    await vi.advanceTimersByTimeAsync(100_000);
    expect(fetched).toHaveBeenCalledTimes(3);
    end();
    session.close();
    vi.useRealTimers();
  });

  it("of a page that was opened without the server is fetched when that returns", async () => {
    vi.useFakeTimers();
    const { session } = new FakeServer().session();
    const fetched = vi
      .fn<() => Promise<NodeType[]>>()
      .mockRejectedValueOnce(new Error("no server"))
      .mockResolvedValue([type("a", "A")]);
    const library = new NodeLibrary(fetched);
    const end = library.follow(session, "c1");
    await vi.advanceTimersByTimeAsync(100_000);
    expect(fetched).toHaveBeenCalledTimes(1);
    session.connect();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(library.state.get().status).toBe("ready");
    end();
    session.close();
    vi.useRealTimers();
  });

  it("shows what was asked for last, whatever comes first", async () => {
    const answers: ((types: NodeType[]) => void)[] = [];
    const library = new NodeLibrary(() => new Promise((resolve) => answers.push(resolve)));
    const both = [library.refresh(), library.refresh()];
    answers[1]?.([type("b", "B")]);
    answers[0]?.([type("a", "A")]);
    await Promise.all(both);
    expect(Object.keys(library.state.get().types)).toEqual(["b"]);
  });
});

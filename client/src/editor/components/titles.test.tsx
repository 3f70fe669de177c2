// @vitest-environment jsdom
/** A canvas may be there before the library of node types: what it calls its nodes follows the library. */
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import type { NodeType } from "../../protocol";
import { Store } from "../../store";
import { EditorContext } from "../hooks/useEditor";
import { NodeLibrary } from "../store/library";
import { OwnerBadge } from "./OwnerBadge";
import { NodeLink } from "./tests/NodeLink";

afterEach(cleanup);

const MAP = { type: "core.map", version: 1, title: "Map over a list", category: "Flow", description: "" };
const each = { type: "core.map", inputs: {}, settings: { body: { group: "g" } }, position: [0, 0] };

test("what names a node says its title as soon as the library is there, and when it is another", async () => {
  let types = [{ ...MAP, inputs: [], outputs: [] } as NodeType];
  const library = new NodeLibrary(async () => types);
  const editor = {
    library,
    document: { spell: new Store({ nodes: { each }, edges: {}, groups: {}, notes: {} }) },
  };
  render(
    <EditorContext value={editor as never}>
      <OwnerBadge group="g" />
      <NodeLink node="each" port="result" />
    </EditorContext>,
  );
  expect(screen.getByTestId("owner-of-g").textContent).toContain("run by core.map");
  expect(screen.getByTestId("test-node-each").textContent).toBe("core.map.result");
  await act(() => library.refresh());
  expect(screen.getByTestId("owner-of-g").textContent).toContain("run by Map over a list");
  expect(screen.getByTestId("test-node-each").textContent).toBe("Map over a list.result");
  types = [{ ...MAP, title: "For each", inputs: [], outputs: [] } as NodeType];
  await act(() => library.refresh());
  expect(screen.getByTestId("owner-of-g").textContent).toContain("run by For each");
});

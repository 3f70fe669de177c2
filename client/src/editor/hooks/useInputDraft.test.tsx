// @vitest-environment jsdom
/** What is typed into an input is an edit at once; in live mode it is tried, and one edit when the field is left. */
import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openWorkbench, SpellworkPage, type Workbench } from "../../engine";
import type { Port } from "../../protocol";
import type { Store } from "../../store";
import { FakeServer, settle } from "../../testing/fake_server";
import { InputRows } from "../components/InputRows";
import { PortField } from "../components/PortValue";
import { Editor } from "../store/editor";
import { NodeLibrary } from "../store/library";
import { EditorContext } from "./useEditor";
import { useNode } from "./useNode";
import { useShortcuts } from "./useShortcuts";

const ANY = { name: "value", schema: {}, required: false } as unknown as Port;
const PORT = { name: "value", schema: { type: "number", maximum: 99 }, required: false } as unknown as Port;

let editor: Editor;
let workbench: Workbench;
let asked: unknown[];
let demote: () => void;
let sent: () => unknown;

beforeEach(async () => {
  const server = new FakeServer();
  sent = () => server.canvas("c").doc.getMap("nodes").toJSON().n.inputs.value;
  const { session, socket } = server.session();
  demote = () => {
    socket.role = "viewer";
    socket.emit("canvas.role", { canvas: "c", role: "viewer" });
  };
  asked = [];
  server.answers.set("runs.preview", (payload) => {
    asked.push((payload as { inputs: unknown }).inputs);
    return { outputs: { n: { value: 7 } } };
  });
  const user = { id: "u", name: "Anna" };
  workbench = openWorkbench({ session, canvas: "c", user, page: new SpellworkPage() });
  session.connect();
  await settle();
  workbench.document.addNode({ type: "core.number", position: [0, 0], inputs: { value: 1 } }, "n");
  editor = new Editor(workbench, new NodeLibrary(async () => []), user as never);
});

afterEach(() => {
  cleanup();
  workbench.close();
});

function OnNode({ port = PORT }: { port?: Port }) {
  useShortcuts(editor);
  return <PortField node="n" port={port} value={useNode("n")?.inputs.value} />;
}

function InInspector() {
  useShortcuts(editor);
  const node = useNode("n");
  const ports = { inputs: [PORT], outputs: [], broken: new Set<string>(), extraInputs: false };
  return node && <InputRows id="n" node={node} ports={ports as never} wired={{ inputs: [], outputs: [] }} />;
}

/** Show the field on the node, or in the inspector. */
function shown(place: "node" | "inspector") {
  const view = render(
    <EditorContext value={editor}>{place === "node" ? <OnNode /> : <InInspector />}</EditorContext>,
  );
  return { field: screen.getByRole<HTMLInputElement>("textbox"), view };
}

function setLive(on: boolean) {
  (workbench.runs.live as Store<boolean>).set(on);
}

const value = () => workbench.document.spell.get().nodes.n?.inputs.value;

for (const place of ["node", "inspector"] as const) {
  test(`live, on the ${place}: what is typed is tried at once, and one edit when it is committed`, async () => {
    setLive(true);
    const { field } = shown(place);
    await userEvent.type(field, "23", { initialSelectionStart: 0, initialSelectionEnd: 1 });
    expect(value()).toBe(1);
    expect(asked[0]).toEqual({ "n.value": 2 });
    await userEvent.keyboard("{Enter}");
    expect(value()).toBe(23);
    workbench.document.undo();
    expect(value()).toBe(1);
  });

  test(`live, on the ${place}: Escape drops the draft and its preview`, async () => {
    setLive(true);
    const { field } = shown(place);
    await userEvent.type(field, "5");
    await settle();
    expect(workbench.drafts.outputs.get()).toEqual({ n: { value: 7 } });
    if (place === "inspector") expect(screen.getByTestId("draft-hint").textContent).toMatch(/Esc drops it/);
    await userEvent.keyboard("{Escape}");
    expect(workbench.drafts.outputs.get()).toEqual({});
    expect([value(), field.value]).toEqual([1, "1"]);
  });

  test(`on the ${place}, with live mode off, what is typed is in the document at once, and nothing is asked`, async () => {
    const { field } = shown(place);
    await userEvent.type(field, "5");
    expect(value()).toBe(15);
    await userEvent.keyboard("{Backspace}6");
    expect(value()).toBe(16);
    await settle();
    expect(sent()).toBe(16);
    await userEvent.tab();
    expect(asked).toEqual([]);
    act(() => workbench.document.undo());
    expect([value(), field.value]).toEqual([1, "1"]);
  });

  test(`on the ${place}, what is no number yet stays in the field until it is one`, async () => {
    const { field } = shown(place);
    await userEvent.type(field, "0-", { initialSelectionStart: 0, initialSelectionEnd: 1 });
    expect([value(), field.value, field.getAttribute("aria-invalid")]).toEqual([0, "0-", "true"]);
    await userEvent.keyboard("{Backspace}.");
    expect([value(), field.value]).toEqual([0, "0."]);
    await userEvent.keyboard("5");
    expect([value(), field.value]).toEqual([0.5, "0.5"]);
  });

  for (const live of [false, true]) {
    test(`on the ${place}, live ${live}: who is made a viewer while typing sees the document's value`, async () => {
      setLive(live);
      const { field } = shown(place);
      await userEvent.type(field, live ? "5" : "x");
      act(demote);
      expect([value(), field.value, field.readOnly]).toEqual([1, "1", true]);
      expect(screen.queryByTestId("draft-hint")).toBeNull();
      await act(settle);
      expect(workbench.drafts.outputs.get()).toEqual({});
    });
  }

  test(`on the ${place}, Ctrl+Enter runs with what is typed`, async () => {
    const run = vi.spyOn(workbench.runs, "start").mockResolvedValue(undefined as never);
    const { field } = shown(place);
    await userEvent.type(field, "5");
    await userEvent.keyboard("{Control>}{Enter}{/Control}");
    expect(run).toHaveBeenCalledOnce();
    expect([value(), document.activeElement]).toEqual([15, field]);
  });

  test(`live, on the ${place}: Ctrl+Enter runs where there is nothing to commit`, async () => {
    const run = vi.spyOn(workbench.runs, "start").mockResolvedValue(undefined as never);
    setLive(true);
    const { field } = shown(place);
    await userEvent.type(field, "5{Backspace}");
    await userEvent.keyboard("{Control>}{Enter}{/Control}");
    expect(run).toHaveBeenCalledOnce();
  });

  test(`live, on the ${place}: Ctrl+Enter commits as Enter does`, async () => {
    setLive(true);
    const { field } = shown(place);
    await userEvent.type(field, "5");
    await userEvent.keyboard("{Control>}{Enter}{/Control}");
    expect(value()).toBe(15);
    expect(screen.queryByTestId("draft-hint")).toBeNull();
  });

  test(`live, on the ${place}: a field that goes away commits what it holds`, async () => {
    setLive(true);
    const { field, view } = shown(place);
    await userEvent.type(field, "5");
    view.unmount();
    expect(value()).toBe(15);
  });

  test(`on the ${place}, what is no number is neither tried nor committed`, async () => {
    setLive(true);
    const { field } = shown(place);
    await userEvent.type(field, "x");
    expect(field.getAttribute("aria-invalid")).toBe("true");
    await userEvent.tab();
    expect(asked).toEqual([]);
    expect([value(), field.value]).toEqual([1, "1"]);
  });
}

test("on the node, a field stays one while what is typed in it gets long, or a list", async () => {
  render(
    <EditorContext value={editor}>
      <OnNode port={ANY} />
    </EditorContext>,
  );
  const field = screen.getByRole<HTMLInputElement>("textbox");
  await userEvent.clear(field);
  await userEvent.click(field);
  await userEvent.paste(`[${"1, ".repeat(40)}`);
  expect(value()).toBeUndefined();
  await userEvent.paste("2]");
  expect(value()).toHaveLength(41);
  expect(document.activeElement).toBe(field);
  await userEvent.tab();
  expect(screen.queryByRole("textbox")).toBeNull();
  expect(screen.getByRole("button").textContent).toMatch(/^\[1,1/);
});

test("on the node, what began as JSON is text when the field is left, or run", async () => {
  const run = vi.spyOn(workbench.runs, "start").mockResolvedValue(undefined as never);
  render(
    <EditorContext value={editor}>
      <OnNode port={ANY} />
    </EditorContext>,
  );
  const field = screen.getByRole<HTMLInputElement>("textbox");
  await userEvent.clear(field);
  await userEvent.paste("[draft");
  await userEvent.keyboard("{Escape}");
  expect(value()).toBeUndefined();
  await userEvent.click(field);
  await userEvent.paste("[draft");
  await userEvent.keyboard("{Control>}{Enter}{/Control}");
  expect(run).toHaveBeenCalledOnce();
  expect(value()).toBe("[draft");
  await userEvent.paste("] words");
  await userEvent.tab();
  expect(value()).toBe("[draft] words");
});

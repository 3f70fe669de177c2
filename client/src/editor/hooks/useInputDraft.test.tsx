// @vitest-environment jsdom
/** What is typed into an input is one edit, when the field is left. */
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test } from "vitest";
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

const PORT = { name: "value", schema: { type: "number", maximum: 99 }, required: false } as unknown as Port;

let editor: Editor;
let workbench: Workbench;
let asked: unknown[];

beforeEach(async () => {
  const server = new FakeServer();
  const { session } = server.session();
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

function OnNode() {
  return <PortField node="n" port={PORT} value={useNode("n")?.inputs.value} />;
}

function InInspector() {
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

  test(`on the ${place}, with live mode off, nothing is asked`, async () => {
    const { field } = shown(place);
    await userEvent.type(field, "5");
    await userEvent.tab();
    expect(asked).toEqual([]);
    expect(value()).toBe(15);
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

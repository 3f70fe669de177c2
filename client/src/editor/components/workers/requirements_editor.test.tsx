// @vitest-environment jsdom
/** The list of packages checks what is typed, is one edit and one step of undo, and is read-only for viewers. */
import { act, cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openWorkbench, SpellworkPage, type Workbench } from "../../../engine";
import type { Role } from "../../../protocol";
import { FakeServer, settle } from "../../../testing/fake_server";
import { EditorContext } from "../../hooks/useEditor";
import { Editor } from "../../store/editor";
import { NodeLibrary } from "../../store/library";
import { RequirementsEditor } from "./RequirementsEditor";

let server: FakeServer;
let workbench: Workbench;

beforeEach(() => {
  server = new FakeServer();
});

afterEach(() => {
  cleanup();
  workbench.close();
});

async function open(role: Role = "owner", faults: Record<string, string> = {}) {
  const { session } = server.session(role);
  const user = { id: "u", name: "Anna" };
  workbench = openWorkbench({ session, canvas: "c", user, page: new SpellworkPage() });
  session.connect();
  await settle();
  const editor = new Editor(workbench, new NodeLibrary(async () => []), user as never);
  render(
    <EditorContext value={editor}>
      <RequirementsEditor faults={faults} />
    </EditorContext>,
  );
}

const required = () => workbench.document.spell.get().requirements;

it("adds a package by its name and versions, and undo takes it back", async () => {
  await open();
  await userEvent.type(screen.getByLabelText("Name of a package"), "pandas");
  await userEvent.type(screen.getByLabelText("Versions of the package"), ">= 2, <4{Enter}");
  expect(required()).toEqual({ pandas: ">=2,<4" });
  expect(screen.getByLabelText<HTMLInputElement>("Versions of pandas").value).toBe(">=2,<4");
  act(() => workbench.document.undo());
  expect(required()).toEqual({});
});

it("takes a whole requirement as the name, and knows a package by any spelling", async () => {
  await open();
  const name = screen.getByLabelText("Name of a package");
  await userEvent.type(name, "Typing_Extensions>=4{Enter}");
  expect(required()).toEqual({ Typing_Extensions: ">=4" });
  await userEvent.type(name, "typing-extensions{Enter}");
  expect(screen.getByRole("alert").textContent).toContain("in the list already");
  expect(required()).toEqual({ Typing_Extensions: ">=4" });
});

it("checks versions as they are typed, and keeps what was there until they are sound", async () => {
  await open();
  act(() => workbench.document.setRequirement("rich", ">=13"));
  const versions = screen.getByLabelText<HTMLInputElement>("Versions of rich");
  await userEvent.clear(versions);
  await userEvent.type(versions, "latest");
  expect(versions.getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByRole("alert").textContent).toContain("Begin with");
  await userEvent.tab();
  expect(required()).toEqual({ rich: ">=13" });
  await userEvent.clear(versions);
  await userEvent.type(versions, "~=13.1{Enter}");
  expect(required()).toEqual({ rich: "~=13.1" });
  expect(screen.queryByRole("alert")).toBeNull();
});

it("shows what others write where nobody writes here", async () => {
  await open();
  act(() => workbench.document.setRequirement("rich", ""));
  act(() => workbench.document.setRequirement("rich", ">=14"));
  expect(screen.getByLabelText<HTMLInputElement>("Versions of rich").value).toBe(">=14");
});

it("takes a requirements.txt as one step of undo, and says what it leaves out", async () => {
  await open();
  act(() => workbench.document.setRequirement("rich", ""));
  await userEvent.click(screen.getByTestId("paste-requirements"));
  await userEvent.click(screen.getByLabelText("A requirements.txt"));
  await userEvent.paste("pandas>=2\nRich>=13\n-r other.txt\n");
  expect(screen.getByRole("status").textContent).toBe("1 to add, 1 to change");
  expect(screen.getByText(/Line 3/).textContent).toContain("left out");
  await userEvent.click(screen.getByTestId("requirements-take"));
  expect(required()).toEqual({ pandas: ">=2", rich: ">=13" });
  act(() => workbench.document.undo());
  expect(required()).toEqual({ rich: "" });
});

it("shows what the resolver said at its package, and about all of them below", async () => {
  await open("owner", { rich: "There is no version 99.", "": "The two clash." });
  act(() => workbench.document.setRequirement("rich", ">=99"));
  const row = screen.getByTestId("requirement-rich");
  expect(within(row).getByRole("alert").textContent).toBe("There is no version 99.");
  expect(screen.getByTestId("requirements-fault").textContent).toBe("The two clash.");
});

it("lets viewers look, and nothing else", async () => {
  server.canvas("c").doc.getMap("requirements").set("rich", ">=13");
  await open("viewer");
  expect(screen.getByLabelText<HTMLInputElement>("Versions of rich").readOnly).toBe(true);
  expect(screen.queryByRole("button")).toBeNull();
  expect(screen.queryByLabelText("Name of a package")).toBeNull();
});

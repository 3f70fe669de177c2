// @vitest-environment jsdom
/** How to run is chosen for one run: a plain run after it is a plain run. */
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWorkbench, SpellworkPage, type Workbench } from "../../engine";
import { RunDesk } from "../../runs";
import { FakeServer, type FakeSocket, settle } from "../../testing/fake_server";
import { EditorContext } from "../hooks/useEditor";
import { RunDeskContext } from "../hooks/useRunDesk";
import { Editor } from "../store/editor";
import { NodeLibrary } from "../store/library";
import { RunControls } from "./RunControls";

let server: FakeServer;
let socket: FakeSocket;
let workbench: Workbench;

beforeEach(async () => {
  server = new FakeServer();
  server.answers.set("queues.find", () => ({ items: [{ name: "nightly" }] }));
  const made = server.session();
  socket = made.socket;
  const user = { id: "u", name: "Anna" };
  workbench = openWorkbench({ session: made.session, canvas: "c", user, page: new SpellworkPage() });
  made.session.connect();
  await settle();
  const editor = new Editor(workbench, new NodeLibrary(async () => []), user as never);
  render(
    <EditorContext value={editor}>
      <RunDeskContext value={new RunDesk(made.session, workbench)}>
        <RunControls />
      </RunDeskContext>
    </EditorContext>,
  );
});
afterEach(() => {
  cleanup();
  workbench.close();
});

const asked = () => socket.sent.filter(({ event }) => event === "runs.create").map(({ payload }) => payload);

test("a run that survives a restart is asked for from the menu, and the next is plain again", async () => {
  await userEvent.click(screen.getByTestId("run-more"));
  await userEvent.click(screen.getByTestId("run-durably"));
  expect(screen.queryByTestId("run-durably")).toBeNull();
  await userEvent.click(screen.getByTestId("run-button"));
  const plain = { canvas: "c", audience: "shared" };
  expect(asked()).toEqual([{ ...plain, durable: true }, plain]);
});

test("a run is put into a queue with its priority, beside what goes on", async () => {
  await userEvent.click(screen.getByTestId("run-more"));
  await settle();
  expect(screen.getByTestId<HTMLInputElement>("run-queue-name").value).toBe("nightly");
  await userEvent.clear(screen.getByTestId("run-queue-name"));
  await userEvent.type(screen.getByTestId("run-queue-name"), "reports");
  await userEvent.clear(screen.getByTestId("run-queue-priority"));
  await userEvent.type(screen.getByTestId("run-queue-priority"), "5{Enter}");
  const placed = { canvas: "c", audience: "shared", queue: "reports", priority: 5, on_busy: "parallel" };
  expect(asked()).toEqual([placed]);
  await userEvent.click(screen.getByTestId("run-more"));
  expect(screen.getByTestId<HTMLInputElement>("run-queue-name").value).toBe("reports");
});

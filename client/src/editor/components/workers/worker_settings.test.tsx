// @vitest-environment jsdom
/** What is wrong is said at its field, nothing is asked for meanwhile, and deleting is asked twice (W9, W10). */
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { Store } from "../../../store";
import type { Worker, WorkerBounds, WorkerSettings } from "../../../workers";
import { WorkerSettingsSheet } from "./WorkerSettingsSheet";

beforeAll(() => {
  // jsdom has no modal dialogs.
  HTMLDialogElement.prototype.showModal ??= function open(this: HTMLDialogElement) {
    this.open = true;
  };
  HTMLDialogElement.prototype.close ??= () => {};
});
beforeEach(() => vi.stubGlobal("requestAnimationFrame", (work: () => void) => setTimeout(work, 0)));
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const bound = { least: 64, most: 4096, whole: true, usual: 1024 };
const bounds = { processes: { ...bound, least: 1, most: 16 }, limits: { memory_mb: bound } };
const lab = {
  ...{ id: "w", name: "Lab", kind: "shared", processes: 2, ownLimits: { memory_mb: 512 }, open: true },
  environment: { requirements: { rich: ">=13" } },
} as unknown as Worker;

function open(worker: Worker | null, answer: Record<string, string> | null = null) {
  const settings = {
    shared: new Store(null),
    bounds: new Store(bounds as unknown as WorkerBounds),
    create: vi.fn(async () => answer),
    change: vi.fn(async () => answer),
    remove: vi.fn(async () => answer),
  };
  const close = vi.fn();
  render(
    <WorkerSettingsSheet settings={settings as unknown as WorkerSettings} worker={worker} onClose={close} />,
  );
  return { settings, close };
}

it("says what is wrong at the field, leads there, and makes the worker once nothing is", async () => {
  const { settings, close } = open(null);
  const memory = screen.getByLabelText<HTMLInputElement>("Memory (MB)");
  expect(memory.placeholder).toBe("1024");
  await userEvent.type(memory, "12");
  expect(screen.getByRole("alert").textContent).toBe("It has to be 64 to 4,096 MB");
  await userEvent.click(screen.getByTestId("worker-save"));
  expect(settings.create).not.toHaveBeenCalled();
  await vi.waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("Name")), 30_000);
  await userEvent.keyboard("Lab");
  await userEvent.clear(memory);
  await userEvent.type(memory, "512{Enter}");
  expect(settings.create).toHaveBeenCalledWith(
    expect.objectContaining({ name: "Lab", limits: expect.objectContaining({ memory_mb: "512" }) }),
    false,
  );
  expect(close).toHaveBeenCalled();
});

it("shows what the server refuses at its field, and keeps what was typed", async () => {
  const { close } = open(lab, { requirements: "there is no such package" });
  await userEvent.type(screen.getByLabelText("Packages"), "\nspam");
  await userEvent.click(screen.getByTestId("worker-save"));
  expect(screen.getByRole("alert").textContent).toBe("there is no such package");
  expect(screen.getByLabelText<HTMLTextAreaElement>("Packages").value).toBe("rich>=13\nspam");
  expect(close).not.toHaveBeenCalled();
});

it("deletes once somebody has said so twice; the first answer at hand is to keep it", async () => {
  const { settings, close } = open(lab);
  await userEvent.click(screen.getByTestId("worker-delete"));
  expect(document.activeElement?.textContent).toBe("Keep it");
  await userEvent.keyboard("{Enter}");
  expect(settings.remove).not.toHaveBeenCalled();
  await userEvent.click(screen.getByTestId("worker-delete"));
  await userEvent.click(screen.getByTestId("worker-delete-sure"));
  expect(settings.remove).toHaveBeenCalledWith(lab);
  expect(close).toHaveBeenCalled();
});

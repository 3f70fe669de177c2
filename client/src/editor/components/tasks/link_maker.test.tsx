// @vitest-environment jsdom
/** A link is shown as good while it is the one that the task has. */
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { tasks } from "../../../app/tasks";
import type { Task } from "../../../tasks";
import { LinkMaker } from "./TaskMore";

test("a link that somebody replaced by another is shown no more (P10)", async () => {
  const made = { id: "mine", link: "https://here/#/task/x", token: "x" };
  vi.spyOn(tasks, "link").mockResolvedValue(made);
  const task = { id: "t", linked: false, link_id: null } as Task;
  const { rerender } = render(<LinkMaker task={task} />);
  await userEvent.click(screen.getByTestId("task-link-make"));
  rerender(<LinkMaker task={{ ...task, linked: true, link_id: "mine" }} />);
  expect(screen.getByTestId<HTMLInputElement>("task-link-url").value).toBe(made.link);
  rerender(<LinkMaker task={{ ...task, linked: true, link_id: "another" }} />);
  expect(screen.queryByTestId("task-link-url")).toBeNull();
  expect(screen.getByText("A link to it is out.")).toBeTruthy();
});

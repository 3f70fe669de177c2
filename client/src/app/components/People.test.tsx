// @vitest-environment jsdom
/** Administrators add people by a password or by a one-time link. */
import { cleanup, configure, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { api } from "../../api";
import { People } from "./People";

const admin = { id: "1", email: "ada@example.org", name: "Ada", role: "admin" };
const accounts = [
  { ...admin, disabled: false },
  { id: "2", email: "bob@example.org", name: "", role: "member", disabled: false },
];

beforeEach(() => {
  vi.spyOn(api, "get").mockResolvedValue({ items: accounts });
});
configure({ asyncUtilTimeout: 30_000 });
afterEach(cleanup);

it("shows the one-time link of somebody added without a password", async () => {
  const post = vi.spyOn(api, "post").mockResolvedValue({ ...accounts[1], link: "https://x/#/link/t" });
  render(<People user={admin} />);
  await userEvent.type(screen.getByTestId("person-email"), "bob@example.org");
  await userEvent.click(screen.getByTestId("person-add"));
  expect(post).toHaveBeenCalledWith("/v1/users", { email: "bob@example.org" });
  expect((await screen.findByTestId("person-link")).textContent).toContain("https://x/#/link/t");
});

it("disables an account, never one's own", async () => {
  const patch = vi.spyOn(api, "patch").mockResolvedValue({});
  render(<People user={admin} />);
  await userEvent.click(await screen.findByLabelText("Disable bob@example.org"));
  expect(patch).toHaveBeenCalledWith("/v1/users/2", { disabled: true });
  expect(screen.getByLabelText<HTMLButtonElement>("Disable ada@example.org").disabled).toBe(true);
});

it("keeps what was typed when the server refuses it", async () => {
  vi.spyOn(api, "post").mockRejectedValue(new Error("that address has an account"));
  render(<People user={admin} />);
  await userEvent.type(screen.getByTestId("person-email"), "bob@example.org");
  await userEvent.click(screen.getByTestId("person-add"));
  expect(await screen.findByText(/that address has an account/)).toBeTruthy();
  expect(screen.getByTestId<HTMLInputElement>("person-email").value).toBe("bob@example.org");
});

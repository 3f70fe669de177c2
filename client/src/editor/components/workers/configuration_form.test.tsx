// @vitest-environment jsdom
/** The form of an external worker is made of its schema; secrets are written, and left alone where nothing is typed. */
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import type { ExternalWorker } from "../../../workers";
import { ConfigurationForm } from "./ConfigurationForm";

afterEach(cleanup);

const worker = {
  id: "w",
  name: "Microscope",
  config: { port: 4000, light: { warm: true } },
  secrets: ["token", "light.key"],
  config_schema: {
    type: "object",
    required: ["port"],
    properties: {
      port: { type: "integer", title: "Port", maximum: 65535, description: "Where it listens." },
      token: { type: "string", title: "Token" },
      light: { $ref: "#/$defs/Light" },
    },
    $defs: {
      Light: {
        type: "object",
        title: "Light",
        properties: { warm: { type: "boolean", title: "Warm" }, key: { type: "string", title: "Key" } },
      },
    },
  },
} as unknown as ExternalWorker;

it("changes what was changed, and sends only secrets that were typed", async () => {
  const save = vi.fn(async () => true);
  render(<ConfigurationForm worker={worker} onSave={save} />);
  expect(screen.getByTestId<HTMLButtonElement>("configuration-save").disabled).toBe(true);
  expect(screen.getByText("Where it listens.")).toBeTruthy();
  expect(screen.getByLabelText<HTMLInputElement>("Token").type).toBe("password");
  await userEvent.click(screen.getByLabelText("Warm"));
  await userEvent.type(screen.getByLabelText("Key"), "k");
  await userEvent.click(screen.getByTestId("configuration-save"));
  expect(save).toHaveBeenCalledWith({ port: 4000, light: { warm: false, key: "k" } });
  expect(screen.getByLabelText<HTMLInputElement>("Key").value, "what was sent is not kept").toBe("");
});

it("keeps what was typed where it was refused, and can go back", async () => {
  render(<ConfigurationForm worker={worker} onSave={async () => false} />);
  await userEvent.click(screen.getByLabelText("Warm"));
  await userEvent.click(screen.getByTestId("configuration-save"));
  expect(screen.getByLabelText<HTMLInputElement>("Warm").checked).toBe(false);
  await userEvent.click(screen.getByRole("button", { name: "As it was" }));
  expect(screen.getByLabelText<HTMLInputElement>("Warm").checked).toBe(true);
});

it("says so where there is nothing to configure", () => {
  render(<ConfigurationForm worker={{ ...worker, config_schema: {} }} onSave={async () => true} />);
  expect(screen.getByText(/nothing to configure/)).toBeTruthy();
});

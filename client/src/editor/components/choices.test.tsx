// @vitest-environment jsdom
/** Choices that follow from other inputs are offered, and what is none of them stays in sight. */
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import type { Json } from "../../protocol";
import type { JsonSchema } from "../store/schema";
import { ChoicesField } from "./ChoicesField";

afterEach(cleanup);

function field(schema: JsonSchema, choices: readonly Json[], value?: Json) {
  const onChange = vi.fn();
  render(
    <ChoicesField
      name="column"
      schema={schema}
      choices={choices}
      value={value}
      disabled={false}
      onChange={onChange}
    />,
  );
  return onChange;
}

const TEXT = { type: "string" };
const TEXTS = { type: "array", items: TEXT };

test("one of them is chosen, or another value is typed", async () => {
  const onChange = field(TEXT, ["city", "people"], "town");
  const select = screen.getByRole("combobox");
  expect(select.getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByText("town (not a choice)")).toBeTruthy();
  await userEvent.selectOptions(select, "people");
  expect(onChange).toHaveBeenLastCalledWith("people");
  await userEvent.selectOptions(select, "Another value…");
  await userEvent.type(screen.getByRole("textbox"), "s");
  expect(onChange).toHaveBeenLastCalledWith("towns");
});

test("of a list some are chosen, in the order of choosing", async () => {
  const onChange = field(TEXTS, ["city", "people"], ["people", "gone"]);
  expect(screen.getByRole("button", { name: "people" }).getAttribute("aria-pressed")).toBe("true");
  expect(screen.getByText(/“gone” is not among the choices/)).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "city" }));
  expect(onChange).toHaveBeenLastCalledWith(["people", "gone", "city"]);
  await userEvent.click(screen.getByRole("button", { name: "gone" }));
  expect(onChange).toHaveBeenLastCalledWith(["people"]);
});

test("where there are none, anything is typed", async () => {
  const onChange = field(TEXT, []);
  await userEvent.type(screen.getByRole("textbox"), "x");
  expect(onChange).toHaveBeenLastCalledWith("x");
});

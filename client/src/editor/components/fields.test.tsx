// @vitest-environment jsdom
/** Inputs are edited as their schema says, and nothing unsound leaves a field. */
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Json } from "../../protocol";
import type { JsonSchema } from "../store/schema";
import { readTyped } from "./PortValue";
import { SchemaField } from "./SchemaField";
import { StateBadge } from "./StateBadge";

afterEach(cleanup);

function field(schema: JsonSchema, value?: Json, fallback?: Json) {
  const onChange = vi.fn();
  render(
    <SchemaField
      name="it"
      schema={schema}
      value={value}
      fallback={fallback}
      disabled={false}
      onChange={onChange}
    />,
  );
  return onChange;
}

describe("SchemaField", () => {
  it("offers the choices of an enum, and keeps a value that is not among them in sight", async () => {
    const onChange = field({ enum: ["bar", "line"] }, "point");
    expect(screen.getByRole("combobox").getAttribute("aria-invalid")).toBe("true");
    expect(screen.getByText("point (not allowed)")).toBeTruthy();
    await userEvent.selectOptions(screen.getByRole("combobox"), "line");
    expect(onChange).toHaveBeenCalledWith("line");
  });

  it("shows an optional choice as nothing chosen, and takes it back", async () => {
    const onChange = field({ anyOf: [{ enum: ["equals", "is empty"] }, { type: "null" }] }, undefined, null);
    const select = screen.getByRole<HTMLSelectElement>("combobox");
    expect([select.value, select.getAttribute("aria-invalid")]).toEqual(["", "false"]);
    await userEvent.selectOptions(select, "is empty");
    expect(onChange).toHaveBeenLastCalledWith("is empty");
    cleanup();
    const undo = field({ anyOf: [{ enum: ["equals"] }, { type: "null" }] }, "equals", null);
    await userEvent.selectOptions(screen.getByRole("combobox"), "–");
    expect(undo).toHaveBeenLastCalledWith(undefined);
  });

  it("gives on a number only while it is within bounds, and says what is wrong", async () => {
    const onChange = field({ type: "integer", minimum: 0, maximum: 20 });
    await userEvent.type(screen.getByRole("textbox"), "21");
    expect(onChange.mock.calls).toEqual([[2]]);
    expect(screen.getByText("At most 20")).toBeTruthy();
  });

  it("clears to the default", async () => {
    const onChange = field({ type: "number" }, 5, 3);
    await userEvent.clear(screen.getByRole("textbox"));
    expect(onChange).toHaveBeenLastCalledWith(undefined);
    expect(screen.getByRole("textbox").getAttribute("placeholder")).toBe("3");
  });

  it("switches a yes or no", async () => {
    const onChange = field({ anyOf: [{ type: "boolean" }, { type: "null" }] }, false);
    await userEvent.click(screen.getByRole("checkbox"));
    expect(onChange).toHaveBeenCalledWith(true);
  });

  it("gives on JSON only when it is what the schema names", async () => {
    const onChange = field({ type: "array" });
    const box = screen.getByRole("textbox");
    await userEvent.click(box);
    await userEvent.paste('{"a": 1}');
    expect(onChange).not.toHaveBeenCalled();
    expect(screen.getByText(/A list is needed/)).toBeTruthy();
    await userEvent.clear(box);
    await userEvent.paste("[1, 2]");
    expect(onChange).toHaveBeenLastCalledWith([1, 2]);
  });

  it("takes plain words as text where anything goes", async () => {
    const onChange = field({});
    await userEvent.click(screen.getByRole("textbox"));
    await userEvent.paste("plain words");
    expect(onChange).toHaveBeenLastCalledWith("plain words");
  });
});

describe("values typed on a node", () => {
  it.each([
    ["", "any", { value: undefined }],
    ["42", "any", { value: 42 }],
    ["words", "any", { value: "words" }],
    ["[1", "any", { why: expect.any(String) }],
    ["42", "text", { value: "42" }],
    ["", "number", { value: undefined }],
    ["4.5", "number", { value: 4.5 }],
    ["100", "number", { why: "At most 99" }],
    ["abc", "number", { why: "This is not a number" }],
  ] as const)("%j on a port of %s", (text, kind, read) => {
    expect(readTyped(text, kind, { maximum: 99 })).toEqual(read);
  });
});

describe("StateBadge", () => {
  it("says state, duration and reason to a screen reader", () => {
    render(<StateBadge state="done" duration={0.012} why="code changed" />);
    expect(screen.getByRole("status").textContent).toContain("Done in 12 ms (code changed)");
  });

  it("tells stale from failed by word and sign, not by colour alone", () => {
    const { container, rerender } = render(<StateBadge state="stale" />);
    const stale = container.querySelector("svg")?.innerHTML;
    expect(container.textContent).toContain("Stale");
    rerender(<StateBadge state="failed" />);
    expect(container.textContent).toContain("Failed");
    expect(container.querySelector("svg")?.innerHTML).not.toBe(stale);
  });
});

// @vitest-environment jsdom
/** Expected values are edited where they stand, keep what is wrong in sight, and are only read by who may not edit. */
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import type { SpellTest } from "../../../protocol";
import { claimsOf } from "../../../spell_tests";
import { Store } from "../../../store";
import { EditorContext } from "../../hooks/useEditor";
import { ClaimLine } from "./ClaimLine";

afterEach(cleanup);

const TEST: SpellTest = {
  inputs: {},
  record: {},
  expect: { sum: { outputs: { value: { op: "equals", value: 3 } } } },
};

function line(editable: boolean) {
  const document = {
    spell: new Store({ nodes: { sum: { type: "core.value", name: "Sum" } } }),
    setInTest: vi.fn(),
    checkpoint: vi.fn(),
  };
  const editor = { document, library: { state: new Store({ types: {}, older: {} }) }, reveal: vi.fn() };
  const [claim] = claimsOf(TEST, null);
  if (!claim) throw new Error("there is one");
  render(
    <EditorContext value={editor as never}>
      <ul>
        <ClaimLine id="t" test={TEST} claim={claim} editable={editable} />
      </ul>
    </EditorContext>,
  );
  return { document, editor, field: screen.getByRole("textbox", { name: "Expected value of sum.value" }) };
}

test("a value that is none stays to be corrected and is not kept; Escape brings the last good one back", async () => {
  const { document, field } = line(true);
  await userEvent.clear(field);
  await userEvent.type(field, "4x");
  expect(document.setInTest).toHaveBeenCalledTimes(1);
  expect(document.setInTest).toHaveBeenLastCalledWith("t", "expect", "sum", {
    outputs: { value: { op: "equals", value: 4 } },
  });
  await userEvent.tab();
  expect((field as HTMLTextAreaElement).value).toBe("4x");
  expect(field.getAttribute("aria-invalid")).toBe("true");
  await userEvent.type(field, "{Escape}");
  expect((field as HTMLTextAreaElement).value).toBe("3");
});

test("an assertion is taken away, and its node is shown, from the keyboard", async () => {
  const { document, editor } = line(true);
  await userEvent.tab();
  await userEvent.keyboard("{Enter}");
  expect(editor.reveal).toHaveBeenCalledWith("sum");
  await userEvent.tab();
  await userEvent.keyboard("{Enter}");
  expect(document.setInTest).toHaveBeenCalledWith("t", "expect", "sum", { outputs: {} });
});

test("who may not edit reads it, and nothing more", async () => {
  const { document, field } = line(false);
  await userEvent.type(field, "4");
  expect((field as HTMLTextAreaElement).value).toBe("3");
  expect(screen.queryByRole("button", { name: /Do not expect/ })).toBeNull();
  expect(document.setInTest).not.toHaveBeenCalled();
});

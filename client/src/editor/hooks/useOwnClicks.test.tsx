// @vitest-environment jsdom
/** The rest of a double click does nothing in what its first click opened: a panel, or what asks once more. */
import { cleanup, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OPENED, useOwnClicks } from "./useOwnClicks";

let heard: string[];

function Page() {
  const [open, setOpen] = useState(false);
  useOwnClicks();
  const [sure, setSure] = useState(false);
  const hear = (event: React.SyntheticEvent) => heard.push(event.type);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)} onDoubleClick={() => heard.push("node's dblclick")}>
        Node
      </button>
      {open && (
        <aside className="inspector">
          <button type="button" onPointerDown={hear} onMouseDown={hear} onClick={hear} onDoubleClick={hear}>
            Clear
          </button>
        </aside>
      )}
      <aside className="side">
        <button type="button" data-sure={sure} onClick={() => (sure ? heard.push("removed") : setSure(true))}>
          {sure ? "Remove for good?" : "Remove"}
        </button>
      </aside>
      <div className="past-banner">
        <button type="button" onClick={() => heard.push("restored")}>
          Restore
        </button>
      </div>
    </>
  );
}

interface Press {
  readonly on: string;
  readonly detail: number;
  readonly x?: number;
  /** Milliseconds after the test began. */
  readonly at: number;
}

/** Press the mouse as a browser tells it; say what of it was prevented. */
async function press({ on, detail, x = 10, at }: Press): Promise<boolean[]> {
  const target = await screen.findByText(on);
  const types = ["pointerdown", "mousedown", "click", ...(detail === 2 ? ["dblclick"] : [])];
  return types.map((type) => {
    const counted = type === "pointerdown" ? 0 : detail;
    const event = new MouseEvent(type, {
      bubbles: true,
      cancelable: true,
      clientX: x,
      clientY: 10,
      detail: counted,
    });
    Object.defineProperty(event, "timeStamp", { value: at });
    return !target.dispatchEvent(event);
  });
}

beforeEach(() => {
  heard = [];
  render(<Page />);
});
afterEach(cleanup);

test("what follows the first click on a node is the node's, as a double click", async () => {
  await press({ on: "Node", detail: 1, at: 0 });
  expect(await press({ on: "Clear", detail: 2, at: 200 })).toEqual([false, true, true, true]);
  await press({ on: "Clear", detail: 3, at: 400 });
  expect(heard).toEqual(["node's dblclick"]);
});

test("a slow double click is known by the browser's count", async () => {
  await press({ on: "Node", detail: 1, at: 0 });
  await press({ on: "Clear", detail: 2, at: 900 });
  expect(heard).toEqual(["pointerdown", "node's dblclick"]);
});

test("taps that the browser does not count are known by their time and place", async () => {
  await press({ on: "Node", detail: 1, at: 0 });
  await press({ on: "Clear", detail: 1, at: 200 });
  expect(heard).toEqual([]);
});

test.each([
  ["later", { at: 700 }],
  ["elsewhere", { at: 200, x: 40 }],
])("a click of its own, %s, is the inspector's", async (_when, where) => {
  await press({ on: "Node", detail: 1, at: 0 });
  expect(await press({ on: "Clear", detail: 1, ...where })).toEqual([false, false, false]);
  expect(heard).toEqual(["pointerdown", "mousedown", "click"]);
});

test("a double click that began in the inspector is the inspector's, and so is the keyboard's", async () => {
  await press({ on: "Node", detail: 1, at: 0 });
  await press({ on: "Clear", detail: 1, at: 900 });
  await press({ on: "Clear", detail: 2, at: 1000 });
  expect(heard.slice(3)).toEqual(["pointerdown", "mousedown", "click", "dblclick"]);
  await press({ on: "Node", detail: 1, at: 2000 });
  heard = [];
  screen.getByText("Clear").click();
  expect(heard).toEqual(["click"]);
});

test("what asks once more is not answered by the second click of a double one", async () => {
  await press({ on: "Remove", detail: 1, at: 0 });
  await press({ on: "Remove for good?", detail: 2, at: 200 });
  expect(heard).toEqual([]);
  await press({ on: "Remove for good?", detail: 1, at: 1500 });
  expect(heard).toEqual(["removed"]);
});

test("a click in one panel that opens another under the mouse does nothing there", async () => {
  await press({ on: "Remove", detail: 1, at: 0 });
  await press({ on: "Restore", detail: 2, at: 200 });
  expect(heard).toEqual([]);
  await press({ on: "Restore", detail: 1, at: 1500 });
  await press({ on: "Restore", detail: 2, at: 1600 });
  expect(heard).toEqual(["restored", "restored"]);
});

test("a click after a key is a click of its own", async () => {
  await press({ on: "Node", detail: 1, at: 0 });
  const clear = await screen.findByText("Clear");
  clear.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  await press({ on: "Clear", detail: 1, at: 200 });
  expect(heard).toEqual(["pointerdown", "mousedown", "click"]);
});

test("panels, menus, sheets and questions are all guarded", () => {
  for (const panel of [".inspector", ".past-banner", ".menu", ".sheet", ".thread", '[data-sure="true"]'])
    expect(OPENED.split(",")).toContain(panel);
});

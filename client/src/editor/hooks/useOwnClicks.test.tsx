// @vitest-environment jsdom
/** The rest of a double click that began on a node does nothing in the inspector, which its first click opened. */
import { cleanup, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { useOwnClicks } from "./useOwnClicks";

let heard: string[];

function Page() {
  const [open, setOpen] = useState(false);
  useOwnClicks(".inspector");
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

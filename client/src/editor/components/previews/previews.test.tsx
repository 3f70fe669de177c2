// @vitest-environment jsdom
/** Each kind of value is shown in a way that suits it, and large ones by the page. */
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { LoadValueContext } from "../../hooks/useLoadValue";
import { Preview } from "./Preview";
import { columnsOf, TablePreview } from "./TablePreview";

afterEach(cleanup);

describe("Preview", () => {
  it("opens and closes JSON", async () => {
    render(<Preview value={{ deep: { leaf: "green" } }} place="node" label="out" />);
    expect(screen.queryByText(/green/)).toBeNull();
    await userEvent.click(screen.getByRole("treeitem", { name: /deep/ }));
    expect(screen.getByText(/green/)).toBeTruthy();
  });

  it("says that the head of a large table is only its head", () => {
    render(<TablePreview rows={[{ a: 1 }, { a: 2 }]} place="panel" label="t" head />);
    expect(screen.getByText(/First 2 rows/)).toBeTruthy();
  });

  it("never runs HTML in Markdown", async () => {
    const { container } = render(
      <Preview
        value={'# Hi\n\n<img src=x onerror="alert(1)">'}
        schema={{ type: "string", format: "markdown" }}
      />,
    );
    expect(await screen.findByRole("heading", { name: "Hi" })).toBeTruthy();
    expect(container.querySelector("img")).toBeNull();
  });

  it("says how many rows a table has, and finds its columns", () => {
    render(
      <Preview
        value={[
          { a: 1, b: "x" },
          { a: 2, c: null },
        ]}
      />,
    );
    expect(screen.getByText(/2 rows × 3/)).toBeTruthy();
    expect(columnsOf([{ a: 1, b: "x" }, { a: null }])).toEqual([
      { name: "a", numeric: true },
      { name: "b", numeric: false },
    ]);
  });

  it("loads more of a large value by the page, and puts the pages together", async () => {
    const load = vi
      .fn()
      .mockResolvedValueOnce({ value: "abc", total: 6, more: true })
      .mockResolvedValueOnce({ value: "def", total: 6, more: false });
    render(
      <LoadValueContext value={load}>
        <Preview value={{ $ref: "hash", size: 70_000, preview: "ab" }} />
      </LoadValueContext>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Load more" }));
    await userEvent.click(await screen.findByRole("button", { name: "Load more" }));
    expect(await screen.findByText("abcdef")).toBeTruthy();
    expect(load.mock.calls).toEqual([
      ["hash", 0],
      ["hash", 3],
    ]);
    expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
  });

  it("says why a page could not be loaded", async () => {
    const load = vi.fn().mockRejectedValue(new Error("the value is gone"));
    render(
      <LoadValueContext value={load}>
        <Preview value={{ $ref: "hash", size: 70_000, preview: [1] }} />
      </LoadValueContext>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Load more" }));
    expect(await screen.findByText(/the value is gone/)).toBeTruthy();
  });
});

describe("a value that cannot be drawn", () => {
  it("says so, and the rest of the page goes on", () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const broken = new Proxy([{ a: 1 }], {
      get(target, key) {
        if (key === "length") return 1;
        if (key === "slice") throw new Error("unreadable");
        return Reflect.get(target, key);
      },
    });
    render(
      <div>
        <Preview value={broken} />
        <p>the rest</p>
      </div>,
    );
    expect(screen.getByText(/unreadable/)).toBeTruthy();
    expect(screen.getByText("the rest")).toBeTruthy();
  });
});

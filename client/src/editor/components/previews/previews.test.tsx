// @vitest-environment jsdom
/** Each kind of value is shown in a way that suits it, and large ones by the page. */
import { cleanup, configure, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ProtocolError } from "../../../api";
import { type Streamed, withChunk } from "../../../engine/streamed";
import type { PortValue } from "../../../protocol";
import { LoadValueContext, type Order } from "../../hooks/useLoadValue";
import { Preview } from "./Preview";
import { StreamPreview } from "./StreamPreview";
import { columnsOf, TablePreview } from "./TablePreview";

configure({ asyncUtilTimeout: 30_000 });
afterEach(cleanup);

describe("a value that stays in the worker", () => {
  const handle = {
    $handle: "ab",
    kind: "pandas.core.frame.DataFrame",
    size: 2_000_000,
    encodings: ["arrow", "json"],
    preview: {
      form: "table",
      columns: [
        { name: "price", type: "float64" },
        { name: "day", type: "datetime64[ns]" },
      ],
      rows: [{ price: 1.5, day: "2026-01-01" }],
      total: 3,
    },
  };

  it("shows what it is, its columns with their types, and how many rows there are", () => {
    render(<Preview value={handle} />);
    expect(screen.getByText(/Lives in the worker/)).toBeTruthy();
    expect(screen.getByText("pandas.DataFrame")).toBeTruthy();
    expect(screen.getByText("2.0 MB")).toBeTruthy();
    expect(screen.getByText("float64")).toBeTruthy();
    expect(screen.getByText(/1 of 3 rows × 2/)).toBeTruthy();
  });

  it("gets further rows from the worker", async () => {
    const rows = [{ price: 1.5 }, { price: 2 }, { price: 3 }];
    const load = vi.fn().mockResolvedValue({ kind: "list", value: rows, total: 3, more: false });
    render(
      <LoadValueContext value={load}>
        <Preview value={handle} place="panel" />
      </LoadValueContext>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Load rows" }));
    expect(load).toHaveBeenCalledWith("ab", 0, "");
    expect(await screen.findByText("3 rows × 2")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Load/ })).toBeNull();
  });

  it("says that it is gone once the worker has it no more, and what to do", async () => {
    const load = vi
      .fn()
      .mockRejectedValue(new ProtocolError({ code: "value_gone", message: "worker restarted" }));
    render(
      <LoadValueContext value={load}>
        <Preview value={handle} />
      </LoadValueContext>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Load rows" }));
    expect((await screen.findByTestId("value-gone")).textContent).toContain("Run the node again");
  });

  it.each([
    [{ form: "array", dtype: "int64", shape: [2, 3], values: [[1, 2, 3]] }, /2 × 3/],
    [{ form: "text", text: "<Model 7>" }, /<Model 7>/],
    [{ form: "list", values: [1, 2], total: 9 }, /2 of 9/],
    [null, /the worker was busy/],
  ])("shows %o", (preview, words) => {
    render(<Preview value={{ ...handle, kind: "x", preview }} />);
    expect(screen.getByText(words)).toBeTruthy();
  });
});

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
      .mockResolvedValueOnce({ kind: "text", value: "a🙂c", total: 6, more: true })
      .mockResolvedValueOnce({ kind: "text", value: "def", total: 6, more: false });
    render(
      <LoadValueContext value={load}>
        <Preview value={{ $ref: "hash", size: 70_000, preview: "ab" }} />
      </LoadValueContext>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Load more" }));
    await userEvent.click(await screen.findByRole("button", { name: "Load more" }));
    expect(await screen.findByText("a🙂cdef")).toBeTruthy();
    expect(load.mock.calls).toEqual([
      ["hash", 0, ""],
      ["hash", 3, ""],
    ]);
    expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
  });

  it("puts the pages of a large object together", async () => {
    const load = vi
      .fn()
      .mockResolvedValueOnce({ kind: "object", value: { a: 1, b: 2 }, total: 3, more: true })
      .mockResolvedValueOnce({ kind: "object", value: { c: 3 }, total: 3, more: false });
    render(
      <LoadValueContext value={load}>
        <Preview value={{ $ref: "hash", size: 70_000, preview: { a: 1 } }} place="panel" />
      </LoadValueContext>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Load more" }));
    await userEvent.click(await screen.findByRole("button", { name: "Load more" }));
    for (const name of ["a", "b", "c"]) expect(await screen.findByText(name)).toBeTruthy();
    expect(load.mock.calls.map(([, offset]) => offset)).toEqual([0, 2]);
  });

  it("reads a large part of a large value when it is opened, by its path", async () => {
    const part = { $ref: "hash", size: 90_000, preview: [] };
    const load = vi.fn(async (_hash: string, offset: number, path: string) => {
      if (path === "")
        return { kind: "object" as const, value: { "a/b": [{ deep: part }] }, total: 1, more: false };
      return { kind: "list" as const, value: [offset, "leaf"], total: 4, more: offset === 0 };
    });
    render(
      <LoadValueContext value={load}>
        <Preview value={{ $ref: "hash", size: 99_000, preview: {} }} place="panel" />
      </LoadValueContext>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Load more" }));
    await userEvent.click(await screen.findByRole("treeitem", { name: /^0/ }));
    expect(load).toHaveBeenCalledTimes(1);
    await userEvent.click(await screen.findByRole("treeitem", { name: /deep/ }));
    expect(await screen.findAllByText(/leaf/)).toHaveLength(1);
    await userEvent.click(screen.getByRole("button", { name: "Load more of 4" }));
    expect(await screen.findAllByText(/leaf/)).toHaveLength(2);
    expect(load.mock.calls.slice(1)).toEqual([
      ["hash", 0, "/a~1b/0/deep"],
      ["hash", 2, "/a~1b/0/deep"],
    ]);
  });

  it("offers to sort and filter the rows of a table", async () => {
    const rows = Array.from({ length: 30 }, (_, index) => ({ n: (index * 7) % 30, word: `w${index}` }));
    render(<TablePreview rows={rows} place="panel" label="t" />);
    await userEvent.click(screen.getByRole("button", { name: "n" }));
    await userEvent.click(screen.getByRole("button", { name: "n" }));
    expect(screen.getByRole("columnheader", { name: "n" }).getAttribute("aria-sort")).toBe("descending");
    await userEvent.type(screen.getByRole("searchbox"), "W29");
    expect(screen.getByText(/1 found in/)).toBeTruthy();
  });

  it("has the server order and filter a table of which not all is here", async () => {
    const rows = (first: number) => Array.from({ length: 25 }, (_, index) => ({ n: first + index }));
    const load = vi.fn(async (_hash: string, offset: number, _path: string, order?: Order) => ({
      kind: "list" as const,
      value: order?.filter ? [] : rows(order?.descending ? 900 : offset),
      total: order?.filter ? 0 : 1_000,
      more: !order?.filter,
    }));
    render(
      <LoadValueContext value={load}>
        <Preview value={{ $ref: "hash", size: 70_000, preview: rows(0) }} place="panel" label="t" />
      </LoadValueContext>,
    );
    await userEvent.click(screen.getByRole("button", { name: "n" }));
    await userEvent.click(screen.getByRole("button", { name: "n" }));
    await vi.waitFor(
      () => expect(load).toHaveBeenLastCalledWith("hash", 0, "", { sort: "n", descending: true }),
      30_000,
    );
    expect(await screen.findByText(/25 of 1,000 rows/)).toBeTruthy();
    await userEvent.type(screen.getByRole("searchbox"), "none");
    await vi.waitFor(
      () =>
        expect(load).toHaveBeenLastCalledWith("hash", 0, "", { sort: "n", descending: true, filter: "none" }),
      30_000,
    );
    expect(await screen.findByText(/0 rows × 1 found/)).toBeTruthy();
    await userEvent.clear(screen.getByRole("searchbox"));
    expect(await screen.findByText(/25 of 1,000 rows/)).toBeTruthy();
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

describe("a stream", () => {
  const stream = (...values: PortValue[]) => {
    let kept: Streamed | undefined;
    for (const [index, value] of values.entries())
      kept = withChunk(kept, value, Array.isArray(value) ? value.length : 1, 100 + index);
    return kept as Streamed;
  };

  it("shows the newest items, how many there are and how fast they come", () => {
    const many = Array.from({ length: 50 }, (_, index) => [`item ${index}`]);
    render(<StreamPreview stream={stream(...many)} schema={undefined} place="node" label="out" streaming />);
    expect(screen.getByText(/item 49/)).toBeTruthy();
    expect(screen.queryByText(/item 3"/)).toBeNull();
    expect(screen.getByTestId("stream-foot").textContent).toBe("50 items1.0/s");
  });

  it("says how large bytes are, and that a slow reader is waited for", () => {
    const bytes = stream(["data:application/octet-stream;base64,AAAA"]);
    render(
      <StreamPreview
        stream={bytes}
        schema={undefined}
        place="node"
        label="out"
        streaming
        note="waits for a slow reader"
      />,
    );
    expect(screen.getByTestId("stream-foot").textContent).toBe("3 B in 1 partwaits for a slow reader");
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

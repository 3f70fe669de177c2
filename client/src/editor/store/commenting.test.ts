/** What is open of the comments, and what an address opens. */
import { expect, test, vi } from "vitest";
import type { CommentStore, Thread } from "../../comments";
import type { Pair, Spell } from "../../protocol";
import { Store } from "../../store";
import { Commenting, commentIn } from "./commenting";

const ID = "0123456789abcdef0123456789abcdef";

function desk(selected: string[] = []) {
  const node = {
    type: "core.value",
    inputs: {},
    settings: {},
    position: [100, 50] as Pair,
    size: [200, 80] as Pair,
  };
  const spell: Spell = {
    schema: 1,
    name: "",
    nodes: { n: node },
    edges: {},
    groups: {},
    notes: {},
    requirements: {},
    tests: {},
  };
  const threads = new Store<ReadonlyMap<string, Thread>>(new Map());
  const comments = {
    threads,
    begin: vi.fn(() => ID),
    open: vi.fn(async (comment: string): Promise<string | null> => comment),
    close: vi.fn(),
  };
  const fly = vi.fn();
  const editor = {
    document: { spell: new Store(spell) },
    view: { center: (): Pair => [7.4, 8.6], fly },
    selectedNodes: () => selected,
  };
  const commenting = new Commenting(comments as unknown as CommentStore, editor);
  return { commenting, comments, threads, fly };
}

function thread(id: string, node: string | null): Thread {
  return { id, node, at: [1, 2] } as unknown as Thread;
}

test.each([
  [`#comment=${ID}`, ID],
  ["#comment=short", null],
  ["#/account", null],
  ["", null],
])("the address %j names the comment %j", (hash, comment) => {
  expect(commentIn(hash)).toBe(comment);
});

test("a thread is begun at the node that is selected, else in the middle", () => {
  const one = desk(["n"]);
  one.commenting.beginHere();
  expect(one.commenting.open.get()).toEqual({ kind: "new", place: { node: "n", at: [100, 50] } });
  const none = desk();
  none.commenting.beginHere();
  expect(none.commenting.open.get()).toEqual({ kind: "new", place: { node: null, at: [7, 9] } });
});

test("beginning leaves the mode, and what is sent is looked at", () => {
  const { commenting, comments } = desk();
  commenting.mode.set(true);
  commenting.begin(null, [1, 2]);
  expect(commenting.mode.get()).toBe(false);
  commenting.send("Hello");
  expect(comments.begin).toHaveBeenCalledWith("Hello", { node: null, at: [1, 2] });
  expect(commenting.open.get()).toEqual({ kind: "thread", id: ID });
});

test("a comment is shown in its thread, at its place, which may be learned first", async () => {
  const { commenting, comments, threads, fly } = desk();
  comments.open.mockImplementationOnce(async () => {
    threads.set(new Map([["t", thread("t", "n")]]));
    return "t";
  });
  await commenting.show("reply");
  expect(commenting.open.get()).toEqual({ kind: "thread", id: "t" });
  expect(fly).toHaveBeenCalledExactlyOnceWith([300, 50]);
  threads.set(new Map([["t", thread("t", "gone")]]));
  await commenting.show("t");
  expect(fly).toHaveBeenLastCalledWith([1, 2]);
});

test("what was closed while it was read stays closed", async () => {
  const { commenting, threads, fly } = desk();
  const shown = commenting.show("t");
  commenting.close();
  threads.set(new Map([["t", thread("t", null)]]));
  await shown;
  expect(commenting.open.get()).toBeNull();
  expect(fly).not.toHaveBeenCalled();
});

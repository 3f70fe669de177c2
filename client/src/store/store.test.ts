/** A store tells its listeners of changes, and of nothing else. */
import { expect, test, vi } from "vitest";
import { Store } from "./store";

test("tells of a change once, and not of the same value", () => {
  const store = new Store(1);
  const listener = vi.fn();
  const end = store.subscribe(listener);
  store.set(1);
  store.set(2);
  end();
  store.set(3);
  expect(listener).toHaveBeenCalledTimes(1);
  expect(store.get()).toBe(3);
});

test("a listener that throws does not keep the next from hearing", () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
  const store = new Store("a");
  const heard = vi.fn();
  store.subscribe(() => {
    throw new Error("mine");
  });
  store.subscribe(heard);
  store.set("b");
  expect(heard).toHaveBeenCalledOnce();
  expect(complaint).toHaveBeenCalledOnce();
});

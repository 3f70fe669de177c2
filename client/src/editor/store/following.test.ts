/** Following: the view of another, until they leave or it is ended; never in a circle. */
import { beforeEach, expect, test, vi } from "vitest";
import type { OwnPresence, Person } from "../../document";
import { Store } from "../../store";
import { Following } from "./following";

const OWN = 1;
let people: Store<readonly Person[]>;
let told: ReturnType<typeof vi.fn<(presence: OwnPresence) => void>>;
let following: Following;

function person(clientId: number, following: number | null = null): Person {
  return {
    clientId,
    user: `u${clientId}`,
    name: `P${clientId}`,
    color: "#123456",
    cursor: null,
    selection: [],
    editing: null,
    field: null,
    view: [0, 0, 100, 100],
    away: false,
    following,
    drag: null,
  };
}

beforeEach(() => {
  people = new Store<readonly Person[]>([person(2), person(3)]);
  told = vi.fn();
  following = new Following({ people, setPresence: told }, () => OWN);
});

test("one follows somebody, sees where they go, and the others are told", () => {
  expect(following.start(2)).toBe(true);
  expect(told).toHaveBeenLastCalledWith({ following: 2 });
  people.set([{ ...person(2), view: [5, 5, 10, 10] }]);
  expect(following.person.get()?.view).toEqual([5, 5, 10, 10]);
});

test("it ends when one stops, and when the other leaves", () => {
  following.start(2);
  following.stop();
  expect(following.person.get()).toBeNull();
  expect(told).toHaveBeenLastCalledWith({ following: null });
  following.start(3);
  people.set([person(2)]);
  expect(following.person.get()).toBeNull();
});

test("nobody follows who is not there", () => {
  expect(following.start(9)).toBe(false);
  expect(told).not.toHaveBeenCalled();
});

test.each([
  ["the one who follows this tab", [person(2, OWN)]],
  ["one who follows a follower of this tab", [person(2, 3), person(3, OWN)]],
])("%s cannot be followed", (_name, here) => {
  people.set(here);
  expect(following.start(2)).toBe(false);
});

test("others who follow each other are no hindrance", () => {
  people.set([person(2, 3), person(3, 2)]);
  expect(following.start(2)).toBe(true);
});

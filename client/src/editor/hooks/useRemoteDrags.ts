/** Where others are dragging things just now, before their drag becomes an edit. */
import type { Person } from "../../document";
import type { Pair } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "./useEditor";

type Drags = Readonly<Record<string, Pair>>;

const NONE: Drags = {};

function dragsOf(people: readonly Person[]): Drags {
  const dragging = people.flatMap((person) => (person.drag ? [person.drag] : []));
  return dragging.length === 0 ? NONE : Object.assign({}, ...dragging);
}

function areEqual(one: Drags, other: Drags): boolean {
  const ids = Object.keys(one);
  return ids.length === Object.keys(other).length && ids.every((id) => one[id] === other[id]);
}

export function useRemoteDrags(): Drags {
  return useStore(useEditor().document.people, dragsOf, areEqual);
}

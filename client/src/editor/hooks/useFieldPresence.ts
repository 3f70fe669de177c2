/** Tells the others which field this person writes in, and who of them writes in it. */
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { Person } from "../../document";
import { useStore } from "../../store";
import { useEditor } from "./useEditor";

export interface FieldPresence {
  /** Somebody else who writes in this field just now. */
  readonly person: Person | null;
  /** To be spread over an element around the field. */
  readonly watch: {
    readonly onFocus: () => void;
    readonly onBlur: () => void;
    readonly style: React.CSSProperties | undefined;
    readonly "data-edited-by": string | undefined;
  };
}

function samePerson(one: Person | null, other: Person | null): boolean {
  return one?.clientId === other?.clientId && one?.name === other?.name && one?.color === other?.color;
}

/** `field` is one of those that `Person.field` lists. */
export function useFieldPresence(thing: string, field: string): FieldPresence {
  const { document: shared } = useEditor();
  const writing = useRef(false);
  const find = useCallback(
    (people: readonly Person[]) =>
      people.find((person) => person.editing === thing && person.field === field) ?? null,
    [thing, field],
  );
  const person = useStore(shared.people, find, samePerson);
  const tell = useMemo(
    () => ({
      onFocus: () => {
        writing.current = true;
        shared.setPresence({ editing: thing, field });
      },
      onBlur: () => {
        if (!writing.current) return;
        writing.current = false;
        shared.setPresence({ editing: null, field: null });
      },
    }),
    [shared, thing, field],
  );
  // A field that goes away while it has the focus is not blurred.
  useEffect(() => tell.onBlur, [tell]);
  return {
    person,
    watch: {
      ...tell,
      style: person ? ({ "--person": person.color } as React.CSSProperties) : undefined,
      "data-edited-by": person?.name,
    },
  };
}

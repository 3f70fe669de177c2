/** Following somebody: one's own view becomes theirs until one moves it. */
import type { Person, SharedDocument } from "../../document";
import { Store } from "../../store";

/** What following needs of the document. */
export type FollowedDocument = Pick<SharedDocument, "people" | "setPresence">;

/** Whom this tab follows, by client id; ends by itself when they leave. */
export class Following {
  /** The person followed, as they are now. */
  readonly person = new Store<Person | null>(null);
  readonly #document: FollowedDocument;
  readonly #own: () => number;

  /** `own` gives this tab's client id, which changes with the document's generation. */
  constructor(document: FollowedDocument, own: () => number) {
    this.#document = document;
    this.#own = own;
    document.people.subscribe(() => this.#look());
  }

  /** Follow somebody. False when they follow this tab, by whatever chain: the two would chase each other. */
  start(client: number): boolean {
    const people = this.#document.people.get();
    const person = people.find((one) => one.clientId === client);
    if (!person || leadsTo(people, person, this.#own())) return false;
    this.person.set(person);
    this.#document.setPresence({ following: client });
    return true;
  }

  stop(): void {
    if (!this.person.get()) return;
    this.person.set(null);
    this.#document.setPresence({ following: null });
  }

  #look(): void {
    const followed = this.person.get();
    if (!followed) return;
    const now = this.#document.people.get().find((person) => person.clientId === followed.clientId);
    if (now) this.person.set(now);
    else this.stop();
  }
}

/** Whether `person` follows `client`, or somebody who does. */
function leadsTo(people: readonly Person[], person: Person, client: number): boolean {
  const seen = new Set<number>();
  for (let at: Person | undefined = person; at && !seen.has(at.clientId); ) {
    const next: number | null = at.following;
    if (next === client) return true;
    seen.add(at.clientId);
    at = people.find((one) => one.clientId === next);
  }
  return false;
}

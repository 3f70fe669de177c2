/** The shared document as an immutable spell, of which an edit replaces only what it touched. */
import type * as Y from "yjs";
import type { Spell } from "../protocol";
import { KINDS, type Kind, readRequirements, readThing, root, type Things } from "./shape";

/** A spell with nothing in it. */
export const EMPTY: Spell = {
  schema: 1,
  name: "Untitled",
  nodes: {},
  edges: {},
  groups: {},
  notes: {},
  requirements: {},
  tests: {},
};

/**
 * Keeps a spell in step with a document.
 *
 * After each transaction that changed something, `publish` is called once with the new spell. Things that the
 * transaction did not touch are the same objects as before, so that a page of 1,000 nodes draws one again.
 */
export class Snapshot {
  readonly #doc: Y.Doc;
  readonly #publish: (spell: Spell) => void;
  readonly #dirty: { [K in Kind]: Set<string> } = {
    nodes: new Set(),
    edges: new Set(),
    groups: new Set(),
    notes: new Set(),
    tests: new Set(),
  };
  #renamed = false;
  #required = false;
  #spell: Spell;
  readonly #end: (() => void)[] = [];

  /** `before` is what was published last, for instance from a document that this one replaces. */
  constructor(doc: Y.Doc, before: Spell, publish: (spell: Spell) => void) {
    this.#doc = doc;
    this.#spell = before;
    this.#publish = publish;
    for (const kind of KINDS) this.#observe(kind);
    this.#observeName();
    const after = () => this.#take();
    doc.on("afterTransaction", after);
    this.#end.push(() => doc.off("afterTransaction", after));
  }

  /** What was published last. */
  get spell(): Spell {
    return this.#spell;
  }

  /** Read everything anew and publish it. */
  refresh(): void {
    for (const kind of KINDS) {
      for (const id of Object.keys(this.#spell[kind])) this.#dirty[kind].add(id);
      for (const id of root(this.#doc, kind).keys()) this.#dirty[kind].add(id);
    }
    this.#renamed = true;
    this.#required = true;
    this.#take();
  }

  close(): void {
    for (const end of this.#end) end();
  }

  #observe(kind: Kind): void {
    const map = root(this.#doc, kind);
    const dirty = this.#dirty[kind];
    const mark = (events: Y.YEvent<Y.AbstractType<unknown>>[]) => {
      for (const event of events) {
        const [id] = event.path;
        if (typeof id === "string") dirty.add(id);
        else for (const key of event.keys.keys()) dirty.add(key);
      }
    };
    map.observeDeep(mark as never);
    this.#end.push(() => map.unobserveDeep(mark as never));
  }

  #observeName(): void {
    const meta = root(this.#doc, "meta");
    const mark = () => {
      this.#renamed = true;
    };
    meta.observe(mark);
    this.#end.push(() => meta.unobserve(mark));
    const requirements = root(this.#doc, "requirements");
    const required = () => {
      this.#required = true;
    };
    requirements.observe(required);
    this.#end.push(() => requirements.unobserve(required));
  }

  #take(): void {
    const before = this.#spell;
    const name = this.#renamed ? this.#name() : before.name;
    this.#renamed = false;
    const after: Spell = {
      schema: 1,
      name,
      nodes: this.#things("nodes"),
      edges: this.#things("edges"),
      groups: this.#things("groups"),
      notes: this.#things("notes"),
      requirements: this.#required ? readRequirements(this.#doc, before.requirements) : before.requirements,
      tests: this.#things("tests"),
    };
    this.#required = false;
    const same = name === before.name && after.requirements === before.requirements;
    const changed = !same || KINDS.some((kind) => after[kind] !== before[kind]);
    if (!changed) return;
    this.#spell = after;
    this.#publish(after);
  }

  #name(): string {
    const name = root(this.#doc, "meta").get("name");
    return typeof name === "string" ? name : EMPTY.name;
  }

  #things<K extends Kind>(kind: K): Readonly<Record<string, Things[K]>> {
    const before = this.#spell[kind] as Readonly<Record<string, Things[K]>>;
    const dirty = this.#dirty[kind];
    if (dirty.size === 0) return before;
    const map = root(this.#doc, kind);
    const after: Record<string, Things[K]> = { ...before };
    let changed = false;
    for (const id of dirty) {
      const old = before[id];
      if (!map.has(id)) {
        if (old !== undefined) changed = true;
        delete after[id];
        continue;
      }
      const thing = readThing(kind, map.get(id), old);
      after[id] = thing;
      if (thing !== old) changed = true;
    }
    dirty.clear();
    return changed ? after : before;
  }
}

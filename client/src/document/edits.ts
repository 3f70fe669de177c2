/** The edits a person can make, as transactions on the shared document. */
import * as Y from "yjs";
import { newId, wireId } from "../ids";
import type { Json, NodeSettings, Pair, Spell, SpellEdge, SpellTest, Transform } from "../protocol";
import type { Readable } from "../store";
import { copyText, pasteFragment } from "./clipboard";
import { DRAWN, type Kind, readThing, root, type Shared, toShared } from "./shape";
import { textChange } from "./text_change";
import type {
  Edits,
  NewGroup,
  NewNode,
  NewNote,
  NewTest,
  Pasted,
  PasteOptions,
  Renaming,
  TestPart,
  TextPart,
} from "./types";

/** Marks the transactions of this person's own edits: those are what undo takes back. */
export const LOCAL = Symbol("own edit");

/**
 * See `Edits`. Edits of the same thing within the capture time of the undo manager join into one step (typing,
 * dragging); any other edit begins a step of its own.
 */
export abstract class DocumentEdits implements Edits {
  /** The document may be replaced between two edits. */
  abstract get doc(): Y.Doc;
  abstract get undoManager(): Y.UndoManager;
  abstract readonly spell: Readable<Spell>;
  abstract readonly editable: Readable<boolean>;
  #step: string | null = null;
  #together = false;

  addNode(node: NewNode, id = newId()): string {
    this.#edit(null, () => this.#put("nodes", id, node));
    return id;
  }

  remove(ids: Iterable<string>): void {
    const gone = new Set(ids);
    this.#edit(null, () => {
      for (const id of gone)
        for (const kind of DRAWN) if (this.#root(kind).has(id)) this.#root(kind).delete(id);
      for (const [id, edge] of this.#edges()) {
        if (gone.has(edge.source) || gone.has(edge.target)) this.#root("edges").delete(id);
      }
      for (const thing of this.#inside(gone)) setField(thing, "group", null);
    });
  }

  setInput(node: string, port: string, value: Json | undefined): void {
    this.#edit(`input ${node} ${port}`, () => {
      const inputs = this.#inner(node, "inputs");
      if (value !== undefined) inputs?.set(port, value);
      else if (inputs?.has(port)) inputs.delete(port);
    });
  }

  setName(node: string, name: string | null): void {
    this.#edit(`name ${node}`, () => setField(this.#root("nodes").get(node), "name", name || null));
  }

  setVersion(node: string, version: number | null): void {
    this.#edit(null, () => setField(this.#root("nodes").get(node), "version", version));
  }

  setSettings(
    node: string,
    settings: { [K in keyof NodeSettings]?: NodeSettings[K] | null | undefined },
  ): void {
    this.#edit(`settings ${node}`, () => {
      const map = this.#inner(node, "settings");
      for (const [name, value] of Object.entries(settings)) setField(map, name, value ?? null);
    });
  }

  setCode(node: string, code: string): void {
    this.#edit(`code ${node}`, () => setText(this.#root("nodes").get(node), "code", code));
  }

  renameInCode({ name, to, code, wires }: Renaming): void {
    this.#edit(null, () => {
      for (const [node, parts] of Object.entries(code)) {
        const text = readShared(this.#root("nodes").get(node), "code");
        if (text instanceof Y.Text) replaceParts(text, parts);
        const inputs = this.#inner(node, "inputs");
        if (inputs?.has(name)) {
          inputs.set(to, inputs.get(name));
          inputs.delete(name);
        }
        const settings = this.#inner(node, "settings");
        const { [name]: pin, ...others } = (settings?.get("pins") ?? {}) as Record<string, Json>;
        if (pin !== undefined) setField(settings, "pins", { ...others, [to]: pin });
        this.#renameInTests(node, name, to);
      }
      for (const [id, ends] of Object.entries(wires)) this.#rewire(id, ends);
    });
  }

  /** Let tests speak of a node's port by its new name. */
  #renameInTests(node: string, name: string, to: string): void {
    for (const test of this.#root("tests").values()) {
      const inputs = readShared(test, "inputs");
      if (inputs instanceof Y.Map && inputs.has(`${node}.${name}`)) {
        inputs.set(`${node}.${to}`, inputs.get(`${node}.${name}`));
        inputs.delete(`${node}.${name}`);
      }
      for (const part of ["record", "expect"]) {
        const nodes = readShared(test, part);
        const here =
          nodes instanceof Y.Map ? (nodes.get(node) as { outputs?: Record<string, Json> }) : undefined;
        const { [name]: given, ...others } = here?.outputs ?? {};
        if (given !== undefined) setField(nodes, node, { ...here, outputs: { ...others, [to]: given } });
      }
    }
  }

  /** Give a wire other ends: as another wire under its id, because an end that is set again can be lost by an undo. */
  #rewire(id: string, ends: object): void {
    const edges = this.#root("edges");
    const wire = edges.get(id);
    if (wire instanceof Y.Map) edges.set(id, toShared("edges", { ...wire.toJSON(), ...ends }));
  }

  move(positions: Readonly<Record<string, Pair>>): void {
    this.#edit(`move ${Object.keys(positions).sort().join(" ")}`, () => {
      for (const [id, position] of Object.entries(positions))
        setField(this.#thing(id), "position", [...position]);
    });
  }

  resize(id: string, size: Pair, position?: Pair): void {
    this.#edit(`size ${id}`, () => {
      setField(this.#thing(id), "size", [...size]);
      if (position) setField(this.#thing(id), "position", [...position]);
    });
  }

  connect(edge: SpellEdge, options: { many?: boolean } = {}): string {
    const { source, output, target, input } = edge;
    const id = this.#freeWireId(edge);
    this.#edit(null, () => {
      const nodes = this.#root("nodes");
      if (!nodes.has(source) || !nodes.has(target)) return;
      for (const [other, { target: node, input: port }] of options.many ? [] : this.#edges()) {
        if (other !== id && node === target && port === input) this.#root("edges").delete(other);
      }
      const { transform } = edge;
      if (!this.#root("edges").has(id)) this.#put("edges", id, { source, output, target, input, transform });
      else if (transform) this.#transform(id, transform);
    });
    return id;
  }

  setTransform(edge: string, transform: readonly Transform[]): void {
    this.#edit(`transform ${edge}`, () => this.#transform(edge, transform));
  }

  disconnect(edges: Iterable<string>): void {
    this.#edit(null, () => {
      for (const id of edges) if (this.#root("edges").has(id)) this.#root("edges").delete(id);
    });
  }

  addGroup(group: NewGroup, inside: Iterable<string> = [], id = newId()): string {
    this.#edit(null, () => {
      this.#put("groups", id, { name: "", ...group });
      for (const member of inside) setField(this.#thing(member), "group", id);
    });
    return id;
  }

  setGroup(id: string, change: { name?: string; color?: string | null; collapsed?: boolean | null }): void {
    this.#edit(`group ${id}`, () => setFields(this.#root("groups").get(id), change));
  }

  assign(things: Iterable<string>, group: string | null): void {
    this.#edit(null, () => {
      for (const id of things) if (id !== group) setField(this.#thing(id), "group", group);
    });
  }

  addNote(note: NewNote, id = newId()): string {
    this.#edit(null, () => this.#put("notes", id, { text: "", ...note }));
    return id;
  }

  setNote(id: string, change: { text?: string; color?: string | null }): void {
    this.#edit(`note ${id}`, () => {
      const note = this.#root("notes").get(id);
      if (change.text !== undefined) setText(note, "text", change.text);
      if (change.color !== undefined) setField(note, "color", change.color);
    });
  }

  addTest(test: NewTest, id = newId()): string {
    this.#edit(null, () => this.#put("tests", id, test));
    return id;
  }

  setTest(id: string, change: { name?: string; timeout?: number | null; live?: boolean | null }): void {
    this.#edit(`test ${id}`, () => setFields(this.#root("tests").get(id), change));
  }

  setInTest<P extends TestPart>(id: string, part: P, key: string, value: SpellTest[P][string] | null): void {
    this.#edit(`test ${id} ${part} ${key}`, () => {
      const map = this.#root("tests").get(id);
      if (!(map instanceof Y.Map)) return;
      if (!(map.get(part) instanceof Y.Map)) map.set(part, new Y.Map());
      setField(map.get(part), key, value);
    });
  }

  removeTest(id: string): void {
    this.#edit(null, () => {
      if (this.#root("tests").has(id)) this.#root("tests").delete(id);
    });
  }

  setRequirement(name: string, version: string | null): void {
    this.#edit(`requirement ${name}`, () => setField(this.#root("requirements"), name, version));
  }

  rename(name: string): void {
    this.#edit("rename", () => setField(this.#root("meta"), "name", name));
  }

  copy(ids: Iterable<string>): string {
    return copyText(this.spell.get(), ids);
  }

  paste(text: string, options: PasteOptions = {}): Pasted {
    const fragment = pasteFragment(text, this.spell.get(), options);
    this.#edit(null, () => {
      for (const kind of DRAWN) {
        for (const [id, thing] of Object.entries(fragment[kind])) this.#put(kind, id, thing);
      }
    });
    return {
      nodes: Object.keys(fragment.nodes),
      edges: Object.keys(fragment.edges),
      groups: Object.keys(fragment.groups),
      notes: Object.keys(fragment.notes),
    };
  }

  duplicate(ids: Iterable<string>, options: PasteOptions = {}): Pasted {
    return this.paste(this.copy(ids), options);
  }

  together<T>(work: () => T): T {
    if (this.#together || !this.editable.get()) return work();
    this.checkpoint();
    this.#together = true;
    try {
      return this.doc.transact(work, LOCAL);
    } finally {
      this.#together = false;
    }
  }

  /** End the current step of undo. */
  checkpoint(): void {
    this.#step = null;
    this.undoManager.stopCapturing();
  }

  /** Run an edit; those with the same `step` may join, null never joins. */
  #edit(step: string | null, work: () => void): void {
    if (!this.editable.get()) return;
    if (!this.#together) {
      if (step === null || step !== this.#step) this.undoManager.stopCapturing();
      this.#step = step;
    }
    this.doc.transact(work, LOCAL);
  }

  #root(kind: Kind | "meta" | "requirements"): Shared {
    return root(this.doc, kind);
  }

  #put(kind: Kind, id: string, thing: object): void {
    this.#root(kind).set(id, toShared(kind, thing));
  }

  #transform(id: string, transform: readonly Transform[]): void {
    const value = transform.length === 0 ? null : transform.map((each) => ({ ...each }));
    setField(this.#root("edges").get(id), "transform", value);
  }

  /** The node, group or note of an id. */
  #thing(id: string): unknown {
    for (const kind of ["nodes", "groups", "notes"] as const) {
      const thing = this.#root(kind).get(id);
      if (thing) return thing;
    }
    return undefined;
  }

  #inner(node: string, name: "inputs" | "settings"): Shared | undefined {
    const map = this.#root("nodes").get(node);
    if (!(map instanceof Y.Map)) return undefined;
    if (!(map.get(name) instanceof Y.Map)) map.set(name, new Y.Map());
    return map.get(name) as Shared;
  }

  /** The id that follows from the ends, or another where that is taken by a wire that was changed since. */
  #freeWireId({ source, output, target, input }: SpellEdge): string {
    for (const [id, edge] of this.#edges()) {
      const same = edge.source === source && edge.output === output;
      if (same && edge.target === target && edge.input === input) return id;
    }
    const id = wireId(source, output, target, input);
    return this.#root("edges").has(id) ? newId() : id;
  }

  /** The wires as they are now, also in the middle of `together`. */
  #edges(): [string, SpellEdge][] {
    return Array.from(this.#root("edges").entries(), ([id, map]) => [id, readThing("edges", map, undefined)]);
  }

  /** What lies in one of these groups. */
  #inside(groups: ReadonlySet<string>): Shared[] {
    return (["nodes", "groups", "notes"] as const).flatMap((kind) =>
      [...this.#root(kind).values()].filter(
        (thing): thing is Shared => thing instanceof Y.Map && groups.has(thing.get("group") as string),
      ),
    );
  }
}

function setFields(map: unknown, fields: object): void {
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) setField(map, name, value);
}

/** Set a plain field where it differs; null takes it away. */
function setField(map: unknown, name: string, value: unknown): void {
  if (!(map instanceof Y.Map)) return;
  if (value === null) {
    if (map.has(name)) map.delete(name);
  } else if (JSON.stringify(map.get(name)) !== JSON.stringify(value)) {
    map.set(name, value);
  }
}

function readShared(map: unknown, name: string): unknown {
  return map instanceof Y.Map ? map.get(name) : undefined;
}

/** From the last to the first, so that places stay true. */
function replaceParts(text: Y.Text, parts: readonly TextPart[]): void {
  for (const { from, to, insert } of parts.toReversed()) {
    if (to > from) text.delete(from, to - from);
    if (insert) text.insert(from, insert);
  }
}

function setText(map: unknown, name: string, text: string): void {
  if (!(map instanceof Y.Map)) return;
  const shared = map.get(name);
  if (!(shared instanceof Y.Text)) {
    map.set(name, new Y.Text(text));
    return;
  }
  const change = textChange(shared.toString(), text);
  if (!change) return;
  if (change.removed) shared.delete(change.at, change.removed);
  if (change.inserted) shared.insert(change.at, change.inserted);
}

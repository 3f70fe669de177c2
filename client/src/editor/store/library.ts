/** The node types that the server offers, and how they are found and shown. */
import type { NodeType, Port, SpellNode } from "../../protocol";
import type { Connection } from "../../session";
import { backoff } from "../../session/backoff";
import { Store } from "../../store";
import { type JsonSchema, portKind, whyIncompatible } from "./schema";

/** Where the library stands; `types` is by type id, newest version, `older` by `type@version`. */
export interface LibraryState {
  readonly status: "loading" | "ready" | "failed";
  readonly types: Readonly<Record<string, NodeType>>;
  readonly older: Readonly<Record<string, NodeType>>;
  readonly message: string | null;
}

const EMPTY: LibraryState = { status: "loading", types: {}, older: {}, message: null };

/** Milliseconds within which changes of a library are fetched together, and tabs that come back are spread. */
const TOGETHER = 100;
const SPREAD = 3_000;
/** How soon a list that did not come is asked for again. */
const RETRY = { first: 1_000, longest: 30_000 };

type List = readonly NodeType[];

/** The library of one canvas: the server's types, and those of the packs on the canvas's worker. */
export class NodeLibrary {
  readonly state = new Store<LibraryState>(EMPTY);
  #canvas: string | null = null;
  #asked = 0;

  /** `recall` tells what `fetchTypes` told some other time, for while that fails; undefined where it never did. */
  constructor(
    private readonly fetchTypes: (canvas: string | null) => Promise<List>,
    private readonly recall: () => Promise<List | undefined> = async () => undefined,
  ) {}

  /**
   * Be the library of a canvas: fetch it until it is there, and anew whenever it changes. Returns what ends that.
   */
  follow(connection: Pick<Connection, "on" | "onOnline" | "status">, canvas: string): () => void {
    this.#canvas = canvas;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    let failed = 0;
    const isOnline = () => connection.status.get().state === "online";
    const fetch = async () => {
      const told = await this.refresh();
      failed = told ? 0 : failed + 1;
      // While there is no connection, its return is waited for.
      if (!told && !ended && isOnline()) soon(backoff(failed, RETRY));
    };
    const soon = (wait: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => void fetch(), wait);
    };
    void fetch();
    let lost = false;
    const ends = [
      connection.on("library.changed", (changed) => changed.canvas === canvas && soon(TOGETHER)),
      connection.onOnline(() => {
        // What changed meanwhile nobody told; and what was asked for before the connection may have failed.
        if (lost || failed > 0) soon(Math.random() * SPREAD);
        lost = true;
      }),
    ];
    return () => {
      ended = true;
      clearTimeout(timer);
      for (const end of ends) end();
    };
  }

  /**
   * Fetch the list; what is there stays until the new one arrives. False when the server did not tell it, true also
   * when it is no longer waited for.
   */
  async refresh(): Promise<boolean> {
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const list = await this.fetchTypes(this.#canvas);
      if (asked === this.#asked) this.#take(list); // Else what was asked later is newer.
      return true;
    } catch (error) {
      const known = await this.recall().catch(() => undefined);
      if (asked !== this.#asked) return true;
      const message = error instanceof Error ? error.message : String(error);
      if (known) this.#take(known);
      else this.state.update((before) => ({ ...before, status: "failed", message }));
      return false;
    }
  }

  #take(list: List): void {
    const types: Record<string, NodeType> = {};
    const older: Record<string, NodeType> = {};
    for (const entry of list.map(plainly).sort((a, b) => a.version - b.version)) {
      const before = types[entry.type];
      if (before) older[`${before.type}@${before.version}`] = before;
      types[entry.type] = entry;
    }
    this.state.set({ status: "ready", types, older, message: null });
  }

  /** A type: the newest version, or the one that is named; undefined when there is none. */
  get(type: string, version?: number): NodeType | undefined {
    return typeIn(this.state.get(), type, version);
  }

  /** The type of a node, in the version that the node names. */
  of(node: SpellNode | undefined): NodeType | undefined {
    return node && this.get(node.type, node.version);
  }
}

/** A type as a node names it: the newest version where it names none. */
export function typeIn(
  { types, older }: Pick<LibraryState, "types" | "older">,
  type: string,
  version?: number,
): NodeType | undefined {
  const newest = types[type];
  return version === undefined || version === newest?.version ? newest : older[`${type}@${version}`];
}

/** Docstrings mark names with double backticks; people read them in quotes. */
function plainly(type: NodeType): NodeType {
  return { ...type, description: type.description.replace(/``(.*?)``/g, "“$1”") };
}

/** The order of categories in the library: what most spells begin with comes first, unknown ones by name. */
const ORDER = [
  "Values",
  "Code",
  "Language models",
  "Models",
  "Text",
  "Tables",
  "Show",
  "Lists",
  "Flow",
  "Streams",
  "Spells",
  "JSON",
  "HTTP",
  "Dates",
];

function categoryRank(category: string): number {
  const index = ORDER.indexOf(category);
  return index === -1 ? ORDER.length : index;
}

/** A port to which the types found must be connectable. */
export interface PortFilter {
  /** The side the wire was drawn from: `source` looks for inputs, `target` for outputs. */
  readonly from: "source" | "target";
  readonly schema: JsonSchema;
  readonly many: boolean;
  readonly trigger?: boolean;
}

export function schemaOf(port: Port): JsonSchema {
  return port.schema as unknown as JsonSchema;
}

/** Why what a schema describes cannot go into an input; null when it may. */
export function whyInto(schema: JsonSchema, port: Port): string | null {
  return whyIncompatible(schema, schemaOf(port), port.many, port.trigger);
}

/** The port of `type` to which a wire from `filter` would go; undefined when none fits. */
export function fittingPort(
  type: Pick<NodeType, "inputs" | "outputs">,
  filter: PortFilter,
): Port | undefined {
  if (filter.from === "source") {
    const fits = type.inputs.filter((port) => !whyInto(filter.schema, port));
    const kind = portKind(filter.schema);
    return (
      fits.find((port) => port.required && portKind(schemaOf(port)) === kind) ??
      fits.find((port) => port.required) ??
      fits[0]
    );
  }
  return type.outputs.find(
    (port) => !whyIncompatible(schemaOf(port), filter.schema, filter.many, filter.trigger),
  );
}

function score(type: NodeType, words: readonly string[]): number {
  const title = type.title.toLowerCase();
  const rest =
    `${type.type} ${type.category} ${type.description} ${(type.keywords ?? []).join(" ")}`.toLowerCase();
  let total = 0;
  for (const word of words) {
    if (title === word) total += 100;
    else if (title.startsWith(word)) total += 60;
    else if (title.includes(` ${word}`)) total += 40;
    else if (title.includes(word)) total += 25;
    else if (rest.includes(word)) total += 10;
    else return 0;
  }
  return total;
}

/** The types that match every word of `query` and the filter, best first; all by category when there is no query. */
export function searchTypes(
  types: Readonly<Record<string, NodeType>>,
  query: string,
  filter?: PortFilter,
): readonly NodeType[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fitting = Object.values(types).filter(
    (type) => !filter || fittingPort(type, filter) || (filter.from === "source" && type.extra_inputs),
  );
  const byName = (a: NodeType, b: NodeType) =>
    categoryRank(a.category) - categoryRank(b.category) ||
    a.category.localeCompare(b.category) ||
    a.title.localeCompare(b.title);
  if (words.length === 0) return fitting.sort(byName);
  return fitting
    .map((type) => ({ type, points: score(type, words) }))
    .filter((entry) => entry.points > 0)
    .sort((a, b) => b.points - a.points || byName(a.type, b.type))
    .map((entry) => entry.type);
}

/** Types in their categories, in the order given. */
export function byCategory(types: readonly NodeType[]): [category: string, types: NodeType[]][] {
  const groups = new Map<string, NodeType[]>();
  for (const type of types) {
    const group = groups.get(type.category);
    if (group) group.push(type);
    else groups.set(type.category, [type]);
  }
  return [...groups];
}

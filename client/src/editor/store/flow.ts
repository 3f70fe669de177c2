/** The drawn spell in the form React Flow takes; an unchanged thing stays the same object. */
import type { Edge, Node } from "@xyflow/react";
import type { NodeType, Pair, Ports, Spell, SpellEdge } from "../../protocol";
import { type Fold, foldingOf, handleAt } from "./folding";
import { bareHeight, foldedHeight, foldedPlaces, handlePlaces, NODE_WIDTH } from "./geometry";
import { shownPorts, wiredPorts } from "./graph";
import { typeIn } from "./library";

/** What the browser knows of a node and the document does not: its measure, and where it is being dragged. */
export interface LocalPart {
  readonly measured?: { width: number; height: number };
  readonly position?: Pair;
  readonly size?: Pair;
  readonly dragging?: boolean;
}

export type LocalParts = Readonly<Record<string, LocalPart>>;

/** All that the drawing depends on. */
export interface FlowSource {
  readonly spell: Spell;
  readonly selection: ReadonlySet<string>;
  readonly local: LocalParts;
  /** Where others are dragging things just now. */
  readonly remote: Readonly<Record<string, Pair>>;
  readonly ports: Readonly<Record<string, Ports>>;
  readonly types: Readonly<Record<string, NodeType>>;
  /** Versions before the newest, by `type@version`. */
  readonly older?: Readonly<Record<string, NodeType>>;
  /** Folded frames that this tab looks into. */
  readonly opened?: ReadonlySet<string>;
}

interface Made<T> {
  readonly from: readonly unknown[];
  readonly made: T;
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index]);
}

/** Builds nodes and edges, keeping those whose sources are what they were. */
export class FlowBuilder {
  #nodes = new Map<string, Made<Node>>();
  #edges = new Map<string, Made<Edge>>();
  #nodeList: Node[] = [];
  #edgeList: Edge[] = [];

  nodes(source: FlowSource): Node[] {
    const next = new Map<string, Made<Node>>();
    const keep = (id: string, from: readonly unknown[], make: () => Node) => {
      const before = this.#nodes.get(id);
      next.set(id, before && same(before.from, from) ? before : { from, made: make() });
    };
    const state = (id: string) => [source.selection.has(id), source.local[id], source.remote[id]] as const;
    const { folds, hiddenBy } = foldingOf(source.spell, source.opened);
    for (const [id, group] of Object.entries(source.spell.groups)) {
      if (hiddenBy.has(id)) continue;
      const fold = folds.get(id);
      if (fold) {
        keep(id, [group, ...state(id), fold.key], () => box(source, id, group.position, fold));
        continue;
      }
      keep(id, [group, ...state(id)], () => ({
        ...frame(source, id, group.position, group.size),
        type: "group",
        zIndex: -1000,
        dragHandle: ".group-drag",
      }));
    }
    for (const [id, note] of Object.entries(source.spell.notes)) {
      if (hiddenBy.has(id)) continue;
      keep(id, [note, ...state(id)], () => ({
        ...frame(source, id, note.position, note.size),
        type: "note",
        zIndex: -1,
      }));
    }
    for (const [id, node] of Object.entries(source.spell.nodes)) {
      if (hiddenBy.has(id)) continue;
      const type = typeIn({ types: source.types, older: source.older ?? {} }, node.type, node.version);
      keep(id, [node, ...state(id), type, source.ports[id]], () => {
        const base = frame(source, id, node.position, node.size);
        // One that was hidden has lost its handles in React Flow.
        if (base.measured && this.#nodes.has(id))
          return { ...base, type: "spell", width: base.width ?? NODE_WIDTH };
        const ports = shownPorts(node, type, source.ports[id], wiredPorts(source.spell.edges, id));
        return {
          ...base,
          type: "spell",
          width: base.width ?? NODE_WIDTH,
          initialHeight: bareHeight(ports),
          handles: handlePlaces(node, ports),
        };
      });
    }
    this.#nodes = next;
    this.#nodeList = listed(next, this.#nodeList);
    return this.#nodeList;
  }

  edges(
    source: Pick<FlowSource, "spell" | "selection" | "opened"> & Partial<Pick<FlowSource, "ports">>,
  ): Edge[] {
    const next = new Map<string, Made<Edge>>();
    const { hiddenBy } = foldingOf(source.spell, source.opened);
    for (const [id, edge] of namedEdges(source.ports ?? {})) {
      if (!source.spell.nodes[edge.source] || !source.spell.nodes[edge.target]) continue;
      const [start, end] = [hiddenBy.get(edge.source), hiddenBy.get(edge.target)];
      if (start !== undefined && start === end) continue;
      const from = [edge.source, edge.output, start, end];
      const before = this.#edges.get(id);
      next.set(
        id,
        before && same(before.from, from)
          ? before
          : { from, made: folded(namedWire(id, edge), edge, start, end) },
      );
    }
    for (const [id, edge] of Object.entries(source.spell.edges)) {
      if (!source.spell.nodes[edge.source] || !source.spell.nodes[edge.target]) continue;
      const [start, end] = [hiddenBy.get(edge.source), hiddenBy.get(edge.target)];
      if (start !== undefined && start === end) continue;
      const selected = source.selection.has(id);
      const from = [edge, selected, start, end];
      const before = this.#edges.get(id);
      next.set(
        id,
        before && same(before.from, from)
          ? before
          : { from, made: folded(wire(id, edge, selected), edge, start, end) },
      );
    }
    this.#edges = next;
    this.#edgeList = listed(next, this.#edgeList);
    return this.#edgeList;
  }
}

function listed<T>(made: Map<string, Made<T>>, before: T[]): T[] {
  const list = Array.from(made.values(), (entry) => entry.made);
  return same(list, before) ? before : list;
}

function wire(id: string, edge: Spell["edges"][string], selected: boolean): Edge {
  return {
    id,
    type: "wire",
    source: edge.source,
    sourceHandle: edge.output,
    target: edge.target,
    targetHandle: edge.input,
    selected,
    ariaLabel: `Wire from ${edge.source}, ${edge.output}, to ${edge.target}, ${edge.input}`,
    ...(selected ? { zIndex: 1 } : {}),
  };
}

/** What code reads by name: dashed wires that nobody drew. A wire that is drawn meanwhile takes their place. */
export function* namedEdges(ports: FlowSource["ports"]): Iterable<[id: string, edge: SpellEdge]> {
  for (const [target, { inputs }] of Object.entries(ports)) {
    for (const { name, named } of inputs) {
      if (named)
        yield [`named ${target} ${name}`, { source: named.node, output: named.output, target, input: name }];
    }
  }
}

function namedWire(id: string, edge: SpellEdge): Edge {
  return {
    id,
    type: "named",
    source: edge.source,
    sourceHandle: edge.output,
    target: edge.target,
    targetHandle: edge.input,
    selectable: false,
    deletable: false,
    focusable: false,
    reconnectable: false,
    ariaLabel: `${edge.target} reads ${edge.input} by name from ${edge.source}`,
  };
}

/** The wire as it is drawn where its ends are in folded frames. */
function folded(
  made: Edge,
  edge: Spell["edges"][string],
  start: string | undefined,
  end: string | undefined,
): Edge {
  return {
    ...made,
    ...(start ? { source: start, sourceHandle: handleAt(edge.source, edge.output) } : {}),
    ...(end ? { target: end, targetHandle: handleAt(edge.target, edge.input) } : {}),
  };
}

/** A folded frame: its measure follows from its wires, so that nothing waits for it to be drawn. */
function box(source: FlowSource, id: string, position: Pair, fold: Fold): Node {
  const { width: _width, height: _height, ...base } = frame(source, id, position, undefined);
  const [width, height] = [NODE_WIDTH, foldedHeight(fold)];
  return {
    ...base,
    type: "folded",
    width,
    height,
    measured: { width, height },
    handles: foldedPlaces(fold),
  };
}

function frame(source: FlowSource, id: string, position: Pair, size: Pair | undefined): Node {
  const local = source.local[id];
  const [x, y] = local?.position ?? source.remote[id] ?? position;
  const shown = local?.size ?? size;
  return {
    id,
    data: {},
    position: { x, y },
    selected: source.selection.has(id),
    dragging: local?.dragging ?? false,
    ...(shown ? { width: shown[0], height: shown[1] } : {}),
    ...(local?.measured ? { measured: local.measured } : {}),
  };
}

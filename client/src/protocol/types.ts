/**
 * What goes over the wire, as the server's pydantic models have it.
 *
 * Written by hand only where the generated types say less than the client needs to know.
 */

/** A plain JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A JSON Schema, as ports carry it; `format` may be `table` or `markdown`. */
export type JsonSchema = { [key: string]: Json };

/** `[x, y]` in canvas units, or `[width, height]`. */
export type Pair = readonly [number, number];

/** How one node runs where it differs from its type. Seconds. */
export interface NodeSettings {
  timeout?: number;
  retries?: number;
  backoff?: number;
  cache?: "deterministic" | "private" | "none" | "ttl";
  ttl?: number;
  /** `mute`: nothing leaves it; `bypass`: what comes in leaves by outputs that take it. */
  mode?: "mute" | "bypass";
  /** Outputs given by hand: the node is not run. */
  pins?: Readonly<Record<string, Json>>;
  /** Live: seconds of quiet before a change starts the node. */
  debounce?: number;
  /** Live: inputs whose change does not start the node. */
  quiet?: readonly string[];
  limits?: NodeLimits;
  body?: NodeBody;
}

/** How often a node may be called; all that are given hold together. Seconds. */
export type NodeLimits = {
  readonly concurrency?: number;
  /** Calls within `per`. */
  readonly rate?: number;
  readonly per?: number;
  readonly spacing?: number;
  readonly delay?: number;
};

/** What a node runs inside itself: one of the three. */
export type NodeBody = {
  readonly group?: string;
  readonly spell?: string;
  readonly type?: string;
};

/** What a wire does to a value on its way. */
export type Transform =
  | { readonly op: "pick"; readonly path: string }
  | { readonly op: "index"; readonly index: number }
  | { readonly op: "default"; readonly value?: Json }
  | {
      readonly op: "cast";
      readonly to: "string" | "number" | "integer" | "boolean" | "list" | "object";
    }
  | { readonly op: "date"; readonly format?: string };

/** A box on the canvas. */
export interface SpellNode {
  readonly type: string;
  readonly version?: number;
  readonly name?: string;
  readonly inputs: Readonly<Record<string, Json>>;
  readonly code?: string;
  readonly settings: Readonly<NodeSettings>;
  readonly position: Pair;
  readonly size?: Pair;
  readonly group?: string;
}

/** A wire from `source`'s output to `target`'s input. */
export interface SpellEdge {
  readonly source: string;
  readonly output: string;
  readonly target: string;
  readonly input: string;
  /** Applied in order. */
  readonly transform?: readonly Transform[];
}

/** A named frame around nodes (those whose `group` is its id). */
export interface SpellGroup {
  readonly name: string;
  readonly position: Pair;
  readonly size: Pair;
  readonly color?: string;
  readonly group?: string;
  /** Drawn as one box. */
  readonly collapsed?: boolean;
}

/** A Markdown text on the canvas. */
export interface SpellNote {
  readonly text: string;
  readonly position: Pair;
  readonly size: Pair;
  readonly color?: string;
  readonly group?: string;
}

/** What must hold of one output; `path` leads to a part of it, like `rows[0].name`. */
export type Assertion = { readonly path?: string } & (
  | { readonly op: "equals"; readonly value: Json; readonly tolerance?: number }
  | { readonly op: "matches"; readonly value: JsonSchema }
  | { readonly op: "contains"; readonly value: Json }
  | {
      readonly op: "type";
      readonly value: "string" | "number" | "integer" | "boolean" | "array" | "object" | "null";
    }
  | { readonly op: "length"; readonly value: number }
);

/** What stands for a node's call in a test: its outputs, or that it failed. */
export interface Recorded {
  readonly outputs?: Readonly<Record<string, Json>>;
  readonly failure?: { readonly code?: string; readonly message?: string };
}

/** How a node must have ended in a test, and what must hold of its outputs. */
export interface Expectation {
  readonly status?: "done" | "failed" | "skipped";
  readonly code?: string;
  readonly outputs?: Readonly<Record<string, Assertion>>;
}

/** A test that is kept with the spell. `inputs` by `NODE.PORT`, `record` and `expect` by node. */
export interface SpellTest {
  readonly name?: string;
  readonly inputs: Readonly<Record<string, Json>>;
  readonly record: Readonly<Record<string, Recorded>>;
  readonly expect: Readonly<Record<string, Expectation>>;
  /** Seconds. */
  readonly timeout?: number;
  /** Nodes that have side effects or cost money, and are not recorded, are called. */
  readonly live?: boolean;
}

/** The whole drawing, never changed in place: an unchanged part is the same object as before. */
export interface Spell {
  readonly schema: 1;
  readonly name: string;
  readonly nodes: Readonly<Record<string, SpellNode>>;
  readonly edges: Readonly<Record<string, SpellEdge>>;
  readonly groups: Readonly<Record<string, SpellGroup>>;
  readonly notes: Readonly<Record<string, SpellNote>>;
  /** The packages that its code needs, by name: what follows the name in a requirement, `">=2,<4"`. */
  readonly requirements: Readonly<Record<string, string>>;
  readonly tests: Readonly<Record<string, SpellTest>>;
}

/** A spell as files and REST have it: everything that has a default may be left out. */
export interface SpellJson {
  schema?: 1;
  name?: string;
  nodes?: Record<string, Partial<SpellNode> & { type: string }>;
  edges?: Record<string, SpellEdge>;
  groups?: Record<string, Partial<SpellGroup>>;
  notes?: Record<string, Partial<SpellNote>>;
  requirements?: Record<string, string>;
  tests?: Record<string, Partial<SpellTest>>;
}

/** A socket on a node. */
export interface Port {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly required?: boolean;
  readonly default?: Json;
  readonly description?: string;
  /** Several wires may end here; the node gets a list. */
  readonly many?: boolean;
  /** An output comes in chunks; an input takes chunks while they still come. */
  readonly stream?: boolean;
  /** One of the outputs that every node has; told only where it has a wire. */
  readonly role?: "error" | "all";
  /** A wire here only says when; its value is not used. */
  readonly trigger?: boolean;
  /** The function of the type that lists the values this input may have. */
  readonly choices?: string | null;
  /** What an input of code without a wire reads by its name. */
  readonly named?: { readonly node: string; readonly output: string };
}

/** The ports of one node. */
export interface Ports {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Accepts any further named input. */
  readonly extra_inputs?: boolean;
}

/** A node type as the library lists it. */
export interface NodeType extends Ports {
  readonly type: string;
  readonly version: number;
  readonly title: string;
  readonly category: string;
  readonly description: string;
  readonly keywords?: readonly string[];
  /** `python` or `typescript` when its nodes have code. */
  readonly language?: string | null;
  /** Its ports depend on the node (ask `nodes.ports`, or read the document's `ports`). */
  readonly dynamic?: boolean;
  /** Its nodes may run a group, a spell or a node type inside them (`settings.body`). */
  readonly body?: boolean;
  readonly cache?: string;
  readonly isolation?: string;
}

/** What is wrong with a spell, and where. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly node?: string | null;
  readonly edge?: string | null;
  readonly port?: string | null;
  readonly severity: "error" | "warning";
  readonly details?: { [key: string]: Json };
}

/** What is wrong with a spell, and the ports of its dynamic nodes by node id. */
export interface Diagnosis {
  readonly problems?: readonly Problem[];
  readonly ports?: Readonly<Record<string, Ports>>;
}

/** What a person may do on a canvas. */
export type Role = "owner" | "editor" | "runner" | "viewer";

/** A person. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: string;
}

/** A canvas in a list. */
export interface Canvas {
  readonly id: string;
  readonly name: string;
  readonly owner_id?: string;
  readonly role?: Role;
  readonly created_at?: number;
  readonly updated_at?: number;
}

/** A value too large to send: where it is, and its head. */
export interface ValueRef {
  readonly $ref: string;
  readonly size: number;
  readonly preview: Json;
}

/** A value that stays in the process of a worker: what it is, and what the worker shows of it. */
export interface HandleRef {
  readonly $handle: string;
  /** Its type as its author knows it: `pandas.DataFrame`. */
  readonly kind: string;
  /** Bytes, about. */
  readonly size: number;
  readonly preview: HandleForm | null;
  /** The forms in which it may leave the worker; none where it cannot. */
  readonly encodings: readonly string[];
}

/** What a worker shows of a value that it keeps. */
export type HandleForm =
  | {
      readonly form: "table";
      readonly columns: readonly { readonly name: string; readonly type: string }[];
      readonly rows: readonly Readonly<Record<string, Json>>[];
      readonly total: number;
    }
  | { readonly form: "list"; readonly values: readonly Json[]; readonly total: number }
  | { readonly form: "object"; readonly value: Readonly<Record<string, Json>>; readonly total: number }
  | {
      readonly form: "array";
      readonly dtype: string;
      readonly shape: readonly number[];
      readonly values: Json;
    }
  | {
      readonly form: "image";
      readonly image: string;
      readonly width: number | null;
      readonly height: number | null;
    }
  | { readonly form: "text"; readonly text: string };

/** A part of a large value: items of a list, characters of a text, or fields of an object. */
export interface ValuePage {
  readonly hash: string;
  /** Bytes of the whole as JSON. */
  readonly size: number;
  readonly kind: "list" | "text" | "object" | "value";
  /** Items, characters (code points) or fields of the whole. */
  readonly total: number;
  readonly offset: number;
  readonly more: boolean;
  readonly value: Json;
  /** The part of the value that this is a page of, as a JSON Pointer; "" is all. */
  readonly path: string;
  /** The items' own numbers, where the list is sorted or filtered. */
  readonly rows: readonly number[] | null;
}

/** A value on a port as events and runs carry it. */
export type PortValue = Json | ValueRef;

/** Outputs of one node, by port. */
export type Outputs = Readonly<Record<string, PortValue>>;

/** Why a node failed. */
export interface NodeFailure {
  readonly code: string;
  readonly message: string;
  readonly port?: string | null;
  readonly traceback?: string | null;
  readonly attempts?: number;
  /** `path`, `node`, `label`: which node inside it failed; `hidden`: one in a canvas that not all may open did. */
  readonly details?: Readonly<Record<string, Json>>;
}

/** How far a run is: nodes that ended, and how far the one is that last said it. */
export interface RunProgress {
  readonly ended: number;
  readonly total: number;
  readonly node?: string | null;
  /** 0 to 1. */
  readonly value?: number | null;
  readonly message?: string | null;
}

/** Tokens of one type of node at one model. */
export interface TokensView {
  readonly type: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly calls: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** Where a run stands. */
export type RunStatus =
  | "queued"
  | "running"
  | "paused"
  | "waiting"
  | "completed"
  | "failed"
  | "cancelled"
  | "interrupted";

/** A run as the server tells it; lists leave out `outputs`. */
export interface RunView {
  readonly id: string;
  readonly canvas?: string | null;
  readonly user?: string | null;
  readonly status: RunStatus;
  readonly mode: "once" | "live";
  readonly audience: "shared" | "private";
  readonly created_at: number;
  readonly started_at?: number | null;
  readonly ended_at?: number | null;
  readonly stream: string;
  readonly scope?: readonly string[] | null;
  /** Whether it goes on by itself after a crash. */
  readonly durable?: boolean;
  /** The queue it waits in, or came from; those of higher priority leave it first. */
  readonly queue?: string | null;
  readonly priority?: number;
  /** Until when it waits in its queue, and by when it must have ended: Unix seconds. */
  readonly not_before?: number | null;
  readonly deadline?: number | null;
  /** Of a new run: it was there already, under the same key. */
  readonly deduplicated?: boolean;
  /** In lists: what who runs it is called. */
  readonly user_name?: string | null;
  /** In lists: how many nodes of a run that has ended failed. */
  readonly failed_nodes?: number | null;
  /** In lists: how many runs leave its queue before it, while it waits there. */
  readonly ahead?: number | null;
  /** How far a run is that has begun and not ended. */
  readonly progress?: RunProgress | null;
  /** What its nodes reported of tokens, by type, provider and model; once it has ended. */
  readonly usage?: readonly TokensView[];
  readonly attempt?: number;
  /** The trigger that started it. */
  readonly trigger?: string | null;
  /** The run whose outputs it began with. */
  readonly forked_from?: string | null;
  /** The run that placed it on its queue, as the call of a node. */
  readonly parent?: string | null;
  /** The canvases that it ran inside itself: the number of the last edit in each. */
  readonly children?: Readonly<Record<string, number>>;
  /** Why the run as a whole failed. */
  readonly error?: ErrorBody | null;
  readonly outputs?: Readonly<Record<string, Outputs>> | null;
  readonly errors?: Readonly<Record<string, NodeFailure>> | null;
  readonly skipped?: Readonly<Record<string, string>> | null;
  readonly why?: Readonly<Record<string, string>> | null;
  readonly durations?: Readonly<Record<string, number>> | null;
  readonly order?: readonly string[] | null;
  readonly hashes?: Readonly<Record<string, Readonly<Record<string, string>>>> | null;
  /** Why values in workers are there no more, by what stands for them (`$handle`); see `values.gone`. */
  readonly gone?: Readonly<Record<string, string>> | null;
  /** The spell as it was when it ran. */
  readonly spell?: SpellJson | null;
}

/** What kinds of things happen in a run. */
export type RunEventKind =
  | "run.started"
  | "run.resumed"
  | "node.queued"
  | "node.started"
  | "node.progress"
  | "node.log"
  | "node.chunk"
  | "node.done"
  | "node.failed"
  | "node.skipped"
  | "node.waiting"
  | "run.completed"
  | "run.failed"
  | "run.cancelled"
  | "node.hidden"
  | "run.removed";

/** One thing that happened in a run; `seq` counts the events of its stream. */
export interface RunEvent {
  readonly seq: number;
  readonly run: string;
  readonly kind: RunEventKind;
  /** Unix seconds. */
  readonly at: number;
  readonly node?: string | null;
  readonly why?: string | null;
  readonly outputs?: Outputs | null;
  /** Seconds. */
  readonly duration?: number | null;
  readonly port?: string | null;
  readonly value?: PortValue;
  /** How many chunks `value` joins. */
  readonly chunks?: number | null;
  readonly message?: string | null;
  readonly level?: string | null;
  readonly error?: NodeFailure | null;
  readonly data?: { readonly [key: string]: Json } | null;
}

/** A batch of events as the server sends it. */
export interface RunEvents {
  readonly stream: string;
  readonly events: readonly RunEvent[];
}

/** What `events.resume` answers; ask again while `more`. */
export interface Resumed {
  readonly stream?: string;
  readonly events: readonly RunEvent[];
  readonly seq: number;
  readonly more?: boolean;
  /** The server has not kept all that was missed: what is shown must be fetched anew. */
  readonly snapshot_required?: boolean;
  /** With `snapshot_required`: the recent runs. */
  readonly runs?: readonly RunView[];
}

/** Bytes as they come from Socket.IO: an ArrayBuffer in a browser, a Buffer in Node. */
export type Bytes = ArrayBuffer | Uint8Array;

/** What `canvas.open` answers. */
export interface CanvasOpened {
  readonly canvas: string;
  readonly epoch: string;
  readonly role: Role;
  readonly diff: Bytes;
  readonly state_vector: Bytes;
  readonly seq: number;
  readonly presence?: Bytes | null;
  readonly problems?: readonly Problem[];
  readonly ports?: Readonly<Record<string, Ports>>;
  readonly runs?: readonly RunView[];
  readonly streams?: Readonly<Record<string, number>>;
  readonly live?: boolean;
  /** Whose live mode is on. */
  readonly live_users?: readonly string[];
  /** Why this person's live mode does not run, as `canvas.live` tells it. */
  readonly live_notice?: { readonly [key: string]: unknown } | null;
}

/** An error on either transport. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly details?: { [key: string]: Json };
}

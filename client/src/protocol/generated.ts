/**
 * What goes over the wire, from the server's models. Written by `make types`: do not edit.
 */

export type JsonValue = unknown;

/**
 * Both ways.
 */
export interface Protocol {
  Operations: Operations;
  Announcements: Announcements;
}
/**
 * What a client may ask, by event.
 */
export interface Operations {
  /**
   * Make an API key
   */
  "api_keys.create": {
    request: NewApiKey;
    response: NewApiKeyView;
  };
  /**
   * List my API keys
   */
  "api_keys.find": {
    request: Nothing;
    response: ApiKeyList;
  };
  /**
   * Revoke an API key
   */
  "api_keys.remove": {
    request: ApiKeyId;
    response: Done;
  };
  /**
   * Sign in with a one-time link's token
   */
  "auth.link": {
    request: RedeemLink;
    response: SignInView;
  };
  /**
   * Sign in with a password
   */
  "auth.login": {
    request: Login;
    response: SignInView;
  };
  /**
   * Sign out
   */
  "auth.logout": {
    request: Nothing;
    response: Done;
  };
  /**
   * Who am I
   */
  "auth.me": {
    request: Nothing;
    response: UserView;
  };
  /**
   * Change my name
   */
  "auth.patch_me": {
    request: ChangeMe;
    response: UserView;
  };
  /**
   * Exchange the refresh cookie for a new access token
   */
  "auth.refresh": {
    request: Nothing;
    response: SignInView;
  };
  /**
   * Change my password
   */
  "auth.set_password": {
    request: ChangePassword;
    response: Done;
  };
  /**
   * Forget cached node calls
   */
  "cache.clear": {
    request: ClearCache;
    response: Cleared;
  };
  /**
   * Say how much is cached
   */
  "cache.stats": {
    request: Nothing;
    response: CacheView;
  };
  /**
   * Read a large value by its hash
   */
  "cache.value": {
    request: ReadValue;
    response: ValuePage;
  };
  /**
   * Say where one's cursor and selection are
   */
  "canvas.awareness": {
    request: MoveOnCanvas;
    response: Done;
  };
  /**
   * Close a canvas in this socket
   */
  "canvas.close": {
    request: CloseCanvas;
    response: Done;
  };
  /**
   * Open a canvas in this socket
   */
  "canvas.open": {
    request: OpenCanvas;
    response: CanvasOpened;
  };
  /**
   * Edit a canvas
   */
  "canvas.update": {
    request: UpdateCanvas;
    response: CanvasUpdated;
  };
  /**
   * Make a canvas
   */
  "canvases.create": {
    request: NewCanvas;
    response: CanvasView;
  };
  /**
   * List the canvases that I may see
   */
  "canvases.find": {
    request: Nothing;
    response: CanvasList;
  };
  /**
   * Look at a canvas
   */
  "canvases.get": {
    request: CanvasId;
    response: CanvasView;
  };
  /**
   * Read the spell on a canvas
   */
  "canvases.get_spell": {
    request: CanvasId;
    response: SpellView;
  };
  /**
   * List who has a role on a canvas
   */
  "canvases.members": {
    request: CanvasId;
    response: MemberList;
  };
  /**
   * Rename a canvas
   */
  "canvases.patch": {
    request: ChangeCanvas;
    response: CanvasView;
  };
  /**
   * Give somebody a role on a canvas
   */
  "canvases.put_member": {
    request: PutMember;
    response: MemberList;
  };
  /**
   * Replace the spell on a canvas
   */
  "canvases.put_spell": {
    request: ReplaceSpell;
    response: SpellView;
  };
  /**
   * Delete a canvas
   */
  "canvases.remove": {
    request: CanvasId;
    response: Done;
  };
  /**
   * Take somebody's role on a canvas away
   */
  "canvases.remove_member": {
    request: RemoveMember;
    response: MemberList;
  };
  /**
   * Read a stream's events
   */
  "events.find": {
    request: ReadStream;
    response: StreamPage;
  };
  /**
   * Catch up with a stream, then follow it
   */
  "events.resume": {
    request: ReadStream;
    response: StreamPage;
  };
  /**
   * List model servers and their models
   */
  "models.find": {
    request: Nothing;
    response: ProviderList;
  };
  /**
   * Download a model
   */
  "models.pull": {
    request: PullModel;
    response: PullProgress;
  };
  /**
   * List the node types
   */
  "nodes.find": {
    request: Nothing;
    response: LibraryView;
  };
  /**
   * Find the ports of a node
   */
  "nodes.ports": {
    request: NodeToDescribe;
    response: PortsView;
  };
  /**
   * Look a spell over
   */
  "nodes.validate": {
    request: SpellToCheck;
    response: ProblemsView;
  };
  /**
   * Cancel a run
   */
  "runs.cancel": {
    request: OneRun;
    response: RunView;
  };
  /**
   * Run a canvas or a spell
   */
  "runs.create": {
    request: CreateRun;
    response: RunView;
  };
  /**
   * Read a run's events, or follow them as server-sent events
   */
  "runs.events": {
    request: ReadEvents;
    response: EventPage;
  };
  /**
   * List runs, newest first
   */
  "runs.find": {
    request: ListRuns;
    response: RunList;
  };
  /**
   * Read a run and what it left
   */
  "runs.get": {
    request: GetRun;
    response: RunView;
  };
  /**
   * Read what a run left on a port
   */
  "runs.output": {
    request: ReadOutput;
    response: ValuePage;
  };
  /**
   * Pause a run, or leave live mode
   */
  "runs.pause": {
    request: SteerRun;
    response: Steered;
  };
  /**
   * Let a paused run go on, or enter live mode
   */
  "runs.play": {
    request: SteerRun;
    response: Steered;
  };
  /**
   * Forget a run
   */
  "runs.remove": {
    request: OneRun;
    response: Done;
  };
  /**
   * List the sample spells
   */
  "samples.find": {
    request: Nothing;
    response: SampleList;
  };
  /**
   * Make an account
   */
  "users.create": {
    request: NewUser;
    response: NewUserView;
  };
  /**
   * List the accounts
   */
  "users.find": {
    request: Nothing;
    response: UserList;
  };
  /**
   * Look at an account
   */
  "users.get": {
    request: UserId;
    response: UserView;
  };
  /**
   * Make a one-time sign-in link
   */
  "users.make_link": {
    request: UserId;
    response: LinkView;
  };
  /**
   * Change an account
   */
  "users.patch": {
    request: ChangeUser;
    response: UserView;
  };
  /**
   * Disable an account
   */
  "users.remove": {
    request: UserId;
    response: UserView;
  };
}
/**
 * What the key is for.
 */
export interface NewApiKey {
  name?: string;
}
/**
 * A new key, with the key itself: it is shown this once.
 */
export interface NewApiKeyView {
  id: string;
  name: string;
  prefix: string;
  created_at: number;
  last_used_at: number | null;
  key: string;
}
/**
 * An operation that takes no fields.
 */
export interface Nothing {}
/**
 * One's keys, newest first.
 */
export interface ApiKeyList {
  items: ApiKeyView[];
}
/**
 * A key, without the key: ``prefix`` is how it begins.
 */
export interface ApiKeyView {
  id: string;
  name: string;
  prefix: string;
  created_at: number;
  last_used_at: number | null;
}
/**
 * The key meant.
 */
export interface ApiKeyId {
  id: string;
}
/**
 * An answer with nothing to say.
 */
export interface Done {}
/**
 * The token of a one-time sign-in link.
 */
export interface RedeemLink {
  token: string;
}
/**
 * An access token for ``Authorization: Bearer``, good for ``expires_in`` seconds.
 */
export interface SignInView {
  access_token: string;
  token_type: string;
  expires_in: number;
  user: UserView;
}
/**
 * An account. ``disabled`` ones cannot sign in, and their tokens are refused.
 */
export interface UserView {
  id: string;
  email: string;
  name: string;
  role: "admin" | "member";
  disabled: boolean;
  has_password: boolean;
  created_at: number;
}
/**
 * An email address and a password.
 */
export interface Login {
  email: string;
  password: string;
}
/**
 * What somebody may change of their own account.
 */
export interface ChangeMe {
  name?: string | null;
}
/**
 * A new password; ``current`` may be left out while there is none.
 */
export interface ChangePassword {
  password: string;
  current?: string | null;
}
/**
 * Whose cached node calls to forget.
 */
export interface ClearCache {
  /**
   * Everybody's; for administrators.
   */
  all?: boolean;
}
/**
 * How many cached node calls were forgotten.
 */
export interface Cleared {
  entries: number;
}
/**
 * How much is kept. ``values`` and ``size`` (bytes) count what runs and cache entries name, of all users.
 */
export interface CacheView {
  /**
   * Cached node calls: the caller's, or for an administrator all.
   */
  entries: number;
  values: number;
  size: number;
  /**
   * Look-ups that found something, since the server started.
   */
  hits: number;
  misses: number;
}
/**
 * A page of a value that stands in an event or a run as ``{$ref, size, preview}``.
 */
export interface ReadValue {
  hash: string;
  offset?: number;
  limit?: number | null;
}
/**
 * Part of a value. The whole is the pages from ``offset`` 0 until ``more`` is false, put together.
 */
export interface ValuePage {
  hash: string;
  /**
   * Bytes of the whole value as JSON.
   */
  size: number;
  /**
   * What a page holds: items of a list, characters of a text, fields of an object.
   */
  kind: "list" | "text" | "object" | "value";
  /**
   * Items, characters or fields of the whole.
   */
  total: number;
  offset: number;
  more: boolean;
  value: unknown;
}
/**
 * Say where one's cursor and selection are.
 */
export interface MoveOnCanvas {
  canvas: string;
  update: ArrayBuffer | Uint8Array;
}
/**
 * Close a canvas in this socket.
 */
export interface CloseCanvas {
  canvas: string;
}
/**
 * Open a canvas in this socket.
 */
export interface OpenCanvas {
  canvas: string;
  /**
   * The Yjs client id of the tab's document.
   */
  client_id: number;
  /**
   * The epoch of the tab's document, if it has one.
   */
  epoch?: string | null;
  /**
   * What the tab's document knows already.
   */
  state_vector?: (ArrayBuffer | Uint8Array) | null;
}
/**
 * Everything a tab needs to show a canvas and go on from here.
 */
export interface CanvasOpened {
  canvas: string;
  epoch: string;
  role: "viewer" | "runner" | "editor" | "owner";
  diff: ArrayBuffer | Uint8Array;
  state_vector: ArrayBuffer | Uint8Array;
  /**
   * Number of the last committed edit.
   */
  seq: number;
  /**
   * An awareness update of all who are here.
   */
  presence: (ArrayBuffer | Uint8Array) | null;
  /**
   * What is wrong with the spell.
   */
  problems: {
    [k: string]: unknown;
  }[];
  /**
   * Ports of the nodes whose ports depend on content.
   */
  ports: {
    [k: string]: unknown;
  };
  /**
   * Recent runs.
   */
  runs: {
    [k: string]: unknown;
  }[];
  /**
   * Last event number of each stream this socket follows.
   */
  streams: {
    [k: string]: number;
  };
  /**
   * Whether the user's live mode is on.
   */
  live: boolean;
  /**
   * Whose live mode is on.
   */
  live_users: string[];
}
/**
 * Edit a canvas.
 */
export interface UpdateCanvas {
  canvas: string;
  /**
   * The tab's own name of the edit; it comes back in the answer.
   */
  msg_id: string | number;
  update: ArrayBuffer | Uint8Array;
}
/**
 * The edit is durable.
 */
export interface CanvasUpdated {
  msg_id: string | number;
  /**
   * The edit's number on the canvas.
   */
  seq: number;
}
/**
 * A canvas to make, empty or with a spell on it. Its name is the spell's, unless given.
 */
export interface NewCanvas {
  name?: string | null;
  spell?: Spell | null;
}
/**
 * A graph of nodes, groups and notes.
 *
 * As JSON::
 *
 *     {"schema": 1, "name": "Hello",
 *      "nodes": {"a": {"type": "core.value", "inputs": {"value": 2}},
 *                "b": {"type": "code.python", "code": "x * 21"}},
 *      "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "x"}}}
 *
 * A Spell is well-formed, not yet valid: edges may dangle, types may be
 * unknown. ``spellwork.validate`` says what is wrong, node by node.
 */
export interface Spell {
  schema?: 1;
  name?: string;
  nodes?: {
    [k: string]: Node;
  };
  edges?: {
    [k: string]: Edge;
  };
  groups?: {
    [k: string]: Group;
  };
  notes?: {
    [k: string]: Note;
  };
}
/**
 * A box on the canvas: a node type, and the values typed into it.
 */
export interface Node {
  type: string;
  /**
   * Version of the node type; None is the newest.
   */
  version?: number | null;
  name?: string | null;
  inputs?: {
    [k: string]: JsonValue;
  };
  code?: string | null;
  settings?: NodeSettings;
  /**
   * @minItems 2
   * @maxItems 2
   */
  position?: [unknown, unknown];
  size?: [unknown, unknown] | null;
  group?: string | null;
}
/**
 * How one node is run, where it differs from what its type declares.
 *
 * ``timeout`` and ``backoff`` are seconds; ``backoff`` doubles with each retry.
 */
export interface NodeSettings {
  timeout?: number | null;
  retries?: number | null;
  backoff?: number | null;
  cache?: ("deterministic" | "private" | "none" | "ttl") | null;
  /**
   * Seconds an output stays valid; with cache='ttl'.
   */
  ttl?: number | null;
}
/**
 * A wire from an output of ``source`` to an input of ``target``.
 */
export interface Edge {
  source: string;
  output: string;
  target: string;
  input: string;
}
/**
 * A named frame around nodes (those whose ``group`` is its id).
 */
export interface Group {
  name?: string;
  /**
   * @minItems 2
   * @maxItems 2
   */
  position?: [unknown, unknown];
  /**
   * @minItems 2
   * @maxItems 2
   */
  size?: [unknown, unknown];
  color?: string | null;
  /**
   * The group around this group.
   */
  group?: string | null;
}
/**
 * A text on the canvas, in Markdown.
 */
export interface Note {
  text?: string;
  /**
   * @minItems 2
   * @maxItems 2
   */
  position?: [unknown, unknown];
  /**
   * @minItems 2
   * @maxItems 2
   */
  size?: [unknown, unknown];
  color?: string | null;
  group?: string | null;
}
/**
 * A canvas, and what the caller is on it.
 */
export interface CanvasView {
  id: string;
  name: string;
  owner_id: string;
  role: "viewer" | "runner" | "editor" | "owner";
  epoch: string;
  created_at: number;
  updated_at: number;
}
/**
 * Canvases, the latest edited first.
 */
export interface CanvasList {
  items: CanvasView[];
}
/**
 * The canvas meant.
 */
export interface CanvasId {
  id: string;
}
/**
 * A spell as JSON, its defaults left out.
 */
export interface SpellView {
  [k: string]: JsonValue;
}
/**
 * Who has a role on a canvas, by email address.
 */
export interface MemberList {
  items: MemberView[];
}
/**
 * Somebody's role on a canvas.
 */
export interface MemberView {
  user_id: string;
  email: string;
  name: string;
  role: "viewer" | "runner" | "editor" | "owner";
}
/**
 * What to change of a canvas; what is left out stays.
 */
export interface ChangeCanvas {
  id: string;
  name?: string | null;
}
/**
 * Who gets which role.
 */
export interface PutMember {
  id: string;
  email: string;
  role: "viewer" | "runner" | "editor" | "owner";
}
/**
 * A canvas and the spell to draw on it: the spell's own fields, or ``{spell}``.
 */
export interface ReplaceSpell {
  id: string;
  spell: Spell;
}
/**
 * Whose role is taken away.
 */
export interface RemoveMember {
  id: string;
  email: string;
}
/**
 * A stream by its name: canvas:ID, canvas:ID:user:USER or user:USER.
 */
export interface ReadStream {
  stream: string;
  after_seq?: number;
  limit?: number;
}
/**
 * Events in order, each exactly once.
 *
 * Where ``more`` is true, ask again after ``seq``. Where it is false, the
 * socket that asked follows the stream from ``seq`` on.
 */
export interface StreamPage {
  stream: string;
  events: EventView[];
  seq: number;
  more: boolean;
  /**
   * What follows after_seq is not kept any more: start anew from runs, and follow from seq on.
   */
  snapshot_required: boolean;
  /**
   * With snapshot_required: the recent runs.
   */
  runs: RunView[];
}
/**
 * One event of a run; fields that its kind does not use are left out.
 */
export interface EventView {
  /**
   * Its number in the stream: from 1, with no gap.
   */
  seq: number;
  run: string;
  kind:
    | (
        | "run.started"
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
      )
    | "run.removed";
  /**
   * Unix seconds.
   */
  at: number;
  node?: string | null;
  port?: string | null;
  /**
   * node.progress: 0 to 1. node.chunk: the chunks as one text, or as a list.
   */
  value?: unknown;
  /**
   * node.chunk: how many chunks are joined in value.
   */
  chunks?: number | null;
  /**
   * node.done: {port: value}; a large one is {$ref, size, preview}.
   */
  outputs?: {
    [k: string]: unknown;
  } | null;
  /**
   * Why the node ran, or 'cached'.
   */
  why?: string | null;
  message?: string | null;
  /**
   * node.log: debug, info, warning or error.
   */
  level?: string | null;
  /**
   * {code, message, port?, traceback?, attempts}
   */
  error?: {
    [k: string]: unknown;
  } | null;
  /**
   * Seconds.
   */
  duration?: number | null;
  /**
   * run.started: {nodes, user, mode, audience, scope}. The run's last event: {status, order, failed, skipped, hashes: {node: {port: hash}}}.
   */
  data?: {
    [k: string]: unknown;
  } | null;
}
/**
 * A run. Lists give it without what the nodes left (``outputs`` to ``hashes`` are empty).
 */
export interface RunView {
  id: string;
  /**
   * The canvas; None for a spell that came with the request.
   */
  canvas: string | null;
  /**
   * Who runs it.
   */
  user: string;
  status: "queued" | "running" | "paused" | "completed" | "failed" | "cancelled" | "interrupted";
  mode: "once" | "live";
  audience: "shared" | "private";
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  /**
   * The stream its events are in.
   */
  stream: string;
  /**
   * The nodes it was asked for; None is all.
   */
  scope: string[] | null;
  durable: boolean;
  /**
   * {node: {port: value}} in graph order; a large value is {$ref, size, preview}.
   */
  outputs: {
    [k: string]: {
      [k: string]: unknown;
    };
  };
  /**
   * {node: {code, message, ...}}
   */
  errors: {
    [k: string]: {
      [k: string]: unknown;
    };
  };
  /**
   * Why the run as a whole failed.
   */
  error: {
    [k: string]: unknown;
  } | null;
  /**
   * {node: why it was skipped}
   */
  skipped: {
    [k: string]: string;
  };
  /**
   * {node: why it ran, or 'cached'}
   */
  why: {
    [k: string]: string;
  };
  /**
   * {node: seconds}
   */
  durations: {
    [k: string]: number;
  };
  /**
   * The nodes in graph order.
   */
  order: string[];
  /**
   * {node: {port: hash of the value}}
   */
  hashes: {
    [k: string]: {
      [k: string]: string;
    };
  };
  /**
   * The spell as it ran; runs.get gives it.
   */
  spell: {
    [k: string]: unknown;
  } | null;
}
/**
 * The operator's model servers.
 */
export interface ProviderList {
  items: ProviderView[];
}
/**
 * A model server: whether it answers, and what it has.
 */
export interface ProviderView {
  kind: "ollama" | "openai";
  url: string;
  reachable: boolean;
  error: {
    [k: string]: unknown;
  } | null;
  models: ModelView[];
}
/**
 * A model.
 */
export interface ModelView {
  name: string;
  /**
   * Bytes.
   */
  size: number | null;
  family: string | null;
  parameters: string | null;
  quantization: string | null;
}
/**
 * The model to download, as its server names it.
 */
export interface PullModel {
  model: string;
  kind?: "ollama" | "openai";
}
/**
 * How far a download is, in bytes; ``done`` in the last one.
 */
export interface PullProgress {
  model: string;
  kind: "ollama" | "openai";
  status: string;
  completed: number | null;
  total: number | null;
  fraction: number | null;
  done: boolean;
}
/**
 * Every node type, by id; ``problems`` says which packs did not load, and why.
 */
export interface LibraryView {
  items: {
    [k: string]: unknown;
  }[];
  packs: PackView[];
  problems: {
    [k: string]: string;
  };
}
/**
 * A pack of node types that is installed.
 */
export interface PackView {
  name: string;
  title: string;
  version: string;
}
/**
 * A node, whose ports may depend on its code and inputs.
 */
export interface NodeToDescribe {
  node: Node;
}
/**
 * The ports of one node.
 */
export interface PortsView {
  inputs: {
    [k: string]: unknown;
  }[];
  outputs: {
    [k: string]: unknown;
  }[];
  extra_inputs: boolean;
}
/**
 * A spell to look over.
 */
export interface SpellToCheck {
  spell: Spell;
}
/**
 * What is wrong with a spell; nothing, when it is empty.
 */
export interface ProblemsView {
  problems: {
    [k: string]: unknown;
  }[];
}
/**
 * A run by its id.
 */
export interface OneRun {
  id: string;
}
/**
 * A run of a canvas, or of the spell that comes with it: exactly one of the two.
 */
export interface CreateRun {
  canvas?: string | null;
  spell?: Spell | null;
  /**
   * {'NODE.PORT': value}, or {NODE: value} where that is clear; NODE is an id or name.
   */
  inputs?: {
    [k: string]: JsonValue;
  } | null;
  /**
   * Run only these nodes and what they need.
   */
  scope?: string[] | null;
  /**
   * live: run again what depends on each change of the canvas.
   */
  mode?: "once" | "live";
  /**
   * Who sees it; on a canvas shared unless said.
   */
  audience?: ("shared" | "private") | null;
  /**
   * When a run of yours goes on there; replace on a canvas, else parallel, unless said.
   */
  on_busy?: ("replace" | "queue" | "parallel") | null;
  /**
   * Seconds to wait for the run to end before answering.
   */
  wait?: number | null;
  durable?: boolean;
}
/**
 * Events of a run after a number.
 */
export interface ReadEvents {
  id: string;
  after_seq?: number;
  limit?: number;
}
/**
 * Events in order. ``more``: ask again after the last one's number.
 */
export interface EventPage {
  events: EventView[];
  /**
   * Ask for what follows with after_seq = this.
   */
  seq: number;
  more: boolean;
}
/**
 * Runs of a canvas, or without one the caller's own; newest first.
 */
export interface ListRuns {
  canvas?: string | null;
  limit?: number;
  /**
   * Only runs created before this time (Unix seconds).
   */
  before?: number | null;
}
/**
 * Runs, without what their nodes left.
 */
export interface RunList {
  items: RunView[];
}
/**
 * A run, once it has ended or the time is up.
 */
export interface GetRun {
  id: string;
  /**
   * Seconds to wait for the run to end before answering.
   */
  wait?: number | null;
}
/**
 * A page of what a run left on one port.
 */
export interface ReadOutput {
  id: string;
  node: string;
  port: string;
  offset?: number;
  limit?: number | null;
}
/**
 * A run by its id, or the live mode of the caller on a canvas: exactly one of the two.
 */
export interface SteerRun {
  id?: string | null;
  canvas?: string | null;
  /**
   * Who sees the runs of live mode.
   */
  audience?: "shared" | "private";
}
/**
 * The run as it is now (None when live mode was left), and whether the caller's live mode is on there.
 */
export interface Steered {
  run: RunView | null;
  live: boolean;
}
/**
 * The samples, the fullest first.
 */
export interface SampleList {
  items: SampleView[];
}
/**
 * A sample, with what a person reads before opening it. ``spell`` is a spell as JSON.
 */
export interface SampleView {
  id: string;
  title: string;
  sentence: string;
  spell: {
    [k: string]: unknown;
  };
}
/**
 * An account to make. Without a password the answer has a one-time sign-in link.
 */
export interface NewUser {
  email: string;
  name?: string | null;
  role?: "admin" | "member";
  password?: string | null;
}
/**
 * The account made; ``link`` is the address of a one-time sign-in link, shown this once.
 */
export interface NewUserView {
  id: string;
  email: string;
  name: string;
  role: "admin" | "member";
  disabled: boolean;
  has_password: boolean;
  created_at: number;
  link: string | null;
}
/**
 * Accounts, by email address.
 */
export interface UserList {
  items: UserView[];
}
/**
 * The account meant.
 */
export interface UserId {
  id: string;
}
/**
 * A one-time sign-in link, good for a day, shown this once.
 */
export interface LinkView {
  link: string;
}
/**
 * What to change of an account; what is left out stays.
 */
export interface ChangeUser {
  id: string;
  name?: string | null;
  role?: ("admin" | "member") | null;
  disabled?: boolean | null;
  password?: string | null;
}
/**
 * What the server says, by event.
 */
export interface Announcements {
  "canvas.awareness": CanvasAwareness;
  "canvas.live": CanvasLive;
  "canvas.problems": CanvasProblems;
  "canvas.role": CanvasRole;
  "canvas.updates": CanvasUpdates;
  "events.flowing": EventsFlowing;
  "events.stalled": EventsStalled;
  "models.progress": PullProgress;
  "run.events": RunEvents;
  "run.status": RunStatus;
  "server.stopping": Stopping;
  "session.resync": Notice;
  "session.revoked": Notice;
}
/**
 * ``canvas.awareness``: who is where. Lossy; the latest of each client wins.
 */
export interface CanvasAwareness {
  canvas: string;
  update: ArrayBuffer | Uint8Array;
}
/**
 * ``canvas.live``: a user's live mode on a canvas was turned on or off.
 */
export interface CanvasLive {
  stream: string;
  canvas: string;
  user: string;
  live: boolean;
  audience: "shared" | "private";
}
/**
 * ``canvas.problems``: what is wrong with the spell now, and the ports that depend on content.
 */
export interface CanvasProblems {
  canvas: string;
  problems: {
    [k: string]: unknown;
  }[];
  ports: {
    [k: string]: unknown;
  };
}
/**
 * ``canvas.role``: the socket's role changed. None: it may no longer see the canvas, which is closed for it.
 */
export interface CanvasRole {
  canvas: string;
  role: ("viewer" | "runner" | "editor" | "owner") | null;
}
/**
 * ``canvas.updates``: committed edits, up to number ``seq``.
 */
export interface CanvasUpdates {
  canvas: string;
  seq: number;
  /**
   * Yjs updates, in order.
   */
  updates: (ArrayBuffer | Uint8Array)[];
}
/**
 * ``events.flowing``: the store takes events again; what waited follows.
 */
export interface EventsFlowing {
  stream: string;
}
/**
 * ``events.stalled``: the store takes no events now; runs go on and their events wait in memory.
 */
export interface EventsStalled {
  stream: string;
  message: string;
  /**
   * Seconds until the next attempt, about.
   */
  retry_in: number;
}
/**
 * ``run.events``: events of a stream, committed, in order.
 */
export interface RunEvents {
  stream: string;
  events: EventView[];
}
/**
 * ``run.status``: a run is queued, paused or goes on; what else happens to it is in its events.
 */
export interface RunStatus {
  run: string;
  stream: string;
  status: "queued" | "running" | "paused" | "completed" | "failed" | "cancelled" | "interrupted";
}
/**
 * ``server.stopping``: the server takes no more events; connect again in a moment.
 */
export interface Stopping {
  message: string;
}
/**
 * Why the server is about to do what it does.
 */
export interface Notice {
  code: string;
  message: string;
}

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
   * Say which values are gone from their workers
   */
  "cache.gone": {
    request: AskGone;
    response: GoneView;
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
    request: SpellAs;
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
   * Change a canvas
   */
  "canvases.patch": {
    request: ChangeCanvas;
    response: CanvasView;
  };
  /**
   * Change things of the spell on a canvas
   */
  "canvases.patch_spell": {
    request: PatchSpell;
    response: SpellView;
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
   * Complete code
   */
  "code.complete": {
    request: CodeToComplete;
    response: CompletionsView;
  };
  /**
   * Format code
   */
  "code.format": {
    request: CodeToFormat;
    response: FormattedView;
  };
  /**
   * Rename an input or output of code
   */
  "code.rename": {
    request: NameToChange;
    response: RenamedView;
  };
  /**
   * Comment on a canvas
   */
  "comments.create": {
    request: NewComment;
    response: CommentChanged;
  };
  /**
   * List the threads of a canvas
   */
  "comments.find": {
    request: FindThreads;
    response: ThreadList;
  };
  /**
   * Read a thread
   */
  "comments.get": {
    request: GetThread;
    response: Thread;
  };
  /**
   * Edit a comment
   */
  "comments.patch": {
    request: EditComment;
    response: CommentChanged;
  };
  /**
   * Say that I have read a thread
   */
  "comments.read": {
    request: ReadThreads;
    response: Done;
  };
  /**
   * Remove a comment
   */
  "comments.remove": {
    request: OneComment;
    response: Done;
  };
  /**
   * Reopen a thread
   */
  "comments.reopen": {
    request: OneComment;
    response: ThreadChanged;
  };
  /**
   * Resolve a thread
   */
  "comments.resolve": {
    request: OneComment;
    response: ThreadChanged;
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
   * Configure an external worker
   */
  "external_workers.configure": {
    request: ExternalWorkerConfig;
    response: ExternalWorkerView;
  };
  /**
   * Make an external worker
   */
  "external_workers.create": {
    request: NewExternalWorker;
    response: NewExternalWorkerView;
  };
  /**
   * Export an external worker
   */
  "external_workers.export": {
    request: ExternalWorkerId;
    response: ExternalWorkerExport;
  };
  /**
   * List external workers
   */
  "external_workers.find": {
    request: ExternalWorkersOf;
    response: ExternalWorkerList;
  };
  /**
   * Import into an external worker
   */
  "external_workers.import": {
    request: ExternalWorkerImport;
    response: ExternalWorkerView;
  };
  /**
   * Name an external worker, or give it to canvases
   */
  "external_workers.patch": {
    request: ExternalWorkerPatch;
    response: ExternalWorkerView;
  };
  /**
   * Make an external worker's token anew
   */
  "external_workers.remake": {
    request: ExternalWorkerId;
    response: NewExternalWorkerView;
  };
  /**
   * Remove an external worker
   */
  "external_workers.remove": {
    request: ExternalWorkerId;
    response: Done;
  };
  /**
   * Take an external worker away from a canvas
   */
  "external_workers.withdraw": {
    request: ExternalWorkerOnCanvas;
    response: Done;
  };
  /**
   * Grant a canvas hosts, or a secret
   */
  "grants.create": {
    request: NewGrant;
    response: GrantView;
  };
  /**
   * List what a canvas was granted
   */
  "grants.find": {
    request: CanvasId;
    response: GrantList;
  };
  /**
   * Take a grant back
   */
  "grants.remove": {
    request: GrantId;
    response: Done;
  };
  /**
   * Accept an invitation
   */
  "invitations.accept": {
    request: InvitationToken;
    response: Accepted;
  };
  /**
   * Invite somebody, or make a share link
   */
  "invitations.create": {
    request: NewInvitation;
    response: MadeInvitation;
  };
  /**
   * List a canvas's open invitations and share links
   */
  "invitations.find": {
    request: CanvasId;
    response: InvitationList;
  };
  /**
   * Make the account that an invitation is for
   */
  "invitations.join": {
    request: JoinByInvitation;
    response: Joined;
  };
  /**
   * Look at an invitation
   */
  "invitations.look": {
    request: InvitationToken;
    response: InvitationFacts;
  };
  /**
   * Make another link for an invitation
   */
  "invitations.remake": {
    request: InvitationId;
    response: MadeInvitation;
  };
  /**
   * Revoke an invitation or share link
   */
  "invitations.remove": {
    request: InvitationId;
    response: Done;
  };
  /**
   * List where I am mentioned
   */
  "mentions.find": {
    request: FindMentions;
    response: MentionList;
  };
  /**
   * Say that I have read a mention
   */
  "mentions.read": {
    request: ReadMentions;
    response: Unread;
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
   * Find what an input may be
   */
  "nodes.choices": {
    request: InputToChoose;
    response: ChoicesView;
  };
  /**
   * List the node types
   */
  "nodes.find": {
    request: LibraryOf;
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
   * Find wires that a node lacks
   */
  "nodes.suggest": {
    request: NodeToConnect;
    response: WiresView;
  };
  /**
   * Upgrade old nodes of a canvas
   */
  "nodes.upgrade": {
    request: NodesToUpgrade;
    response: UpgradesView;
  };
  /**
   * Look a spell over
   */
  "nodes.validate": {
    request: SpellToCheck;
    response: ProblemsView;
  };
  /**
   * Configure an object of a pack
   */
  "packs.configure": {
    request: ObjectConfig;
    response: InstalledPack;
  };
  /**
   * Export an object of a pack
   */
  "packs.export": {
    request: ObjectOfPack;
    response: ObjectExport;
  };
  /**
   * List a worker's packs
   */
  "packs.find": {
    request: PacksOf;
    response: InstalledPacks;
  };
  /**
   * Import into an object of a pack
   */
  "packs.import": {
    request: ObjectImport;
    response: InstalledPack;
  };
  /**
   * Install a pack
   */
  "packs.install": {
    request: PackToInstall;
    response: InstalledPack;
  };
  /**
   * Remove a pack
   */
  "packs.remove": {
    request: PackId;
    response: Done;
  };
  /**
   * Upload a pack
   */
  "packs.upload": {
    request: PackToUpload;
    response: UploadedPack;
  };
  /**
   * List the server's processes
   */
  "processes.find": {
    request: Nothing;
    response: ProcessList;
  };
  /**
   * Empty a queue
   */
  "queues.drain": {
    request: OneQueue;
    response: QueueView;
  };
  /**
   * List queues
   */
  "queues.find": {
    request: Nothing;
    response: QueueList;
  };
  /**
   * Look at a queue
   */
  "queues.get": {
    request: OneQueue;
    response: QueueView;
  };
  /**
   * Set the limits of a queue
   */
  "queues.patch": {
    request: PatchQueue;
    response: QueueView;
  };
  /**
   * Take nothing from a queue
   */
  "queues.pause": {
    request: OneQueue;
    response: QueueView;
  };
  /**
   * Open a queue again
   */
  "queues.play": {
    request: OneQueue;
    response: QueueView;
  };
  /**
   * Cancel a run
   */
  "runs.cancel": {
    request: OneRun;
    response: RunView;
  };
  /**
   * Cancel several runs
   */
  "runs.cancel_many": {
    request: CancelRuns;
    response: CancelledRuns;
  };
  /**
   * Compare two runs node by node
   */
  "runs.compare": {
    request: CompareRuns;
    response: RunComparison;
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
   * Find runs, newest first
   */
  "runs.find": {
    request: FindRuns;
    response: RunList;
  };
  /**
   * Start a run from what another one left
   */
  "runs.fork": {
    request: ForkRun;
    response: RunView;
  };
  /**
   * Read a run and what it left
   */
  "runs.get": {
    request: GetRun;
    response: RunView;
  };
  /**
   * Read what went into a node of a run
   */
  "runs.inputs": {
    request: ReadInputs;
    response: RecordedInputsView;
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
   * Try drafts of inputs while in live mode
   */
  "runs.preview": {
    request: PreviewInputs;
    response: Previewed;
  };
  /**
   * Forget a run
   */
  "runs.remove": {
    request: OneRun;
    response: Done;
  };
  /**
   * Go on with a run that was interrupted
   */
  "runs.resume": {
    request: OneRun;
    response: RunView;
  };
  /**
   * Let a paused run go on by one node
   */
  "runs.step": {
    request: OneRun;
    response: Steered;
  };
  /**
   * Read when the nodes of a run waited and ran
   */
  "runs.timeline": {
    request: ReadTimeline;
    response: RunTimeline;
  };
  /**
   * Make a test of a run
   */
  "runs.to_test": {
    request: TestOfRun;
    response: TestMade;
  };
  /**
   * Read what runs took
   */
  "runs.usage": {
    request: ReadUsage;
    response: Usage;
  };
  /**
   * List the sample spells
   */
  "samples.find": {
    request: Nothing;
    response: SampleList;
  };
  /**
   * Keep a secret
   */
  "secrets.create": {
    request: NewSecret;
    response: SecretView;
  };
  /**
   * List secrets by name
   */
  "secrets.find": {
    request: FindSecrets;
    response: SecretList;
  };
  /**
   * Remove a secret
   */
  "secrets.remove": {
    request: SecretId;
    response: Done;
  };
  /**
   * Replace a secret's value
   */
  "secrets.replace": {
    request: NewValue;
    response: SecretView;
  };
  /**
   * Run the tests of a canvas
   */
  "spell_tests.run": {
    request: RunTests;
    response: TestedSpell;
  };
  /**
   * Read a spell from a file
   */
  "spells.read": {
    request: FileToRead;
    response: SpellRead;
  };
  /**
   * Write a spell as a file
   */
  "spells.write": {
    request: SpellToWrite;
    response: SpellFile;
  };
  /**
   * Answer what a run asks
   */
  "tasks.answer": {
    request: AnswerTask;
    response: TaskView;
  };
  /**
   * Answer by a link
   */
  "tasks.answer_by_link": {
    request: AnswerByLink;
    response: Done;
  };
  /**
   * Ask somebody else
   */
  "tasks.assign": {
    request: AssignTask;
    response: TaskView;
  };
  /**
   * List what runs ask people
   */
  "tasks.find": {
    request: FindTasks;
    response: TaskList;
  };
  /**
   * Read what a run asks
   */
  "tasks.get": {
    request: OneTask;
    response: TaskView;
  };
  /**
   * Make a link by which a task can be answered
   */
  "tasks.link": {
    request: OneTask;
    response: TaskLink;
  };
  /**
   * Look at what a link asks
   */
  "tasks.look": {
    request: TaskToken;
    response: LinkedTask;
  };
  /**
   * Take a task's link back
   */
  "tasks.unlink": {
    request: OneTask;
    response: Done;
  };
  /**
   * Make a trigger
   */
  "triggers.create": {
    request: NewTrigger;
    response: MadeTrigger;
  };
  /**
   * List the triggers of a canvas
   */
  "triggers.find": {
    request: FindTriggers;
    response: TriggerList;
  };
  /**
   * Fire a trigger by hand
   */
  "triggers.fire": {
    request: FireTrigger;
    response: FiringView;
  };
  /**
   * List a trigger's firings
   */
  "triggers.firings": {
    request: ListFirings;
    response: FiringList;
  };
  /**
   * Read a trigger
   */
  "triggers.get": {
    request: OneTrigger;
    response: TriggerView;
  };
  /**
   * Change a trigger
   */
  "triggers.patch": {
    request: PatchTrigger;
    response: TriggerView;
  };
  /**
   * Tell when a trigger would be due
   */
  "triggers.preview": {
    request: PreviewTrigger;
    response: NextTimes;
  };
  /**
   * Remove a trigger
   */
  "triggers.remove": {
    request: OneTrigger;
    response: Done;
  };
  /**
   * Give a webhook another secret
   */
  "triggers.rotate": {
    request: OneTrigger;
    response: MadeTrigger;
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
  /**
   * Compare a version with another, or with the canvas as it is now
   */
  "versions.compare": {
    request: CompareVersion;
    response: Compared;
  };
  /**
   * Save a version of a canvas
   */
  "versions.create": {
    request: SaveVersion;
    response: VersionView;
  };
  /**
   * List versions of a canvas
   */
  "versions.find": {
    request: ListVersions;
    response: VersionList;
  };
  /**
   * Look at a version
   */
  "versions.get": {
    request: OneVersion;
    response: WholeVersion;
  };
  /**
   * Name a version
   */
  "versions.patch": {
    request: ChangeVersion;
    response: VersionView;
  };
  /**
   * Restore a version
   */
  "versions.restore": {
    request: OneVersion;
    response: Restored;
  };
  /**
   * Add a shared worker
   */
  "workers.create": {
    request: NewWorker;
    response: WorkerView;
  };
  /**
   * List workers
   */
  "workers.find": {
    request: WorkersOf;
    response: WorkerList;
  };
  /**
   * Look at a worker
   */
  "workers.get": {
    request: WorkerId;
    response: WorkerView;
  };
  /**
   * Read a worker's lock
   */
  "workers.lock": {
    request: WorkerId;
    response: WorkerLock;
  };
  /**
   * Read a worker's log
   */
  "workers.logs": {
    request: WorkerId;
    response: WorkerLog;
  };
  /**
   * Change a worker
   */
  "workers.patch": {
    request: ChangeWorker;
    response: WorkerView;
  };
  /**
   * Install what a worker requires
   */
  "workers.provision": {
    request: ProvisionWorker;
    response: WorkerView;
  };
  /**
   * Remove a worker
   */
  "workers.remove": {
    request: WorkerId;
    response: Done;
  };
  /**
   * Start a worker anew
   */
  "workers.restart": {
    request: WorkerId;
    response: WorkerView;
  };
  /**
   * Start a worker
   */
  "workers.start": {
    request: WorkerId;
    response: WorkerView;
  };
  /**
   * Stop a worker
   */
  "workers.stop": {
    request: WorkerId;
    response: WorkerView;
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
 * Values in workers, by what stands for them (``$handle``).
 */
export interface AskGone {
  /**
   * @maxItems 1000
   */
  handles: string[];
}
/**
 * Those of them that are there no more, each with the reason, as a step says why it runs again.
 */
export interface GoneView {
  gone: {
    [k: string]: string;
  };
}
/**
 * How much is kept. ``values`` and ``size`` (bytes) count what runs and cache entries name, of all users; values of a kilobyte and less aside.
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
  offset?: number;
  limit?: number | null;
  /**
   * A JSON Pointer to a part of the value; '' is all.
   */
  path?: string;
  /**
   * reference: large items and fields stand as {$ref, size, preview, path}.
   */
  parts?: "whole" | "reference";
  /**
   * Of a list: the field of its rows (or number of their cell) to sort by; '' is the item itself.
   */
  sort?: string | null;
  descending?: boolean;
  /**
   * Of a list: only rows that have this text in a cell; case does not matter.
   */
  filter?: string | null;
  hash: string;
}
/**
 * Part of a value. The whole is the pages from ``offset`` 0 until ``more`` is false, put together.
 */
export interface ValuePage {
  hash: string;
  /**
   * Bytes of the whole value, or of its part at path, as JSON.
   */
  size: number;
  /**
   * What a page holds: items of a list, characters of a text, fields of an object.
   */
  kind: "list" | "text" | "object" | "value";
  /**
   * Items, characters or fields of the whole; of a filtered list, those left.
   */
  total: number;
  offset: number;
  more: boolean;
  value: unknown;
  /**
   * The part of the value that this is a page of.
   */
  path: string;
  /**
   * The items' own numbers, where the list is sorted or filtered.
   */
  rows: number[] | null;
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
  /**
   * Why the user's live mode does not run: ``error`` or ``waiting``, as ``canvas.live`` tells them.
   */
  live_notice: {
    [k: string]: unknown;
  } | null;
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
 * A graph of nodes, groups and notes, and the tests that it must pass.
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
  /**
   * Packages that its code needs, by name: ``>=2,<4``, ``[extra]``, empty for any version.
   */
  requirements?: {
    /**
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$".
     */
    [k: string]: string;
  };
  /**
   * No part of what a run sees.
   */
  tests?: {
    [k: string]: SpellTest;
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
  /**
   * mute: nothing leaves it; bypass: what comes in leaves by outputs that take it.
   */
  mode?: ("mute" | "bypass") | null;
  /**
   * Outputs given by hand; where all that are wired are, the node is not run.
   */
  pins?: {
    [k: string]: JsonValue;
  };
  /**
   * Live: seconds of quiet before a change starts the node.
   */
  debounce?: number | null;
  /**
   * Live: inputs whose change does not start the node.
   */
  quiet?: string[];
  limits?: NodeLimits | null;
  body?: Body | null;
  /**
   * It runs in a process that listens to this queue.
   */
  queue?: string | null;
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
 * How often a node may be called; all that are given hold together. Times are seconds.
 *
 * ``concurrency`` calls at once; ``rate`` calls within ``per``; ``spacing``
 * between the starts of two calls; ``delay`` before each.
 */
export interface NodeLimits {
  concurrency?: number | null;
  rate?: number | null;
  per?: number;
  spacing?: number | null;
  delay?: number | null;
}
/**
 * What a node runs inside itself: the nodes of a group, another spell, or a node type. One is given.
 */
export interface Body {
  group?: string | null;
  /**
   * The id of a canvas, or a file.
   */
  spell?: string | null;
  type?: string | null;
}
/**
 * A wire from an output of ``source`` to an input of ``target``. ``transform`` is applied in order.
 */
export interface Edge {
  source: string;
  output: string;
  target: string;
  input: string;
  /**
   * @maxItems 20
   */
  transform?:
    | []
    | [Pick | Index | Default | Cast | Date]
    | [Pick | Index | Default | Cast | Date, Pick | Index | Default | Cast | Date]
    | [Pick | Index | Default | Cast | Date, Pick | Index | Default | Cast | Date, Pick | Index | Default | Cast | Date]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ]
    | [
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date,
        Pick | Index | Default | Cast | Date
      ];
}
/**
 * Take a part of an object or list, by a path like ``rows[0].name``.
 */
export interface Pick {
  op: "pick";
  path: string;
}
/**
 * Take one item of a list; negative counts from its end.
 */
export interface Index {
  op: "index";
  index: number;
}
/**
 * Put ``value`` in the place of null, and of nothing.
 */
export interface Default {
  op: "default";
  value?: JsonValue;
}
/**
 * Make another type of a value.
 */
export interface Cast {
  op: "cast";
  to: "string" | "number" | "integer" | "boolean" | "list" | "object";
}
/**
 * Read a date or time; ``format`` as ``strptime`` has it, ISO 8601 without. It gives ISO 8601.
 */
export interface Date {
  op: "date";
  format?: string | null;
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
  /**
   * Drawn as one box.
   */
  collapsed?: boolean;
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
 * One test of a spell.
 *
 * ::
 *
 *     {"name": "adds up", "inputs": {"rows.value": [1, 2]},
 *      "record": {"ask": {"outputs": {"answer": "four"}}},
 *      "expect": {"sum": {"outputs": {"value": {"op": "equals", "value": 3}}}}}
 *
 * ``record``: nodes that are not called, with what stands for them. What is
 * expected is run with all it needs; a test that expects nothing runs the
 * whole spell, and no node may fail. ``timeout`` is seconds. ``live``: nodes
 * that have side effects or cost money, and are not recorded, are called.
 */
export interface SpellTest {
  name?: string;
  inputs?: {
    [k: string]: JsonValue;
  };
  record?: {
    [k: string]: Recorded;
  };
  expect?: {
    [k: string]: Expectation;
  };
  timeout?: number | null;
  live?: boolean;
}
/**
 * What stands for a node's call: its outputs, or that it failed. One is given.
 */
export interface Recorded {
  outputs?: {
    [k: string]: JsonValue;
  } | null;
  failure?: RecordedFailure | null;
}
/**
 * A failure that stands for a node's call.
 */
export interface RecordedFailure {
  code?: string;
  message?: string;
}
/**
 * How a node must have ended, and what must hold of its outputs. ``code`` is that of its failure.
 */
export interface Expectation {
  status?: "done" | "failed" | "skipped";
  code?: string | null;
  outputs?: {
    [k: string]: Equals | Matches | Contains | OfType | Length;
  };
}
/**
 * The output equals ``value`` as JSON does: 1 is 1.0, and no true. ``tolerance``: numbers may differ by so much.
 */
export interface Equals {
  path?: string | null;
  op: "equals";
  value: JsonValue;
  tolerance?: number | null;
}
/**
 * The output is what the JSON Schema in ``value`` says.
 */
export interface Matches {
  path?: string | null;
  op: "matches";
  value: {
    [k: string]: JsonValue;
  };
}
/**
 * ``value`` is in the output: a text in a text, an item in a list, fields (with these values) in an object.
 */
export interface Contains {
  path?: string | null;
  op: "contains";
  value: JsonValue;
}
/**
 * The output is of this JSON type.
 */
export interface OfType {
  path?: string | null;
  op: "type";
  value: "string" | "number" | "integer" | "boolean" | "array" | "object" | "null";
}
/**
 * The output, a text, list or object, has so many characters, items or fields.
 */
export interface Length {
  path?: string | null;
  op: "length";
  value: number;
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
 * The canvas meant, and the form in which to get what is drawn on it.
 */
export interface SpellAs {
  id: string;
  as?: ("json" | "yaml" | "manifest" | "ir" | "python") | null;
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
  /**
   * The worker that its code runs in; null is the canvas's own.
   */
  worker?: string | null;
}
/**
 * A canvas, and what to change of the spell on it.
 */
export interface PatchSpell {
  schema?: 1;
  name?: string | null;
  nodes?: {
    /**
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[A-Za-z0-9_-]+$".
     */
    [k: string]: Node | null;
  };
  edges?: {
    /**
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[A-Za-z0-9_-]+$".
     */
    [k: string]: Edge | null;
  };
  groups?: {
    /**
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[A-Za-z0-9_-]+$".
     */
    [k: string]: Group | null;
  };
  notes?: {
    /**
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[A-Za-z0-9_-]+$".
     */
    [k: string]: Note | null;
  };
  requirements?: {
    /**
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$".
     */
    [k: string]: string | null;
  };
  tests?: {
    /**
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[A-Za-z0-9_-]+$".
     */
    [k: string]: SpellTest | null;
  };
  id: string;
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
 * The code of a node as it is being written, and where the cursor stands: both count from 1, columns characters.
 */
export interface CodeToComplete {
  canvas: string;
  node: string;
  code: string;
  line: number;
  column: number;
}
/**
 * What may be written in the place of the ``length`` characters before the cursor, the best first.
 */
export interface CompletionsView {
  items: CompletionView[];
  length: number;
  /**
   * A later question of yours took the place of this one.
   */
  superseded: boolean;
}
/**
 * Something that may be written; ``kind`` is ``variable``, ``function``, ``property``, ... .
 */
export interface CompletionView {
  label: string;
  kind: string;
  detail: string;
}
/**
 * Code in a language.
 */
export interface CodeToFormat {
  language: "python" | "typescript";
  code: string;
}
/**
 * The code as the language's formatter writes it.
 */
export interface FormattedView {
  code: string;
  changed: boolean;
}
/**
 * An input or output of a node's code, and what it is to be called wherever it is read by name.
 */
export interface NameToChange {
  canvas: string;
  node: string;
  name: string;
  to: string;
  /**
   * Edit nothing: the caller makes the edit, which its undo takes back.
   */
  preview?: boolean;
}
/**
 * The nodes whose code was edited, or would be: their code, and the ends of wires, that are others then.
 */
export interface RenamedView {
  nodes: string[];
  /**
   * The new name, as it is written in code.
   */
  name: string;
  code: {
    [k: string]: string;
  };
  edges: {
    [k: string]: WireEnds;
  };
}
/**
 * The ports between which a wire lies.
 */
export interface WireEnds {
  output: string;
  input: string;
}
/**
 * A reply in ``thread``, or the first comment of a thread at a ``node`` or at a place.
 */
export interface NewComment {
  canvas: string;
  /**
   * 32 hexadecimal digits; sent again, they make no second comment.
   */
  id?: string | null;
  /**
   * Markdown. `@[NAME](user:ID)` mentions the user of that id.
   */
  text: string;
  thread?: string | null;
  node?: string | null;
  /**
   * The place; with a node, where that is (read from the canvas if left out).
   */
  at?: [unknown, unknown] | null;
}
/**
 * A comment as it is now, and its thread.
 */
export interface CommentChanged {
  thread: ThreadView;
  comment: CommentView;
}
/**
 * A thread: where it is, how it begins and how far it went. Its id is its first comment's.
 */
export interface ThreadView {
  id: string;
  canvas: string;
  author: PersonView;
  /**
   * The node it is at; it may be gone.
   */
  node: string | null;
  /**
   * Where it is; for a node, where that was last.
   *
   * @minItems 2
   * @maxItems 2
   */
  at: [unknown, unknown];
  /**
   * The first 280 characters of the first comment.
   */
  excerpt: string;
  created_at: number;
  /**
   * When its latest comment was made.
   */
  last_at: number;
  /**
   * Comments in it, the first one too.
   */
  count: number;
  resolved_at: number | null;
  resolved_by: PersonView | null;
}
/**
 * Somebody, by the name they have now.
 */
export interface PersonView {
  id: string;
  name: string;
}
/**
 * A comment. ``mentions`` has the names that mentioned people have now, by user id.
 */
export interface CommentView {
  id: string;
  thread: string;
  author: PersonView;
  text: string;
  created_at: number;
  edited_at: number | null;
  mentions: {
    [k: string]: string;
  };
}
/**
 * Threads of a canvas.
 */
export interface FindThreads {
  canvas: string;
  state?: "open" | "resolved" | "all";
  limit?: number;
  /**
   * The `next` of the page before.
   */
  after?: string | null;
}
/**
 * Threads, the latest begun first.
 */
export interface ThreadList {
  items: ThreadView[];
  /**
   * Until when the caller has read each, by thread.
   */
  read: {
    [k: string]: number;
  };
  /**
   * Ask for more with `after` = this.
   */
  next: string | null;
}
/**
 * The thread of a comment, whichever of its comments that is.
 */
export interface GetThread {
  canvas: string;
  id: string;
  limit?: number;
  /**
   * The `next` of the page before.
   */
  after?: string | null;
}
/**
 * A thread with comments of it, oldest first.
 */
export interface Thread {
  thread: ThreadView;
  comments: CommentView[];
  /**
   * Ask for more with `after` = this.
   */
  next: string | null;
}
/**
 * Another text for a comment of one's own.
 */
export interface EditComment {
  canvas: string;
  id: string;
  /**
   * Markdown. `@[NAME](user:ID)` mentions the user of that id.
   */
  text: string;
}
/**
 * The thread that was read; all of the canvas without one.
 */
export interface ReadThreads {
  canvas: string;
  thread?: string | null;
}
/**
 * A comment of a canvas.
 */
export interface OneComment {
  canvas: string;
  id: string;
}
/**
 * A thread as it is now.
 */
export interface ThreadChanged {
  thread: ThreadView;
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
   * With snapshot_required: the stream's newest runs, whose outputs stand in for the events.
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
        | "run.resumed"
        | "node.queued"
        | "node.started"
        | "node.progress"
        | "node.log"
        | "node.chunk"
        | "node.done"
        | "node.failed"
        | "node.skipped"
        | "node.preview"
        | "node.waiting"
        | "run.completed"
        | "run.failed"
        | "run.cancelled"
      )
    | ("node.hidden" | "run.removed");
  /**
   * Unix seconds.
   */
  at: number;
  /**
   * Its id; of a node inside others its path: sub/inner, map[3]/inner.
   */
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
   * Why the node ran, or what it did not run for: cached, pinned, muted.
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
   * run.started: {nodes, user, mode, audience, scope, reach, children: {canvas: number of its last edit}}. node.waiting: {for: limit, stream, wait or debounce; until?: Unix seconds}. node.log: {left_out: lines beyond what is kept of a node}, where that is what it says. The run's last event: {status, order, failed, skipped, hashes: {node: {port: hash}}, superseded?}.
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
  status: "queued" | "running" | "paused" | "waiting" | "completed" | "failed" | "cancelled" | "interrupted";
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
  /**
   * It goes on by itself after a crash.
   */
  durable: boolean;
  /**
   * The queue it waits in, or came from.
   */
  queue: string | null;
  /**
   * Higher ones leave their queue first.
   */
  priority: number;
  /**
   * It waits in its queue until then: a delay, or a retry.
   */
  not_before: number | null;
  /**
   * By then it must have ended.
   */
  deadline: number | null;
  /**
   * Lists only: what who runs it is called.
   */
  user_name: string | null;
  /**
   * Lists only: how many of its nodes failed, once it has ended.
   */
  failed_nodes: number | null;
  /**
   * Lists only: how many runs leave its queue before it, while it waits there; null beyond 1,000.
   */
  ahead: number | null;
  /**
   * While it has not ended, and has begun; where another process carries it, as of some seconds ago.
   */
  progress: RunProgress | null;
  /**
   * Which attempt this is; from 1.
   */
  attempt: number;
  /**
   * The trigger that started it.
   */
  trigger: string | null;
  /**
   * The run whose outputs it began with.
   */
  forked_from: string | null;
  /**
   * The run that placed it on its queue, as the call of a node.
   */
  parent: string | null;
  /**
   * runs.create: it was there already, with the same dedupe_key; no other was made.
   */
  deduplicated: boolean;
  /**
   * The canvases that it ran inside itself: {canvas: number of the last edit in it}.
   */
  children: {
    [k: string]: number;
  };
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
   * {node: {port: hash of the value}}; `cache.value` gives those over a kilobyte
   */
  hashes: {
    [k: string]: {
      [k: string]: string;
    };
  };
  /**
   * What nodes reported of tokens, those inside nodes too, once it has ended; most first.
   */
  usage: TokensView[];
  /**
   * Of the values that stayed in workers ($handle), those that are there no more: {handle: why}.
   */
  gone: {
    [k: string]: string;
  };
  /**
   * The spell as it ran; runs.get gives it.
   */
  spell: {
    [k: string]: unknown;
  } | null;
}
/**
 * How far a run is that has not ended. What runs inside its nodes does not count.
 */
export interface RunProgress {
  /**
   * Nodes that are done, failed or skipped.
   */
  ended: number;
  total: number;
  /**
   * The one under way that last said how far it is.
   */
  node: string | null;
  /**
   * How far that is: 0 to 1, where it knows.
   */
  value: number | null;
  message: string | null;
}
/**
 * Tokens of one type of node at one model, as the provider counted them.
 */
export interface TokensView {
  /**
   * Of the node; null where further ones are put together.
   */
  type: string | null;
  provider: string | null;
  model: string | null;
  calls: number;
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}
/**
 * A configuration; secrets that it leaves out stay as they are.
 */
export interface ExternalWorkerConfig {
  id: string;
  config: {
    [k: string]: JsonValue;
  };
}
/**
 * An external worker. ``config`` and what follows are for its owner and administrators.
 */
export interface ExternalWorkerView {
  id: string;
  name: string;
  kind: "external";
  owner: string;
  /**
   * Stopped: it is not connected. Failed: what it says of itself cannot be used.
   */
  state: "ready" | "busy" | "stopped" | "failed";
  reason: string | null;
  /**
   * Calls under way.
   */
  busy: number;
  /**
   * {name, title, version} of what it brings.
   */
  pack: {
    [k: string]: string;
  } | null;
  types: string[];
  /**
   * Who gave it to the canvas that was asked for.
   */
  given_by: string | null;
  /**
   * Those it was given to.
   */
  canvases: string[] | null;
  config_schema: {
    [k: string]: unknown;
  } | null;
  /**
   * Without its secrets.
   */
  config: {
    [k: string]: unknown;
  } | null;
  /**
   * Fields of the configuration that are never told, as a.b.
   */
  secrets: string[] | null;
  created_at: number;
  last_seen_at: number | null;
}
/**
 * What people call it.
 */
export interface NewExternalWorker {
  name: string;
}
/**
 * A worker, with the token by which it connects: it is shown this once.
 */
export interface NewExternalWorkerView {
  id: string;
  name: string;
  kind: "external";
  owner: string;
  /**
   * Stopped: it is not connected. Failed: what it says of itself cannot be used.
   */
  state: "ready" | "busy" | "stopped" | "failed";
  reason: string | null;
  /**
   * Calls under way.
   */
  busy: number;
  /**
   * {name, title, version} of what it brings.
   */
  pack: {
    [k: string]: string;
  } | null;
  types: string[];
  /**
   * Who gave it to the canvas that was asked for.
   */
  given_by: string | null;
  /**
   * Those it was given to.
   */
  canvases: string[] | null;
  config_schema: {
    [k: string]: unknown;
  } | null;
  /**
   * Without its secrets.
   */
  config: {
    [k: string]: unknown;
  } | null;
  /**
   * Fields of the configuration that are never told, as a.b.
   */
  secrets: string[] | null;
  created_at: number;
  last_seen_at: number | null;
  token: string;
  /**
   * What to run where the worker is to be.
   */
  command: string;
}
/**
 * The worker meant.
 */
export interface ExternalWorkerId {
  id: string;
}
/**
 * What a worker is, without secrets: ``secrets`` names what must be given anew where it is imported.
 */
export interface ExternalWorkerExport {
  name: string;
  pack: {
    [k: string]: string;
  };
  config: {
    [k: string]: unknown;
  };
  secrets: string[];
  state: JsonValue;
}
/**
 * Of which canvas; without one, all of one's own.
 */
export interface ExternalWorkersOf {
  canvas?: string | null;
}
/**
 * External workers, the oldest first.
 */
export interface ExternalWorkerList {
  items: ExternalWorkerView[];
}
/**
 * A configuration, with the secrets that are to change, and the state that was exported.
 */
export interface ExternalWorkerImport {
  id: string;
  config: {
    [k: string]: JsonValue;
  };
  state?: JsonValue;
}
/**
 * Another name, or the canvases that it is given to (all of them).
 */
export interface ExternalWorkerPatch {
  id: string;
  name?: string | null;
  canvases?: string[] | null;
}
/**
 * A worker that a canvas was given.
 */
export interface ExternalWorkerOnCanvas {
  id: string;
  canvas: string;
}
/**
 * Hosts to reach: ``api.example.org`` (port 443), ``example.org:80``, ``*.example.org:8443``, ``10.0.0.5:5432``.
 *
 * With ``secret``, the id of a secret of one's own or of the canvas: where that secret may go.
 */
export interface NewGrant {
  id: string;
  /**
   * @minItems 1
   * @maxItems 32
   */
  hosts: [string, ...string[]];
  secret?: string | null;
}
/**
 * A grant. With ``secret`` the secret of that name may go to ``hosts``; without, code may connect to them.
 */
export interface GrantView {
  id: string;
  hosts: string[];
  secret: string | null;
  /**
   * Id of the user who gave it.
   */
  by: string | null;
  created_at: number;
}
/**
 * A canvas's grants, the oldest first; ``may_grant``: whether the caller may give and take them.
 */
export interface GrantList {
  items: GrantView[];
  may_grant: boolean;
}
/**
 * The canvas, and one of its grants.
 */
export interface GrantId {
  id: string;
  grant: string;
}
/**
 * What the invitation's address ends with.
 */
export interface InvitationToken {
  token: string;
}
/**
 * Where the invitation leads, and what one is there.
 */
export interface Accepted {
  /**
   * Id of the canvas.
   */
  canvas: string;
  role: "viewer" | "runner" | "editor" | "owner";
}
/**
 * Somebody to invite, or, without ``email``, a share link to make.
 */
export interface NewInvitation {
  id: string;
  role: "viewer" | "runner" | "editor" | "owner";
  email?: string | null;
  /**
   * Seconds a share link is good; None: for ever.
   */
  expires_in?: number | null;
}
/**
 * ``member``: they had an account and are a member now. Else the invitation, and its ``link``, shown this once.
 */
export interface MadeInvitation {
  /**
   * Email address of the new member.
   */
  member: string | null;
  invitation: InvitationView | null;
  link: string | null;
}
/**
 * An open invitation (with ``email``) or share link (without), as owners see it.
 *
 * ``void``: the person who made it may not invite any more, so it lets nobody in.
 */
export interface InvitationView {
  id: string;
  role: "viewer" | "runner" | "editor" | "owner";
  email: string | null;
  /**
   * Name of the person who made it.
   */
  by: string;
  created_at: number;
  /**
   * None: it does not expire.
   */
  expires_at: number | null;
  /**
   * How many people it let in.
   */
  uses: number;
  state: "open" | "expired" | "void";
}
/**
 * What is open, the newest first.
 */
export interface InvitationList {
  items: InvitationView[];
  /**
   * Whether the caller may invite people without an account.
   */
  new_people: boolean;
}
/**
 * A name and a password for the new account; the address is the invitation's.
 */
export interface JoinByInvitation {
  token: string;
  name: string;
  password: string;
}
/**
 * Signed in with the new account, and a member of ``canvas`` (its id).
 */
export interface Joined {
  access_token: string;
  token_type: string;
  expires_in: number;
  user: UserView;
  canvas: string;
}
/**
 * What an invitation is for.
 */
export interface InvitationFacts {
  /**
   * Name of the canvas.
   */
  canvas: string;
  role: "viewer" | "runner" | "editor" | "owner";
  /**
   * Name of the person who invites.
   */
  by: string;
  /**
   * Whom it is for; None: for anybody with an account.
   */
  email: string | null;
  /**
   * Whether accepting makes the account: there is none yet.
   */
  account_needed: boolean;
  expires_at: number | null;
}
/**
 * The canvas, and one of its invitations.
 */
export interface InvitationId {
  id: string;
  invitation: string;
}
/**
 * A page of one's mentions.
 */
export interface FindMentions {
  limit?: number;
  /**
   * The `next` of the page before.
   */
  after?: string | null;
}
/**
 * The caller's mentions, those not read first, then the latest.
 */
export interface MentionList {
  items: MentionView[];
  unread: number;
  /**
   * Ask for more with `after` = this.
   */
  next: string | null;
}
/**
 * Somebody mentioned the caller.
 */
export interface MentionView {
  comment: string;
  thread: string;
  canvas: string;
  canvas_name: string;
  author: PersonView;
  excerpt: string;
  created_at: number;
  read_at: number | null;
}
/**
 * The mention that was read, by its comment; all without one.
 */
export interface ReadMentions {
  comment?: string | null;
}
/**
 * How many mentions the caller has not read.
 */
export interface Unread {
  unread: number;
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
 * A node, and one of its inputs.
 */
export interface InputToChoose {
  node: Node;
  port: string;
  /**
   * With the packs of this canvas's worker, too; without it, those of the server.
   */
  canvas?: string | null;
}
/**
 * The values that an input (of a list: its items) may have; none where any value may do.
 */
export interface ChoicesView {
  choices: unknown[];
}
/**
 * Whose library.
 */
export interface LibraryOf {
  /**
   * With the packs of this canvas's worker, too; without it, those of the server.
   */
  canvas?: string | null;
}
/**
 * Every node type, by id; ``problems`` says which packs did not load, and why.
 */
export interface LibraryView {
  items: {
    [k: string]: unknown;
  }[];
  /**
   * Versions before the newest, by id.
   */
  older: {
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
  /**
   * With the packs of this canvas's worker, too; without it, those of the server.
   */
  canvas?: string | null;
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
 * A node of a canvas that wires are wanted for: from ``source``, else from the nodes before it.
 */
export interface NodeToConnect {
  canvas: string;
  node: string;
  source?: string | null;
}
/**
 * Wires worth drawing, as a spell has them; nothing is drawn.
 */
export interface WiresView {
  wires: {
    [k: string]: unknown;
  }[];
}
/**
 * Nodes of a canvas to bring to the newest versions of their types; all old ones unless named.
 */
export interface NodesToUpgrade {
  canvas: string;
  nodes?: string[] | null;
}
/**
 * What became of each old node: {node, type, version, newest, wires?}; of those that stay as they are, with reason.
 */
export interface UpgradesView {
  upgraded: {
    [k: string]: unknown;
  }[];
  failed: {
    [k: string]: unknown;
  }[];
}
/**
 * A spell to look over.
 */
export interface SpellToCheck {
  spell: Spell;
  /**
   * With the packs of this canvas's worker, too; without it, those of the server.
   */
  canvas?: string | null;
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
 * A configuration; secrets that it leaves out stay as they are.
 */
export interface ObjectConfig {
  id: string;
  /**
   * PACK.OBJECT
   */
  object: string;
  config: {
    [k: string]: JsonValue;
  };
}
/**
 * A distribution in a worker's environment that brings packs.
 */
export interface InstalledPack {
  id: string;
  worker: string;
  distribution: string;
  /**
   * The versions asked for; empty for any.
   */
  specifier: string;
  /**
   * SHA-256 of the wheel, where it was uploaded.
   */
  file: string | null;
  file_name: string | null;
  /**
   * What was installed.
   */
  version: string | null;
  /**
   * The hashes that its files may have: those of that version when it was installed.
   */
  sha256: string[];
  state: "installing" | "ready" | "failed";
  /**
   * Why it failed.
   */
  reason: string | null;
  /**
   * Of its import, where that failed.
   */
  traceback: string | null;
  packs: PackOf[];
  objects: PackObject[];
  /**
   * Node types that cannot be used from a worker, and why.
   */
  left_out: {
    [k: string]: string;
  };
  installed_by: string | null;
  created_at: number;
}
/**
 * A pack that an installed distribution brings.
 */
export interface PackOf {
  name: string;
  title: string;
  version: string;
  /**
   * How many node types.
   */
  nodes: number;
}
/**
 * An object that lives in the worker's process. Its configuration is for those who may change the worker.
 */
export interface PackObject {
  /**
   * PACK.OBJECT
   */
  name: string;
  title: string;
  config_schema: {
    [k: string]: unknown;
  } | null;
  /**
   * Without its secrets.
   */
  config: {
    [k: string]: unknown;
  } | null;
  /**
   * Fields of the configuration that are never told, as a.b.
   */
  secrets: string[] | null;
}
/**
 * An object of an installed pack.
 */
export interface ObjectOfPack {
  id: string;
  /**
   * PACK.OBJECT
   */
  object: string;
}
/**
 * What an object is, without secrets: ``secrets`` names what must be given anew where it is imported.
 */
export interface ObjectExport {
  object: string;
  config: {
    [k: string]: unknown;
  };
  secrets: string[];
  state: JsonValue;
}
/**
 * Of which worker: that of a canvas, or by its id.
 */
export interface PacksOf {
  canvas?: string | null;
  worker?: string | null;
}
/**
 * A worker's packs, by distribution.
 */
export interface InstalledPacks {
  worker: string;
  items: InstalledPack[];
}
/**
 * A configuration and state that were exported, with the secrets that are to change.
 */
export interface ObjectImport {
  id: string;
  /**
   * PACK.OBJECT
   */
  object: string;
  config: {
    [k: string]: JsonValue;
  };
  state?: JsonValue;
}
/**
 * A pack from an index by its name and versions, or the uploaded wheel of that hash.
 */
export interface PackToInstall {
  canvas?: string | null;
  worker?: string | null;
  distribution?: string | null;
  specifier?: string;
  /**
   * What is installed must have this hash, wherever it comes from.
   */
  sha256?: string | null;
  file?: string | null;
}
/**
 * The installed pack meant.
 */
export interface PackId {
  id: string;
}
/**
 * A wheel, as base64, for the worker that it is meant for.
 */
export interface PackToUpload {
  canvas?: string | null;
  worker?: string | null;
  /**
   * The file's name.
   */
  name: string;
  /**
   * The bytes, in base64.
   */
  data: string;
}
/**
 * A wheel that is kept, to be installed by its hash.
 */
export interface UploadedPack {
  /**
   * Its SHA-256.
   */
  file: string;
  name: string;
  distribution: string;
  version: string;
  size: number;
}
/**
 * The processes that are alive.
 */
export interface ProcessList {
  items: ProcessView[];
}
/**
 * A server process on this database.
 */
export interface ProcessView {
  id: string;
  name: string;
  /**
   * Those it takes runs from; null is all.
   */
  queues: string[] | null;
  started_at: number;
  /**
   * Its last sign of life, by the database's clock.
   */
  beat_at: number;
}
/**
 * A queue by its name; any name is one.
 */
export interface OneQueue {
  name: string;
}
/**
 * A queue as it stands. To others than administrators the figures are of their own runs.
 */
export interface QueueView {
  name: string;
  /**
   * paused: nothing is taken from it; draining: nothing is added, what waits is carried.
   */
  state: "open" | "paused" | "draining";
  waiting: number;
  /**
   * Runs that wait for their time: a delay, or another attempt.
   */
  delayed: number;
  running: number;
  concurrency: number | null;
  per_process: number | null;
  rate: Rate | null;
  /**
   * Those that take runs from it now.
   */
  processes: ProcessName[];
  /**
   * When the oldest that waits was queued.
   */
  oldest_at: number | null;
  started_last_minute: number;
}
/**
 * At most ``count`` runs are begun in any ``seconds``.
 */
export interface Rate {
  count: number;
  seconds: number;
}
/**
 * A process that takes runs from a queue.
 */
export interface ProcessName {
  id: string;
  name: string;
}
/**
 * The queues that were set up, or have runs.
 */
export interface QueueList {
  items: QueueView[];
}
/**
 * What is to hold for a queue; what is left out stays, null is no limit.
 */
export interface PatchQueue {
  name: string;
  /**
   * Runs that go at once, in all processes together.
   */
  concurrency?: number | null;
  /**
   * Runs that go at once in each process.
   */
  per_process?: number | null;
  rate?: Rate | null;
}
/**
 * A run by its id.
 */
export interface OneRun {
  id: string;
}
/**
 * Which runs to end: all that all of these fit.
 */
export interface CancelRuns {
  canvas?: string | null;
  queue?: string | null;
  ids?: string[] | null;
  status?: ("queued" | "running" | "paused" | "waiting")[] | null;
}
/**
 * How many runs were ended, or will be within a second.
 */
export interface CancelledRuns {
  cancelled: number;
}
/**
 * Two runs: `id` is the one before, `other` the one after.
 */
export interface CompareRuns {
  id: string;
  other: string;
}
/**
 * Two runs, node by node in graph order, and what differs between the spells that they ran.
 */
export interface RunComparison {
  before: RunView;
  after: RunView;
  nodes: NodeComparison[];
  changes: Change[];
}
/**
 * A node in both runs. Same: it came to the same end with the same values, however long it took.
 */
export interface NodeComparison {
  node: string;
  name: string | null;
  type: string | null;
  what: "same" | "changed" | "before" | "after";
  before: ComparedNode | null;
  after: ComparedNode | null;
  ports: ComparedPort[];
  /**
   * Inputs that were typed in, wired or brought otherwise.
   */
  inputs_changed: string[];
  code_changed: boolean;
  settings_changed: boolean;
}
/**
 * What a node did in one of two runs.
 */
export interface ComparedNode {
  status: "open" | "done" | "cached" | "kept" | "pinned" | "muted" | "bypassed" | "failed" | "skipped" | "cancelled";
  why: string | null;
  /**
   * Seconds.
   */
  duration: number | null;
  /**
   * How often it was called.
   */
  attempts: number;
  error: {
    [k: string]: unknown;
  } | null;
  /**
   * Why it was left out.
   */
  skipped: string | null;
}
/**
 * What two runs left on a port; null where one left nothing.
 */
export interface ComparedPort {
  port: string;
  equal: boolean;
  before: Left | null;
  after: Left | null;
}
/**
 * A value that a run left on a port.
 */
export interface Left {
  hash: string;
  /**
   * Bytes of its JSON.
   */
  size: number;
  /**
   * The value where it is small, else {$ref, size, preview}; null where it is not kept any more.
   */
  value: unknown;
}
/**
 * A thing that is not the same in both spells, with what it is called in the one that has it.
 */
export interface Change {
  kind: "nodes" | "edges" | "groups" | "notes" | "requirements" | "tests";
  id: string;
  what: "added" | "removed" | "changed" | "moved";
  /**
   * Of an edge ``source.output -> target.input``.
   */
  name: string | null;
  /**
   * The node type, of a node.
   */
  type: string | null;
  /**
   * Of what was changed or moved.
   */
  fields: FieldChange[];
}
/**
 * A field that differs. ``before`` or ``after`` is None where it was not there.
 *
 * A text has ``lines`` in their place: those that differ, with CONTEXT equal
 * ones around them; where the numbers jump, equal lines are left out.
 */
export interface FieldChange {
  /**
   * ``code``, ``inputs.NAME``, ``settings.NAME``, ``position`` ...
   */
  field: string;
  before: JsonValue;
  after: JsonValue;
  lines: Line[] | null;
  /**
   * Further lines that are not listed.
   */
  cut: number;
}
/**
 * A line of a text, with its numbers (from 1) in the text before and in the one after.
 */
export interface Line {
  op: "same" | "removed" | "added";
  text: string;
  before: number | null;
  after: number | null;
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
   * Run these nodes and what their reach takes in.
   */
  scope?: string[] | null;
  /**
   * With scope. needed: they and all they need; only: just they; onward: they and all that depends on them. What only and onward leave out stands as the last run left it.
   */
  reach?: "needed" | "only" | "onward";
  /**
   * Seconds the run may take, waits and pauses included; the server may allow less.
   */
  timeout?: number | null;
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
  /**
   * It waits there for a process; then it is durable.
   */
  queue?: string | null;
  /**
   * Higher ones leave the queue first.
   */
  priority?: number;
  /**
   * Seconds that it waits at least.
   */
  delay?: number;
  /**
   * Unix seconds; if it has not ended by then, it ends as deadline_exceeded.
   */
  deadline?: number | null;
  /**
   * Where a run with it has not ended in the queue, that one is the answer. Keys that begin with @ are the server's own.
   */
  dedupe_key?: string | null;
  /**
   * What becomes of it where nodes fail that may be tried again.
   */
  retry?: Retrying | null;
}
/**
 * How often a run is tried in all, and how long it waits in between.
 */
export interface Retrying {
  attempts: number;
  /**
   * Seconds before the second attempt; doubled each time.
   */
  backoff?: number;
  max_backoff?: number;
}
/**
 * Events of a run after a number.
 */
export interface ReadEvents {
  id: string;
  after_seq?: number;
  limit?: number;
  /**
   * The path of a node, like sub/inner or map[3]; what it runs inside itself is meant, too. Not for following.
   */
  node?: string | null;
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
 * Runs of a canvas, or without one the caller's own; newest first. What is left out does not matter.
 */
export interface FindRuns {
  canvas?: string | null;
  status?:
    ("queued" | "running" | "paused" | "waiting" | "completed" | "failed" | "cancelled" | "interrupted")[] | null;
  /**
   * Only runs that failed or in which a node did; false: only runs that ended and nothing in them did.
   */
  failed?: boolean | null;
  queue?: string | null;
  trigger?: string | null;
  forked_from?: string | null;
  /**
   * The calls of nodes that this run placed on queues; without it, or a queue, none of these are given.
   */
  parent?: string | null;
  /**
   * Only runs of this user.
   */
  user?: string | null;
  /**
   * Only runs with this in the ids, names, codes or messages of nodes that failed, in the name of who ran it, of its queue or of its trigger, or whose id begins so (6 characters or more). Case does not matter.
   */
  search?: string | null;
  /**
   * Without a canvas: of everybody, for administrators.
   */
  all?: boolean;
  /**
   * Only runs created then (Unix seconds) or later.
   */
  since?: number | null;
  /**
   * Only runs created before this time (Unix seconds).
   */
  before?: number | null;
  /**
   * The `next` of the page before.
   */
  after?: string | null;
  limit?: number;
}
/**
 * Runs, without what their nodes left.
 */
export interface RunList {
  items: RunView[];
  /**
   * Give it as `after` for the next page; null at the end.
   */
  next: string | null;
}
/**
 * A run of one's own that begins with what another one left.
 */
export interface ForkRun {
  id: string;
  /**
   * Run these nodes again (ids, or paths like sub/inner and map[3]/inner), and all that depends on them; unless said, what failed or did not end.
   */
  from?: [string, ...string[]] | null;
  /**
   * Inputs to run with in the place of those then: {'NODE.PORT': value}. Who reads them runs again.
   */
  inputs?: {
    [k: string]: JsonValue;
  } | null;
  /**
   * now: the canvas as it is; nodes that are others than then run again.
   */
  spell?: "then" | "now";
  /**
   * Seconds to wait for the run to end before answering.
   */
  wait?: number | null;
  durable?: boolean;
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
 * A node of a run.
 */
export interface ReadInputs {
  id: string;
  /**
   * Its id, or its path in a nested run: sub/inner, map[3]/inner.
   */
  node: string;
}
/**
 * What a node was given. An input that nothing came to is in neither map.
 */
export interface RecordedInputsView {
  run: string;
  node: string;
  /**
   * {port: value}; a large one is {$ref, size, preview}.
   */
  inputs: {
    [k: string]: unknown;
  };
  /**
   * {port: why what it was given cannot be told any more}.
   */
  not_kept: {
    [k: string]: string;
  };
}
/**
 * A page of what a run left on one port.
 */
export interface ReadOutput {
  offset?: number;
  limit?: number | null;
  /**
   * A JSON Pointer to a part of the value; '' is all.
   */
  path?: string;
  /**
   * reference: large items and fields stand as {$ref, size, preview, path}.
   */
  parts?: "whole" | "reference";
  /**
   * Of a list: the field of its rows (or number of their cell) to sort by; '' is the item itself.
   */
  sort?: string | null;
  descending?: boolean;
  /**
   * Of a list: only rows that have this text in a cell; case does not matter.
   */
  filter?: string | null;
  id: string;
  /**
   * Its id, or its path in a nested run.
   */
  node: string;
  port: string;
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
 * Drafts of inputs of a canvas, as while somebody types.
 */
export interface PreviewInputs {
  canvas: string;
  /**
   * {'NODE.PORT': value}; NODE is an id or name.
   */
  inputs: {
    [k: string]: JsonValue;
  };
}
/**
 * What cheap nodes give for the drafts, by node and port; large values are left out.
 */
export interface Previewed {
  outputs: {
    [k: string]: {
      [k: string]: JsonValue;
    };
  };
}
/**
 * The timeline of a run, nodes that others run among them.
 */
export interface ReadTimeline {
  id: string;
  /**
   * Only this node, by its path, and what it runs inside itself.
   */
  node?: string | null;
  /**
   * false: only the nodes of the spell itself.
   */
  nested?: boolean;
  offset?: number;
  limit?: number;
}
/**
 * Rows in the order in which nodes began; those inside a node follow it.
 */
export interface RunTimeline {
  run: string;
  status: "queued" | "running" | "paused" | "waiting" | "completed" | "failed" | "cancelled" | "interrupted";
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  /**
   * Those of the run itself: queued, then each attempt.
   */
  spans: SpanView[];
  nodes: TimelineNode[];
  /**
   * Rows of all pages.
   */
  total: number;
  more: boolean;
  /**
   * false: the run said so much that its last events are left out.
   */
  complete: boolean;
}
/**
 * A stretch of time in one state (Unix seconds); ``end`` is null while it goes on.
 */
export interface SpanView {
  state: "queued" | "waiting" | "running";
  start: number;
  end: number | null;
  /**
   * waiting: limit, stream, wait, debounce, person; the server may know others.
   */
  waits_for: string | null;
  /**
   * waiting: when it goes on, where that is known.
   */
  until: number | null;
  /**
   * running: which call of the node this is, from 1.
   */
  attempt: number;
}
/**
 * A node by its path, with its spans in order of time.
 */
export interface TimelineNode {
  node: string;
  /**
   * Of a node of the spell itself.
   */
  name: string | null;
  /**
   * done, cached, pinned, muted, bypassed, given, failed, skipped, cancelled; null while it goes on.
   */
  state: string | null;
  why: string | null;
  attempts: number;
  /**
   * Whether rows follow of what it ran inside itself.
   */
  inside: boolean;
  spans: SpanView[];
}
/**
 * What a test is made of.
 */
export interface TestOfRun {
  /**
   * The run.
   */
  id: string;
  name: string;
  /**
   * Put the test in the place of this one; a new one when left out.
   */
  test?: string | null;
  /**
   * Nodes that are not called again; when left out, those that have side effects, may cost money, or need not give the same again.
   */
  record?: string[] | null;
  /**
   * Nodes that must give what they gave, or what must hold of them; when left out, the nodes that nothing needs.
   */
  expect?:
    | {
        [k: string]: Expectation;
      }
    | string[]
    | null;
}
/**
 * The test as it is on the canvas now, and what of the run it does not have.
 */
export interface TestMade {
  canvas: string;
  id: string;
  test: {
    [k: string]: JsonValue;
  };
  /**
   * By node and output (none for all of it), why: too_large, too_large_altogether, too_deep, not_exact or no_value.
   */
  left_out: {
    [k: string]: {
      [k: string]: string;
    };
  };
}
/**
 * Figures of runs that have ended and are kept: of a canvas, or without one the caller's own.
 */
export interface ReadUsage {
  canvas?: string | null;
  /**
   * From the day (UTC) of this time on, by when runs ended; 30 days back unless said.
   */
  since?: number | null;
  by?: "day" | "canvas" | "user";
  /**
   * Of everybody; for administrators.
   */
  all?: boolean;
}
/**
 * Newest day first; canvases and users by the time they took.
 */
export interface Usage {
  by: "day" | "canvas" | "user";
  since: number;
  total: UsageFigures;
  groups: UsageGroup[];
  /**
   * Of the same runs, by type of node, provider and model, those that took most first.
   */
  tokens: TokenUsage[];
}
/**
 * Sums over runs. The calls of placed nodes are part of the runs that placed them.
 */
export interface UsageFigures {
  runs: number;
  /**
   * From each run's start to its end.
   */
  seconds: number;
  /**
   * Nodes that were called; those inside other nodes count with these.
   */
  nodes: number;
  cached: number;
  failed: number;
  skipped: number;
  /**
   * What nodes reported on an output `usage`, those inside nodes too.
   */
  tokens: number;
}
/**
 * Those of one day, canvas or user.
 */
export interface UsageGroup {
  runs: number;
  /**
   * From each run's start to its end.
   */
  seconds: number;
  /**
   * Nodes that were called; those inside other nodes count with these.
   */
  nodes: number;
  cached: number;
  failed: number;
  skipped: number;
  /**
   * What nodes reported on an output `usage`, those inside nodes too.
   */
  tokens: number;
  /**
   * YYYY-MM-DD (UTC), or an id; null for runs without a canvas.
   */
  key: string | null;
  /**
   * Of the user or canvas.
   */
  name: string | null;
}
/**
 * The same of several runs.
 */
export interface TokenUsage {
  /**
   * Of the node; null where further ones are put together.
   */
  type: string | null;
  provider: string | null;
  model: string | null;
  calls: number;
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  runs: number;
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
 * A secret of one's own, or with ``canvas`` one of a canvas.
 */
export interface NewSecret {
  /**
   * How cells name it: {{secret.NAME}}. Letters, digits, _ and -.
   */
  name: string;
  value: string;
  canvas?: string | null;
}
/**
 * A secret, without its value: that is told to nobody. ``canvas`` is None for one's own.
 */
export interface SecretView {
  id: string;
  name: string;
  canvas: string | null;
  created_at: number;
  updated_at: number;
}
/**
 * ``canvas``: that canvas's own secrets, in place of one's own.
 */
export interface FindSecrets {
  canvas?: string | null;
}
/**
 * Secrets by name.
 */
export interface SecretList {
  items: SecretView[];
}
/**
 * The secret meant.
 */
export interface SecretId {
  id: string;
}
/**
 * The value that it has from now on.
 */
export interface NewValue {
  id: string;
  value: string;
}
/**
 * Which tests to run.
 */
export interface RunTests {
  canvas: string;
  /**
   * By id; all when left out.
   */
  tests?: string[] | null;
}
/**
 * How tests came out, by id. ``seq`` is the number of the last edit in the spell that was run.
 */
export interface TestedSpell {
  canvas: string;
  seq: number;
  passed: number;
  /**
   * Those in error included.
   */
  failed: number;
  tests: TestResult[];
}
/**
 * One test as it came out; ``duration`` is seconds. ``called`` are the nodes that were not recorded.
 */
export interface TestResult {
  test: string;
  name: string;
  outcome: "passed" | "failed" | "error";
  duration: number;
  assertions: AssertionResult[];
  failure: TestFailure | null;
  called: string[];
}
/**
 * One assertion. Of a failed one ``message`` says why, ``path`` where in the output.
 */
export interface AssertionResult {
  node: string;
  /**
   * None: how the node ended.
   */
  port: string | null;
  op: string;
  passed: boolean;
  path: string | null;
  expected: JsonValue;
  actual: JsonValue;
  /**
   * ``expected`` or ``actual`` is a text with the beginning of its JSON.
   */
  cut: boolean;
  message: string;
}
/**
 * Why a test could not be run to its end, or which node failed in one that expects nothing.
 */
export interface TestFailure {
  code: string;
  message: string;
  node: string | null;
}
/**
 * A file that holds a spell: ``text``, or ``data`` in base64. Its form is told by name and first bytes.
 */
export interface FileToRead {
  name?: string;
  text?: string | null;
  data?: string | null;
  as?: ("json" | "yaml" | "manifest" | "ir" | "python") | null;
}
/**
 * What a file holds: the spell, and what is wrong with it; ``form`` is the one it was in.
 */
export interface SpellRead {
  form: "json" | "yaml" | "manifest" | "ir" | "python";
  spell: {
    [k: string]: JsonValue;
  };
  problems: {
    [k: string]: JsonValue;
  }[];
}
/**
 * A spell, and the form to write it in.
 */
export interface SpellToWrite {
  spell: Spell;
  as: "json" | "yaml" | "manifest" | "ir" | "python";
}
/**
 * A spell as a file: ``text``, or ``data`` in base64 where the form is no text.
 */
export interface SpellFile {
  form: "json" | "yaml" | "manifest" | "ir" | "python";
  name: string;
  media_type: string;
  text: string | null;
  data: string | null;
}
/**
 * The answer; what it must be follows from the question.
 */
export interface AnswerTask {
  id: string;
  answer: {
    [k: string]: unknown;
  };
}
/**
 * A question of a run, and what became of it.
 *
 * Answers: of an approval ``{approved, comment?}``, of a form ``{values: {field: value}}``, of a choice
 * ``{choice}``, with ``several`` a list.
 */
export interface TaskView {
  id: string;
  run: string;
  /**
   * Path of the node that asks.
   */
  node: string;
  canvas: string | null;
  canvas_name: string | null;
  /**
   * Whether the run is for its owner alone.
   */
  private: boolean;
  question: QuestionView;
  /**
   * Who is asked, where it is somebody.
   */
  assignee: PersonView | null;
  /**
   * Else who is asked: all with at least this role on the canvas.
   */
  role: ("viewer" | "runner" | "editor" | "owner") | null;
  state: "open" | "answered" | "expired" | "withdrawn";
  started_by: PersonView1;
  created_at: number;
  /**
   * When the time is over.
   */
  due_at: number | null;
  on_timeout: "fail" | "default";
  remind_at: number | null;
  reminded_at: number | null;
  /**
   * When it ceased to be open.
   */
  settled_at: number | null;
  answered_by: AnswererView | null;
  answer: {
    [k: string]: unknown;
  } | null;
  /**
   * Whether there is a link by which it can be answered.
   */
  linked: boolean;
  /**
   * Which link that is: the `id` that its maker was told.
   */
  link_id: string | null;
  /**
   * Whether the caller may; None in what is told to many.
   */
  may_answer: boolean | null;
}
/**
 * What is asked. ``data`` is what it is about, where the node shows that.
 */
export interface QuestionView {
  kind: "approval" | "form" | "choice";
  title: string;
  /**
   * Markdown.
   */
  text: string;
  /**
   * Of a form: its JSON Schema, flat; see docs/people.md.
   */
  fields: {
    [k: string]: unknown;
  } | null;
  /**
   * Of a choice.
   */
  choices: string[];
  /**
   * Whether a choice may be of several.
   */
  several: boolean;
  data: unknown;
}
/**
 * Somebody, by the name they have now.
 */
export interface PersonView1 {
  id: string;
  name: string;
}
/**
 * Who answered. ``id`` is None for somebody who had the link, with the name that they gave.
 */
export interface AnswererView {
  id: string | null;
  name: string;
}
/**
 * The answer, and the name of who gives it.
 */
export interface AnswerByLink {
  token: string;
  answer: {
    [k: string]: unknown;
  };
  name: string;
}
/**
 * Whom to ask instead: a user by id or email address, or all with at least a role.
 */
export interface AssignTask {
  id: string;
  user?: string | null;
  role?: ("viewer" | "runner" | "editor" | "owner") | null;
}
/**
 * Which tasks.
 */
export interface FindTasks {
  state?: "open" | "settled" | "all";
  canvas?: string | null;
  run?: string | null;
  /**
   * Only what is asked of the caller.
   */
  mine?: boolean;
  limit?: number;
  /**
   * The `next` of the page before.
   */
  after?: string | null;
}
/**
 * Tasks, the latest first.
 */
export interface TaskList {
  items: TaskView[];
  /**
   * How many open ones are asked of the caller, on all canvases.
   */
  open: number;
  /**
   * Ask for more with `after` = this.
   */
  next: string | null;
}
/**
 * A task.
 */
export interface OneTask {
  id: string;
}
/**
 * The link, shown this once. It is good for one answer, until the task is settled or it is taken back.
 */
export interface TaskLink {
  id: string;
  link: string;
  token: string;
}
/**
 * What the link's address ends with.
 */
export interface TaskToken {
  token: string;
}
/**
 * What whoever holds the link sees: the question, and nothing of the canvas.
 */
export interface LinkedTask {
  question: QuestionView;
  /**
   * Name of the person who made the link.
   */
  asked_by: string;
  created_at: number;
  due_at: number | null;
}
/**
 * A trigger on a canvas. It runs as who makes it.
 */
export interface NewTrigger {
  canvas: string;
  name: string;
  settings: CronSettingsInput | IntervalSettingsInput | WebhookSettingsInput | PollSettingsInput | EventSettingsInput;
  /**
   * {'NODE.PORT': value}; {"$from": "body.user.id"} stands for something of what came.
   */
  inputs?: {
    [k: string]: JsonValue;
  };
  run?: RunSettingsInput;
  /**
   * What becomes of times when nobody was there: skip, run once for all of them, or for all (100 at most).
   */
  missed?: "skip" | "once" | "all";
  enabled?: boolean;
}
/**
 * At times: ``0 9 * * MON-FRI`` in ``Europe/Berlin``.
 */
export interface CronSettingsInput {
  kind: "cron";
  /**
   * Minute, hour, day of month, month, day of week; names, lists, ranges and steps.
   */
  expression: string;
  /**
   * An IANA time zone.
   */
  zone?: string;
}
/**
 * Every so many seconds, counted from ``anchor``: it does not drift.
 */
export interface IntervalSettingsInput {
  kind: "interval";
  /**
   * Seconds.
   */
  every: number;
  /**
   * Unix seconds; unless given, when it was made.
   */
  anchor?: number | null;
}
/**
 * When somebody sends to its address and can prove that they know its secret.
 */
export interface WebhookSettingsInput {
  kind: "webhook";
  /**
   * signature: Standard Webhooks, which nobody can alter or send again. bearer: the secret itself in the Authorization header, for senders that cannot sign.
   */
  proof?: "signature" | "bearer";
  /**
   * Headers whose values inputs may be taken from; 20 at most.
   */
  headers?: string[];
}
/**
 * When what is at an address differs from what was there before.
 */
export interface PollSettingsInput {
  kind: "poll";
  /**
   * Of a host that the canvas was granted.
   */
  url: string;
  /**
   * Seconds.
   */
  every: number;
  /**
   * A JSON Pointer to the part that counts; without one it is all that is answered.
   */
  pointer?: string | null;
  /**
   * May hold {{secret.NAME}} of a granted secret.
   */
  headers?: {
    [k: string]: string;
  };
}
/**
 * When a run of a canvas ends; whose trigger it is must be able to read that canvas, at each end anew.
 */
export interface EventSettingsInput {
  kind: "event";
  canvas: string;
  /**
   * completed: no node failed; failed: the run or a node of it did.
   */
  on?: ("completed" | "failed")[];
}
/**
 * How a trigger's runs run.
 */
export interface RunSettingsInput {
  audience?: "shared" | "private";
  /**
   * skip: start none while one that it started goes on.
   */
  overlap?: "allow" | "skip";
  /**
   * Seconds.
   */
  timeout?: number | null;
  queue?: string | null;
  priority?: number;
  retry?: RetryInput | null;
}
/**
 * How often a run is tried, and how long is waited in between: twice as long each time.
 */
export interface RetryInput {
  attempts: number;
  /**
   * Seconds.
   */
  backoff?: number;
  /**
   * Seconds.
   */
  max_backoff?: number;
}
/**
 * A trigger, and the secret of its webhook, which is told this once.
 */
export interface MadeTrigger {
  trigger: TriggerView;
  secret: string | null;
}
/**
 * A trigger. Its secret is told to nobody.
 */
export interface TriggerView {
  id: string;
  canvas: string;
  /**
   * Whose it is: its runs are that user's.
   */
  user: string;
  name: string;
  kind: "cron" | "interval" | "webhook" | "poll" | "event";
  settings:
    CronSettingsOutput | IntervalSettingsOutput | WebhookSettingsOutput | PollSettingsOutput | EventSettingsOutput;
  inputs: {
    [k: string]: JsonValue;
  };
  run: RunSettingsOutput;
  missed: "skip" | "once" | "all";
  enabled: boolean;
  /**
   * When it is due next, in Unix seconds.
   */
  next_at: number | null;
  /**
   * Why it did not fire the last time.
   */
  fault: string | null;
  /**
   * Where a webhook is sent to.
   */
  url: string | null;
  last: FiringView | null;
  created_at: number;
  updated_at: number;
}
/**
 * At times: ``0 9 * * MON-FRI`` in ``Europe/Berlin``.
 */
export interface CronSettingsOutput {
  kind: "cron";
  /**
   * Minute, hour, day of month, month, day of week; names, lists, ranges and steps.
   */
  expression: string;
  /**
   * An IANA time zone.
   */
  zone: string;
}
/**
 * Every so many seconds, counted from ``anchor``: it does not drift.
 */
export interface IntervalSettingsOutput {
  kind: "interval";
  /**
   * Seconds.
   */
  every: number;
  /**
   * Unix seconds; unless given, when it was made.
   */
  anchor: number | null;
}
/**
 * When somebody sends to its address and can prove that they know its secret.
 */
export interface WebhookSettingsOutput {
  kind: "webhook";
  /**
   * signature: Standard Webhooks, which nobody can alter or send again. bearer: the secret itself in the Authorization header, for senders that cannot sign.
   */
  proof: "signature" | "bearer";
  /**
   * Headers whose values inputs may be taken from; 20 at most.
   */
  headers: string[];
}
/**
 * When what is at an address differs from what was there before.
 */
export interface PollSettingsOutput {
  kind: "poll";
  /**
   * Of a host that the canvas was granted.
   */
  url: string;
  /**
   * Seconds.
   */
  every: number;
  /**
   * A JSON Pointer to the part that counts; without one it is all that is answered.
   */
  pointer: string | null;
  /**
   * May hold {{secret.NAME}} of a granted secret.
   */
  headers: {
    [k: string]: string;
  };
}
/**
 * When a run of a canvas ends; whose trigger it is must be able to read that canvas, at each end anew.
 */
export interface EventSettingsOutput {
  kind: "event";
  canvas: string;
  /**
   * completed: no node failed; failed: the run or a node of it did.
   */
  on: ("completed" | "failed")[];
}
/**
 * How a trigger's runs run.
 */
export interface RunSettingsOutput {
  audience: "shared" | "private";
  /**
   * skip: start none while one that it started goes on.
   */
  overlap: "allow" | "skip";
  /**
   * Seconds.
   */
  timeout: number | null;
  queue: string | null;
  priority: number;
  retry: RetryOutput | null;
}
/**
 * How often a run is tried, and how long is waited in between: twice as long each time.
 */
export interface RetryOutput {
  attempts: number;
  /**
   * Seconds.
   */
  backoff: number;
  /**
   * Seconds.
   */
  max_backoff: number;
}
/**
 * One time that a trigger fired, or should have.
 */
export interface FiringView {
  id: string;
  trigger: string;
  /**
   * What makes it once only: the time it was due, or what came.
   */
  key: string;
  due_at: number;
  fired_at: number;
  outcome: "started" | "missed" | "skipped" | "refused";
  /**
   * The run that it started.
   */
  run: string | null;
  /**
   * Where that run stands; null where it is gone.
   */
  status: string | null;
  /**
   * How many of its nodes failed, once it has ended.
   */
  failed_nodes: number | null;
  /**
   * Why it started none.
   */
  reason: string | null;
}
/**
 * The triggers of a canvas.
 */
export interface FindTriggers {
  canvas: string;
}
/**
 * Triggers, the oldest first.
 */
export interface TriggerList {
  items: TriggerView[];
}
/**
 * A firing by hand.
 */
export interface FireTrigger {
  id: string;
  /**
   * What stands for what would have come: {body: ...}, {value: ..., previous: ...}.
   */
  values?: {
    [k: string]: JsonValue;
  };
}
/**
 * A trigger's firings, newest first.
 */
export interface ListFirings {
  id: string;
  limit?: number;
  /**
   * Only firings before this time (Unix seconds).
   */
  before?: number | null;
}
/**
 * Firings, newest first.
 */
export interface FiringList {
  items: FiringView[];
}
/**
 * A trigger by its id.
 */
export interface OneTrigger {
  id: string;
}
/**
 * What to change; what is left out stays. ``settings`` are given whole, and of the same kind.
 */
export interface PatchTrigger {
  id: string;
  name?: string | null;
  settings?:
    (CronSettingsInput | IntervalSettingsInput | WebhookSettingsInput | PollSettingsInput | EventSettingsInput) | null;
  inputs?: {
    [k: string]: JsonValue;
  } | null;
  run?: RunSettingsInput | null;
  missed?: ("skip" | "once" | "all") | null;
  enabled?: boolean | null;
}
/**
 * Settings that are not kept yet.
 */
export interface PreviewTrigger {
  settings: CronSettingsInput | IntervalSettingsInput | PollSettingsInput;
  count?: number;
  /**
   * Unix seconds; now unless given.
   */
  after?: number | null;
}
/**
 * When it would be due, in Unix seconds; fewer than asked for where there are no more in 50 years.
 */
export interface NextTimes {
  times: number[];
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
 * What to compare a version with.
 */
export interface CompareVersion {
  canvas: string;
  id: string;
  /**
   * Another version; the canvas as it is now when left out.
   */
  other?: string | null;
}
/**
 * What differs between a version and another, or the canvas as it is now (``after`` is None).
 */
export interface Compared {
  canvas: string;
  before: string;
  after: string | null;
  /**
   * Number of the last edit in what it was compared with.
   */
  seq: number;
  name: FieldChange | null;
  changes: Change[];
}
/**
 * What to call the canvas as it is now.
 */
export interface SaveVersion {
  canvas: string;
  name: string;
}
/**
 * A version of a canvas: what was drawn when editing came to rest, was saved, or was restored.
 */
export interface VersionView {
  id: string;
  canvas: string;
  /**
   * Counts the versions of the canvas from 1.
   */
  number: number;
  /**
   * Number of the last edit in it.
   */
  seq: number;
  /**
   * Unix seconds.
   */
  created_at: number;
  /**
   * Given by a person; a named version stays for good.
   */
  name: string | null;
  reason: "edited" | "saved" | "restored";
  /**
   * The version that was restored, with `restored`.
   */
  source: string | null;
  /**
   * Who saved or restored it.
   */
  by: Author | null;
  /**
   * Who edited since the version before; the server's repairs have no author.
   */
  authors: Author[];
  changes: Summary;
}
/**
 * Somebody who edited. ``name`` is None where the account is gone.
 */
export interface Author {
  id: string;
  name: string | null;
}
/**
 * What is different from the version before.
 */
export interface Summary {
  renamed: boolean;
  nodes: Counts;
  edges: Counts;
  groups: Counts;
  notes: Counts;
  requirements: Counts;
  tests: Counts;
  /**
   * The first of them: nodes before others, wires never.
   */
  things: Touched[];
}
/**
 * How many things of one kind were added, removed, changed, or only moved.
 */
export interface Counts {
  added: number;
  removed: number;
  changed: number;
  moved: number;
}
/**
 * A thing by name.
 */
export interface Touched {
  kind: "nodes" | "edges" | "groups" | "notes" | "requirements" | "tests";
  id: string;
  what: "added" | "removed" | "changed" | "moved";
  name: string | null;
  type: string | null;
  /**
   * Of what was changed: some of them.
   */
  fields: string[];
}
/**
 * Which versions of a canvas to list.
 */
export interface ListVersions {
  canvas: string;
  limit?: number;
  /**
   * Only versions with a lower number: the next page.
   */
  before?: number | null;
  /**
   * Only those that have a name.
   */
  named?: boolean;
}
/**
 * Versions, newest first.
 */
export interface VersionList {
  items: VersionView[];
  /**
   * Whether there are older ones.
   */
  more: boolean;
}
/**
 * The version meant.
 */
export interface OneVersion {
  canvas: string;
  id: string;
}
/**
 * A version with its spell.
 */
export interface WholeVersion {
  id: string;
  canvas: string;
  /**
   * Counts the versions of the canvas from 1.
   */
  number: number;
  /**
   * Number of the last edit in it.
   */
  seq: number;
  /**
   * Unix seconds.
   */
  created_at: number;
  /**
   * Given by a person; a named version stays for good.
   */
  name: string | null;
  reason: "edited" | "saved" | "restored";
  /**
   * The version that was restored, with `restored`.
   */
  source: string | null;
  /**
   * Who saved or restored it.
   */
  by: Author | null;
  /**
   * Who edited since the version before; the server's repairs have no author.
   */
  authors: Author[];
  changes: Summary;
  /**
   * As it was, also where it has node types or a schema that are not known here.
   */
  spell: {
    [k: string]: unknown;
  };
}
/**
 * A version's name from now on; None takes it away.
 */
export interface ChangeVersion {
  canvas: string;
  id: string;
  name: string | null;
}
/**
 * The versions from before and after a restore; one and the same where nothing differed.
 */
export interface Restored {
  before: VersionView;
  after: VersionView;
}
/**
 * A worker that canvases may share. ``open``: whoever edits a canvas may put it there, else administrators.
 */
export interface NewWorker {
  name: string;
  requirements?: {
    /**
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$".
     */
    [k: string]: string;
  };
  processes?: number;
  limits?: OwnLimits;
  open?: boolean;
}
/**
 * Limits in place of the server's; of what is left out the server's hold.
 */
export interface OwnLimits {
  memory_mb?: number | null;
  cpu_seconds?: number | null;
  processes?: number | null;
  files_mb?: number | null;
  wall_seconds?: number | null;
}
/**
 * A worker. ``faults``: by requirement, why it cannot be had. ``confinement`` is null before one started.
 */
export interface WorkerView {
  id: string;
  name: string;
  kind: "canvas" | "shared" | "external";
  canvas: string | null;
  owner: string | null;
  /**
   * Of an external one: who gave it to the canvas that was asked for.
   */
  given_by: string | null;
  processes: number;
  limits: WorkerLimitsView | null;
  /**
   * Those of its limits that are not the server's.
   */
  own_limits: {
    [k: string]: number;
  };
  state: "absent" | "provisioning" | "starting" | "ready" | "busy" | "stopped" | "failed";
  reason: string | null;
  environment: WorkerEnvironment | null;
  packs: string[];
  confinement: {
    [k: string]: unknown;
  } | null;
  metrics: WorkerMetrics;
  restarts: number;
  open: boolean;
  faults: {
    [k: string]: string;
  };
}
/**
 * What each process may use. Null is no limit.
 */
export interface WorkerLimitsView {
  memory_mb: number;
  cpu_seconds: number | null;
  processes: number;
  files_mb: number;
  output_bytes: number;
  wall_seconds: number | null;
}
/**
 * The packages of a worker. ``key`` is ``base`` for the server's own; the lock is had by ``workers.lock``.
 */
export interface WorkerEnvironment {
  key: string | null;
  requirements: {
    [k: string]: string;
  };
  python: string;
  locked: boolean;
}
/**
 * What a worker uses now, and what has happened in it since the server started.
 */
export interface WorkerMetrics {
  cpu_percent: number | null;
  memory_bytes: number | null;
  queue: number;
  running: number;
  calls: number;
  failures: number;
}
/**
 * The canvas whose choice of workers is meant; without one, all shared workers.
 */
export interface WorkersOf {
  canvas?: string | null;
}
/**
 * Workers: a canvas's own first. ``current`` is the one that the canvas is on.
 */
export interface WorkerList {
  items: WorkerView[];
  current: string | null;
  bounds: WorkerBounds;
}
/**
 * What administrators may set of a worker: how many calls it takes at once, and its limits by name.
 */
export interface WorkerBounds {
  processes: Bound;
  limits: {
    [k: string]: Bound;
  };
}
/**
 * What may be set: more than 0, and from ``least`` to ``most``. ``usual`` holds where nothing is set; null: no limit.
 */
export interface Bound {
  least: number;
  most: number;
  whole: boolean;
  usual: number | null;
}
/**
 * The worker meant. A canvas's own has the id of the canvas.
 */
export interface WorkerId {
  id: string;
}
/**
 * What an environment holds, as a requirements.txt with hashes; empty where nothing is required.
 */
export interface WorkerLock {
  key: string | null;
  lock: string;
}
/**
 * The last lines of a worker's log, oldest first.
 */
export interface WorkerLog {
  lines: WorkerLine[];
}
/**
 * A line of a worker's log. ``at`` is Unix time in seconds.
 */
export interface WorkerLine {
  at: number;
  level: string;
  text: string;
}
/**
 * What to change; what is left out stays. Requirements are a shared worker's; a canvas's are on the canvas.
 */
export interface ChangeWorker {
  id: string;
  name?: string | null;
  requirements?: {
    /**
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$".
     */
    [k: string]: string;
  } | null;
  processes?: number | null;
  limits?: OwnLimits | null;
  open?: boolean | null;
}
/**
 * The worker meant, and whether to look anew which versions there are.
 */
export interface ProvisionWorker {
  id: string;
  anew?: boolean;
}
/**
 * What the server says, by event.
 */
export interface Announcements {
  "canvas.awareness": CanvasAwareness;
  "canvas.comments": CanvasComments;
  "canvas.live": CanvasLive;
  "canvas.problems": CanvasProblems;
  "canvas.role": CanvasRole;
  "canvas.updates": CanvasUpdates;
  "canvas.versions": CanvasVersions;
  "events.flowing": EventsFlowing;
  "events.stalled": EventsStalled;
  "external_worker.changed": ExternalWorkerChanged;
  "library.changed": LibraryChanged;
  "models.progress": PullProgress;
  "run.events": RunEvents;
  "run.status": RunStatus;
  "server.stopping": Stopping;
  "session.resync": Notice;
  "session.revoked": Notice;
  "tasks.changed": TasksChanged;
  "triggers.changed": TriggersChanged;
  "user.mentions": UserMentions;
  "values.gone": ValuesGone;
  "worker.changed": WorkerChanged;
  "worker.lines": WorkerLines;
}
/**
 * ``canvas.awareness``: who is where. Lossy; the latest of each client wins.
 */
export interface CanvasAwareness {
  canvas: string;
  update: ArrayBuffer | Uint8Array;
}
/**
 * ``canvas.comments``: a thread changed; ``thread`` is None when it was removed.
 */
export interface CanvasComments {
  canvas: string;
  /**
   * The thread.
   */
  id: string;
  thread: ThreadView | null;
  /**
   * The comment that was made or edited.
   */
  comment: CommentView | null;
  /**
   * The comment that was removed.
   */
  removed: string | null;
}
/**
 * ``canvas.live``: a user's live mode on a canvas was turned on or off, or cannot go on, or can again.
 *
 * ``error``: the canvas cannot run as it is. ``waiting``: the server could not
 * run it just now. Either is over with the next run, which is told, too.
 */
export interface CanvasLive {
  stream: string;
  canvas: string;
  user: string;
  live: boolean;
  audience: "shared" | "private";
  waiting: LiveNotice | null;
  error: LiveNotice | null;
}
/**
 * Why live mode does not run. ``node`` is None where it is about no one node.
 */
export interface LiveNotice {
  code: string;
  message: string;
  node: string | null;
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
 * ``canvas.versions``: a version is new, or has another name.
 */
export interface CanvasVersions {
  canvas: string;
  version: VersionView;
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
 * A worker of a canvas that you have open, or of your own, is another than it was, or gone.
 */
export interface ExternalWorkerChanged {
  worker: ExternalWorkerView;
}
/**
 * The library of a canvas is another one: ask for it anew (``nodes.find``).
 */
export interface LibraryChanged {
  canvas: string;
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
  status: "queued" | "running" | "paused" | "waiting" | "completed" | "failed" | "cancelled" | "interrupted";
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
/**
 * ``tasks.changed``: a task is new or changed.
 *
 * On your own channel ``open`` is how many are asked of you, and ``mine`` whether this one is.
 *
 * ``task`` is None for who was asked until it was handed on, and may not read it any more.
 */
export interface TasksChanged {
  id: string;
  task: TaskView | null;
  news: "asked" | "answered" | "expired" | "withdrawn" | "assigned" | "reminder";
  open: number | null;
  mine: boolean | null;
}
/**
 * ``triggers.changed``: a trigger as it is now; None where it was removed.
 */
export interface TriggersChanged {
  canvas: string;
  id: string;
  trigger: TriggerView | null;
}
/**
 * ``user.mentions``: how many are not read now, and the one that came, if one did.
 */
export interface UserMentions {
  unread: number;
  mention: MentionView | null;
}
/**
 * ``values.gone``: values that runs left in workers are there no more; their nodes give them when they run again.
 */
export interface ValuesGone {
  stream: string;
  /**
   * worker restarted, value dropped.
   */
  why: string;
  values: GoneValue[];
}
/**
 * A value that stayed in a worker, and where a run left it.
 */
export interface GoneValue {
  run: string;
  node: string;
  port: string;
  handle: string;
}
/**
 * A worker whose state is another now, for those who have a canvas on it open.
 */
export interface WorkerChanged {
  id: string;
  name: string;
  kind: "canvas" | "shared" | "external";
  canvas: string | null;
  owner: string | null;
  /**
   * Of an external one: who gave it to the canvas that was asked for.
   */
  given_by: string | null;
  processes: number;
  limits: WorkerLimitsView | null;
  /**
   * Those of its limits that are not the server's.
   */
  own_limits: {
    [k: string]: number;
  };
  state: "absent" | "provisioning" | "starting" | "ready" | "busy" | "stopped" | "failed";
  reason: string | null;
  environment: WorkerEnvironment | null;
  packs: string[];
  confinement: {
    [k: string]: unknown;
  } | null;
  metrics: WorkerMetrics;
  restarts: number;
  open: boolean;
  faults: {
    [k: string]: string;
  };
}
/**
 * What the installer of a worker's packages just said.
 */
export interface WorkerLines {
  id: string;
  lines: WorkerLine[];
}

/** What each setting and limit of a node may be, as JSON Schema. */
export const SETTING_BOUNDS = {
  "settings": {
    "mode": {
      "enum": [
        "mute",
        "bypass"
      ],
      "type": "string"
    },
    "debounce": {
      "maximum": 60,
      "minimum": 0,
      "type": "number"
    },
    "queue": {
      "maxLength": 64,
      "minLength": 1,
      "pattern": "^[A-Za-z0-9._-]+$",
      "type": "string"
    },
    "timeout": {
      "exclusiveMinimum": 0,
      "maximum": 86400,
      "type": "number"
    },
    "retries": {
      "maximum": 20,
      "minimum": 0,
      "type": "integer"
    },
    "backoff": {
      "maximum": 3600,
      "minimum": 0,
      "type": "number"
    },
    "cache": {
      "enum": [
        "deterministic",
        "private",
        "none",
        "ttl"
      ],
      "type": "string"
    },
    "ttl": {
      "exclusiveMinimum": 0,
      "type": "number"
    }
  },
  "limits": {
    "concurrency": {
      "maximum": 10000,
      "minimum": 1,
      "type": "integer"
    },
    "rate": {
      "maximum": 1000000,
      "minimum": 1,
      "type": "integer"
    },
    "per": {
      "exclusiveMinimum": 0,
      "maximum": 86400,
      "type": "number"
    },
    "spacing": {
      "exclusiveMinimum": 0,
      "maximum": 3600,
      "type": "number"
    },
    "delay": {
      "exclusiveMinimum": 0,
      "maximum": 3600,
      "type": "number"
    }
  }
} as const;

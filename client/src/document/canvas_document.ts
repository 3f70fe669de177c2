/** A canvas shared with others: the document of this tab, kept in step with the server's. */
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { ProtocolError } from "../api/errors";
import { newId } from "../ids";
import { type Browser, inTime, type KeptCanvas, NoBrowser, type RefusedWork, whenLeft } from "../offline";
import {
  type Announced,
  type Bytes,
  type CanvasOpened,
  type Diagnosis,
  type ErrorBody,
  type Ports,
  type Problem,
  type Role,
  type Spell,
  type SpellJson,
  toBytes,
} from "../protocol";
import { backoff } from "../session/backoff";
import type { Connection } from "../session/types";
import { Store } from "../store";
import { BrowserSide } from "./browser_side";
import { DocumentEdits } from "./edits";
import {
  ALL,
  FINAL,
  type FreshStart,
  freshStart,
  REDO,
  REOPEN,
  TAKEN_OFF,
  type Why,
  waiting,
} from "./fresh_start";
import { spellToJson } from "./json";
import { byKey, Outbox, type UnsentEdit } from "./outbox";
import { KEPT, lackedBy, Replica } from "./replica";
import { type Salvaged, salvage, touchedBy, type Waiting } from "./salvage";
import { saveStatus } from "./save_status";
import { root } from "./shape";
import { EMPTY } from "./snapshot";
import type { History, Loading, OwnPresence, Person, SaveStatus, Self, SharedDocument } from "./types";

const RETRY = { first: 500, longest: 10_000 };
/** How often edits are done again for one that the server takes. */
const MOST_REDOS = 3;
/** What somebody is told who had the canvas open, and may not any more. */
const GONE = "This canvas was deleted, or you were taken off it.";
const EDITING_ROLES: ReadonlySet<string> = new Set(["owner", "editor", "admin"]);

/**
 * See `SharedDocument`.
 *
 * Sync: what the browser kept is shown at once. `canvas.open` with this tab's state vector answers what the tab
 * lacks and the server's state vector; what the server lacks follows as edits. From then on the tab sends each
 * edit and keeps it, in the browser too, until it is acknowledged. Where the server refuses an edit, a new
 * replica begins with the server's state, and all other work is put on it (see `salvage.ts`). Another life of the
 * canvas is never merged. What was refused is kept as a copy in `refused`. The rules are in the README.
 */
export class CanvasDocument extends DocumentEdits implements SharedDocument {
  readonly canvas: string;
  readonly loading = new Store<Loading>({ state: "loading" });
  readonly spell = new Store<Spell>(EMPTY);
  readonly saving = new Store<SaveStatus>({ state: "offline", pending: 0, unkept: 0, reason: "Connecting." });
  readonly generation = new Store(0);
  readonly role = new Store<Role | null>(null);
  readonly editable = new Store(false);
  readonly refused = new Store<readonly RefusedWork[]>([]);
  readonly keepTrouble = new Store<string | null>(null);
  readonly problems = new Store<readonly Problem[]>([]);
  readonly ports = new Store<Readonly<Record<string, Ports>>>({});
  readonly people = new Store<readonly Person[]>([]);
  readonly history = new Store<History>({ undo: false, redo: false });

  readonly #session: Connection;
  readonly #self: Self;
  readonly #outbox: Outbox;
  readonly #kept: BrowserSide;
  #replica: Replica;
  /** Whether the browser has said what it kept: before that the canvas is not opened on the server. */
  #restored = false;
  /** Whether this replica is open on the server, over this connection. */
  #synced = false;
  /** Whether it is being looked up, or put in order, what the server is to be sent. */
  #mending = false;
  /** Why edits are not possible any more, though the canvas was open before. */
  #shut: string | null = null;
  #fresh: FreshStart | null = null;
  #redos = 0;
  /** Ends when the browser has what was done again after a refusal. */
  #redone: Promise<void> | null = null;
  /** Copies that this tab made; others come from the browser. */
  #copiesMade = 0;
  #opening = 0;
  #attempt = 0;
  #gapSeen = false;
  #closed = false;
  /** Set while a new replica is put together: nobody is to see it half. */
  #quiet = false;
  #early: Uint8Array[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #openedListeners = new Set<(opened: CanvasOpened) => void>();
  readonly #end: (() => void)[];

  constructor(session: Connection, canvas: string, self: Self, browser: Browser = new NoBrowser()) {
    super();
    this.#session = session;
    this.canvas = canvas;
    this.#self = self;
    this.#outbox = new Outbox({
      send: async (msg_id, update) => {
        await session.request("canvas.update", { canvas, msg_id, update });
      },
      changed: () => this.#tell(),
      acknowledged: (edits) => {
        this.#redos = 0;
        this.#kept.keeper.settle(edits);
      },
      refused: (error, edit) => this.#refuse(error, edit),
    });
    this.#kept = new BrowserSide(browser, self.id, canvas, {
      epoch: () => this.#replica.epoch,
      changed: () => this.#tell(),
      found: (kept) => this.#take(kept),
      seen: (updates) => this.#replica.apply(updates, KEPT),
      adopted: (edits) => this.#outbox.adopt(edits),
      dropped: (updates) => this.#startAfresh({ dropped: updates }),
      copies: (copies) => {
        this.refused.set(copies);
        this.#tell();
      },
    });
    this.#replica = this.#makeReplica();
    this.#end = [
      session.onOnline(() => this.#open()),
      session.status.subscribe(() => this.#statusChanged()),
      this.#on("canvas.updates", ({ updates }) => this.#receive(updates)),
      this.#on("canvas.awareness", ({ update }) => this.#meet(update)),
      this.#on("canvas.problems", (diagnosis) => this.#diagnose(diagnosis)),
      this.#on("canvas.role", ({ role }) => this.#setRole(role)),
      whenLeft({ left: () => void this.#kept.keeper.flush(), back: () => this.#lookAround() }),
    ];
    void this.#restore(browser);
  }

  get doc(): Y.Doc {
    return this.#replica.doc;
  }

  /** Edits, and copies of refused work, that would be lost if this tab ended now. */
  get unkept(): number {
    return this.#kept.unkept(this.#outbox.pending) + this.#kept.unkeptCopies(this.refused.get());
  }

  get awareness(): Awareness {
    return this.#replica.presence.awareness;
  }

  get undoManager(): Y.UndoManager {
    return this.#replica.undoManager;
  }

  /** Call `listener` after each time the canvas was opened on the server, first and after reconnections. */
  onOpened(listener: (opened: CanvasOpened) => void): () => void {
    this.#openedListeners.add(listener);
    return () => {
      this.#openedListeners.delete(listener);
    };
  }

  setPresence(presence: OwnPresence): void {
    this.#replica.presence.set(presence);
  }

  undo(): void {
    if (this.editable.get()) this.undoManager.undo();
  }

  redo(): void {
    if (this.editable.get()) this.undoManager.redo();
  }

  codeText(node: string): Y.Text | null {
    return this.#text("nodes", node, "code");
  }

  noteText(note: string): Y.Text | null {
    return this.#text("notes", note, "text");
  }

  toJson(): SpellJson {
    return spellToJson(this.spell.get());
  }

  async discard(id: string): Promise<void> {
    this.refused.update((copies) => copies.filter((copy) => copy.id !== id));
    this.#tell();
    await this.#kept.discard(id);
  }

  saved(): Promise<void> {
    return new Promise((resolve, reject) => {
      const before = this.#copiesMade;
      const look = () => {
        const fresh = this.#copiesMade > before ? this.refused.get().at(-1) : undefined;
        if (fresh) settle(() => reject(new ProtocolError(fresh.error)));
        else if (this.saving.get().state === "saved") settle(resolve);
        else if (this.saving.get().state === "read-only" || this.saving.get().state === "rejected")
          settle(resolve);
      };
      const settle = (how: () => void) => {
        stop();
        how();
      };
      let stop = () => {};
      stop = this.saving.subscribe(look);
      look();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#opening += 1;
    if (this.#timer) clearTimeout(this.#timer);
    for (const end of this.#end) end();
    const { state } = this.#session.status.get();
    const open = this.#synced && (state === "online" || state === "stopping");
    // What was refused or is being looked into waits for the next opening, in the browser's store.
    if (open && !this.#fresh && !this.#mending) void this.#outbox.finish().finally(() => this.#kept.close());
    else {
      this.#outbox.pause();
      void this.#kept.close();
    }
    // Also when an answer to `canvas.open` is still on its way: the server keeps the order.
    void this.#session.request("canvas.close", { canvas: this.canvas }).catch(() => {});
    this.#synced = false;
    this.editable.set(false);
    this.#replica.close();
  }

  #on<E extends `canvas.${"updates" | "awareness" | "problems" | "role"}`>(
    event: E,
    listener: (data: Announced<E>) => void,
  ): () => void {
    return this.#session.on(event, (data) => {
      if (data.canvas === this.canvas) listener(data);
    });
  }

  #makeReplica(clientId?: number): Replica {
    const options = {
      self: this.#self,
      before: this.spell.get(),
      spell: (spell: Spell) => {
        if (!this.#quiet) this.spell.set(spell);
      },
      edited: (update: Uint8Array) => this.#edited(update),
      history: (history: History) => this.history.set(history),
      presence: {
        changed: (people: readonly Person[]) => this.people.set(people),
        send: (update: Uint8Array) => {
          const lossy = this.#session.request("canvas.awareness", { canvas: this.canvas, update });
          lossy.catch(() => {}); // The next state makes up for a lost one.
        },
      },
    };
    return new Replica(options, clientId);
  }

  #edited(update: Uint8Array): void {
    const edit: UnsentEdit = { update, key: null };
    this.#kept.keeper.keep(edit);
    this.#outbox.add(edit);
  }

  // What the browser kept.

  async #restore(browser: Browser): Promise<void> {
    const kept = await this.#kept.open(browser, this.#self.id, this.canvas);
    if (this.#closed) return;
    this.#restored = true;
    // Only now, with all edits counted that wait to be sent.
    if (kept?.head) this.role.set(kept.head.role);
    this.#tell();
    if (kept?.head) this.loading.set({ state: "open" });
    if (this.#session.status.get().state === "online") this.#open();
  }

  /** Take up what is kept of the canvas, before the server answers. */
  #take({ head, acked, edits, refused }: KeptCanvas): void {
    this.refused.set(refused);
    if (!head) return;
    this.#replica.epoch = head.epoch;
    this.#kept.keeper.setEpoch(head.epoch);
    this.#replica.apply([...acked, ...edits.map(({ update }) => update)], KEPT);
    this.#replica.snapshot.refresh();
  }

  #lookAround(): void {
    if (!this.#fresh) void this.#kept.lookAround();
  }

  // Sync.

  #open(): void {
    if (!this.#restored || this.#closed) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pause();
    this.#opening += 1;
    void this.#openNow(this.#opening, this.#replica, this.#fresh);
  }

  async #openNow(opening: number, replica: Replica, fresh: FreshStart | null): Promise<void> {
    const client_id = fresh?.client ?? replica.doc.clientID;
    const whole = fresh !== null || replica.epoch === null;
    const known = whole ? {} : { epoch: replica.epoch as string, state_vector: replica.stateVector };
    try {
      const theirs = fresh ? await this.#kept.editsOfOthers() : [];
      if (opening !== this.#opening) return;
      const opened = await this.#session.request("canvas.open", { canvas: this.canvas, client_id, ...known });
      if (opening !== this.#opening) return;
      if (fresh) this.#begin(opened, fresh, theirs);
      if (opening !== this.#opening) return;
      if (!(await this.#redoneIsKept(opening))) return;
      this.#opened(this.#replica, opened);
    } catch (error) {
      if (opening !== this.#opening) return;
      this.#notOpened(error instanceof ProtocolError ? error : null, error);
    }
  }

  /**
   * Wait until the browser has what was done again in the place of what was done first: were that sent before, a
   * tab that ends in between would leave the first to be sent as well. False when another opening began meanwhile.
   */
  async #redoneIsKept(opening: number): Promise<boolean> {
    if (this.#redone === null) return true;
    this.#mending = true;
    await this.#redone;
    if (opening !== this.#opening) return false;
    this.#redone = null;
    this.#mending = false;
    return true;
  }

  #opened(replica: Replica, opened: CanvasOpened): void {
    if (replica.epoch !== null && replica.epoch !== opened.epoch) {
      const error = { code: "epoch_mismatch", message: "The canvas was replaced on the server." };
      this.#startAfresh({ error, all: true });
      return;
    }
    replica.epoch = opened.epoch;
    this.#attempt = 0;
    this.#shut = null;
    const state = [toBytes(opened.diff), ...this.#early];
    this.#early = [];
    replica.apply(state);
    replica.snapshot.refresh();
    this.#kept.keeper.setEpoch(opened.epoch);
    this.#kept.keeper.acked(state);
    this.#synced = true;
    this.role.set(opened.role);
    this.#keepHead();
    this.#diagnose(opened);
    const theirs = toBytes(opened.state_vector);
    if (this.#gapSeen || (this.#outbox.pending === 0 && replica.isAheadOf(theirs))) void this.#mend(theirs);
    else this.#outbox.resume();
    replica.presence.resume(opened.presence ? toBytes(opened.presence) : null);
    this.loading.set({ state: "open" });
    this.#tell();
    this.#lookAround();
    for (const listener of [...this.#openedListeners]) listener(opened);
  }

  #keepHead(): void {
    const { epoch } = this.#replica;
    const role = this.role.get();
    if (epoch !== null && role !== null)
      this.#kept.keeper.setHead({ epoch, role, name: this.spell.get().name, at: Date.now() });
  }

  /**
   * Send what the server lacks: what it had acknowledged and lost, then the edits of all tabs in their order,
   * since those of one may build on those of another that is slow to send.
   */
  async #mend(stateVector: Uint8Array): Promise<void> {
    const opening = this.#opening;
    this.#mending = true;
    const kept = await this.#kept.load();
    if (opening !== this.#opening) return;
    const lost = lackedBy(stateVector, kept?.acked ?? []);
    const others = this.#gapSeen ? (kept?.edits ?? []) : [];
    const known = new Set(this.#outbox.edits.map(({ key }) => key));
    const borrowed = others
      .filter(({ key }) => !known.has(key))
      .map(({ key, update }): UnsentEdit => ({ key, update }));
    const edits = [...this.#outbox.edits, ...borrowed].sort(byKey);
    this.#outbox.replace([...(lost ? [{ update: lost, key: null, again: true }] : []), ...edits]);
    this.#mending = false;
    this.#outbox.resume();
  }

  #notOpened(known: ProtocolError | null, error: unknown): void {
    if (known?.code === "epoch_mismatch") {
      this.#startAfresh({ error: known.body, all: true });
      return;
    }
    if (known?.code === "client_id_taken" && this.#redos < MOST_REDOS) {
      this.#redos += 1;
      this.#startAfresh({ error: known.body, redo: this.#replica.doc.clientID });
      return;
    }
    const status = this.#session.status.get().state;
    if (known?.unanswered && status !== "online") return; // The next connection opens it.
    if (known && FINAL.has(known.code)) {
      const wasOpen = this.loading.get().state === "open";
      const why = TAKEN_OFF.has(known.code) && wasOpen ? { ...known.body, message: GONE } : known.body;
      if (TAKEN_OFF.has(known.code)) {
        this.role.set(null);
        this.#takenOff(why);
      }
      this.#shut = why.message;
      if (this.loading.get().state !== "open") this.loading.set({ state: "failed", error: known.body });
      this.#tell();
      return;
    }
    if (!known) console.error("The canvas could not be opened", error);
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#open(), backoff(this.#attempt, RETRY));
    this.#tell();
  }

  #pause(): void {
    this.#synced = false;
    this.#mending = false;
    this.#outbox.pause();
    this.#replica.presence.pause();
    this.#tell();
  }

  #statusChanged(): void {
    const { state } = this.#session.status.get();
    if (state !== "online" && state !== "stopping" && this.#synced) this.#pause();
    else this.#tell();
  }

  #receive(updates: readonly Bytes[]): void {
    const bytes = updates.map(toBytes);
    if (!this.#synced) {
      this.#early.push(...bytes);
      return;
    }
    this.#replica.apply(bytes);
    this.#kept.keeper.acked(bytes);
    if (this.#replica.gap) this.#open();
  }

  #meet(update: Bytes): void {
    if (this.#synced) this.#replica.presence.receive(toBytes(update));
  }

  // Refusals.

  #refuse(error: ErrorBody, edit: UnsentEdit): void {
    if (REOPEN.has(error.code) && !this.#gapSeen) {
      this.#gapSeen = true;
      this.#open();
      return;
    }
    if (REDO.has(error.code) && this.#redos < MOST_REDOS) {
      this.#redos += 1;
      const redo = error.code === "client_id_taken" ? this.#replica.doc.clientID : ("every" as const);
      this.#startAfresh({ error, redo });
      return;
    }
    if (ALL.has(error.code)) this.#startAfresh({ error, all: true });
    else this.#startAfresh({ error, refused: new Set([edit]) });
  }

  /** Open the canvas anew, and go on with its state; see `FreshStart` for what becomes of what waits. */
  #startAfresh(why: Why): void {
    this.#fresh = freshStart(this.#fresh, why);
    this.#open();
  }

  /** Put a new replica in the place of the old one, with the server's state and all work that can be saved. */
  #begin(opened: CanvasOpened, fresh: FreshStart, theirs: readonly UnsentEdit[]): void {
    const old = this.#replica;
    const mine = this.#outbox.edits;
    const server = toBytes(opened.diff);
    this.#quiet = true; // To the end of this: what was set up half is shown to nobody.
    const replica = this.#makeReplica(fresh.client);
    replica.epoch = opened.epoch;
    replica.apply([server]);
    let saved = true;
    const otherLife = old.epoch !== null && old.epoch !== opened.epoch;
    if (otherLife) this.#setAllAside(fresh.error, [], old.epoch);
    else if (fresh.all) this.#setAllAside(fresh.error, touchedBy(server, mine, fresh.dropped));
    else saved = this.#save(replica, server, waiting(mine, theirs, fresh), fresh);
    replica.snapshot.refresh();
    this.#quiet = false;
    this.#fresh = null;
    if (!saved) {
      // Better all of it in a copy than a tab that cannot go on.
      replica.close();
      this.#startAfresh({ error: fresh.error, all: true });
      return;
    }
    this.#gapSeen = false;
    this.#replica = replica;
    old.close();
    this.spell.set(replica.snapshot.spell);
    this.history.set({ undo: false, redo: false });
    this.people.set([]);
    this.generation.set(this.generation.get() + 1);
  }

  /** Save what can be; false when that failed, with all edits still waiting. */
  #save(replica: Replica, server: Uint8Array, all: readonly Waiting[], fresh: FreshStart): boolean {
    let saved: Salvaged;
    try {
      saved = salvage(replica.doc, server, all, fresh.dropped);
    } catch (error) {
      console.error("What was not refused could not be put on the server's state", error);
      return false;
    }
    const { kept, redone, lost, dropped, copy } = saved;
    const copies = copy ? [this.#copy(fresh.error, spellToJson(copy.spell), copy.touched)] : [];
    this.#outbox.replace(kept);
    const written = this.#kept.setAside(replica.epoch, lost, redone, copies, dropped);
    this.#redone = redone.length > 0 ? inTime(written).catch(() => {}) : null;
    this.#addCopies(copies);
    return true;
  }

  /**
   * Keep all that waits as one copy, `touched` as far as it is known; with `epoch`, forget that life of the canvas
   * altogether.
   */
  #setAllAside(error: ErrorBody, touched: readonly string[], epoch?: string | null): void {
    const mine = this.#outbox.edits;
    const copies = mine.length > 0 ? [this.#copy(error, this.toJson(), touched)] : [];
    this.#outbox.replace([]);
    if (epoch === undefined) void this.#kept.setAside(null, mine, [], copies, []);
    else void this.#kept.forget(epoch, copies);
    this.#addCopies(copies);
  }

  /** This person may not have the canvas any more: unsent work is kept as a copy, all else leaves the browser. */
  #takenOff(error: ErrorBody): void {
    this.#outbox.pause();
    this.#setAllAside(error, [], null);
  }

  #copy(error: ErrorBody, spell: SpellJson, touched: readonly string[]): RefusedWork {
    return { id: newId(), canvas: this.canvas, error, at: Date.now(), spell, touched };
  }

  #addCopies(copies: readonly RefusedWork[]): void {
    if (copies.length === 0) return;
    this.#copiesMade += copies.length;
    this.refused.update((known) => [...known, ...copies]);
  }

  // What is told to the page.

  #diagnose({ problems, ports }: Diagnosis): void {
    if (problems) this.problems.set(problems);
    if (ports) this.ports.set(ports);
  }

  #setRole(role: Role | null): void {
    this.role.set(role);
    if (role === null) {
      this.#shut = GONE;
      this.#pause();
      this.#takenOff({ code: "forbidden", message: this.#shut });
    } else this.#keepHead();
    this.#tell();
  }

  #tell(): void {
    if (this.#closed) return;
    if (this.#synced && !this.#mending && this.#outbox.pending === 0) this.#gapSeen = false;
    const role = this.role.get();
    const mayEdit = role !== null && EDITING_ROLES.has(role) && !this.#shut;
    // A new replica takes no edits before it has the server's state; an old one does also offline.
    this.editable.set(mayEdit && this.#replica.epoch !== null);
    this.keepTrouble.set(this.#kept.trouble);
    const status = saveStatus({
      role,
      mayEdit,
      shut: this.#shut,
      pending: this.#outbox.pending,
      unkept: this.#kept.unkept(this.#outbox.pending),
      trouble: this.#outbox.trouble,
      session: this.#session.status.get(),
      synced: this.#synced || this.#mending || this.#fresh !== null,
      busy: this.#mending || this.#fresh !== null,
      copies: this.refused.get(),
    });
    if (JSON.stringify(status) !== JSON.stringify(this.saving.get())) this.saving.set(status);
  }

  #text(kind: "nodes" | "notes", id: string, name: string): Y.Text | null {
    const map = root(this.doc, kind).get(id);
    const text = map instanceof Y.Map ? map.get(name) : null;
    return text instanceof Y.Text ? text : null;
  }
}

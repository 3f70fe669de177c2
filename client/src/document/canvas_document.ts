/** A canvas shared with others: the document of this tab, kept in step with the server's. */
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { ProtocolError } from "../api/errors";
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
import { DocumentEdits } from "./edits";
import { spellToJson } from "./json";
import { Outbox } from "./outbox";
import { Replica } from "./replica";
import { root } from "./shape";
import { EMPTY } from "./snapshot";
import type { History, Loading, OwnPresence, Person, RefusedWork, SaveStatus, Self, SharedDocument } from "./types";

const RETRY = { first: 500, longest: 10_000 };
/** Refusals after which the same edits are sent again as one difference, once the canvas is open again. */
const REOPEN = new Set(["update_gap", "canvas_not_open"]);
/** Refusals of the replica as a whole: it can go on only as a new one. */
const REPLACE = new Set(["epoch_mismatch", "client_id_taken"]);
const EDITING_ROLES: ReadonlySet<string> = new Set(["owner", "editor", "admin"]);

/**
 * See `SharedDocument`.
 *
 * Sync: `canvas.open` with this tab's state vector answers what the tab lacks and the server's state vector;
 * what the server lacks follows as an edit. From then on the tab sends each edit and keeps it until it is
 * acknowledged. Where the server refuses an edit, or has begun another life of the canvas, this tab's document
 * is thrown away for the server's, and a copy of the work is kept in `refused`: it is never merged silently.
 */
export class CanvasDocument extends DocumentEdits implements SharedDocument {
  readonly canvas: string;
  readonly loading = new Store<Loading>({ state: "loading" });
  readonly spell = new Store<Spell>(EMPTY);
  readonly saving = new Store<SaveStatus>({ state: "offline", pending: 0, reason: "Connecting." });
  readonly generation = new Store(0);
  readonly role = new Store<Role | null>(null);
  readonly editable = new Store(false);
  readonly refused = new Store<RefusedWork | null>(null);
  readonly problems = new Store<readonly Problem[]>([]);
  readonly ports = new Store<Readonly<Record<string, Ports>>>({});
  readonly people = new Store<readonly Person[]>([]);
  readonly history = new Store<History>({ undo: false, redo: false });

  readonly #session: Connection;
  readonly #self: Self;
  readonly #outbox: Outbox;
  #replica: Replica;
  /** Whether this replica is open on the server, over this connection. */
  #synced = false;
  /** Why edits are not possible any more, though the canvas was open before. */
  #shut: string | null = null;
  #opening = 0;
  #attempt = 0;
  #gapSeen = false;
  #early: Uint8Array[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #openedListeners = new Set<(opened: CanvasOpened) => void>();
  readonly #end: (() => void)[];

  constructor(session: Connection, canvas: string, self: Self) {
    super();
    this.#session = session;
    this.canvas = canvas;
    this.#self = self;
    this.#outbox = new Outbox({
      send: async (msg_id, update) => {
        await session.request("canvas.update", { canvas, msg_id, update });
      },
      changed: () => this.#tell(),
      refused: (error) => this.#refuse(error),
    });
    this.#replica = this.#makeReplica();
    this.#end = [
      session.onOnline(() => this.#open()),
      session.status.subscribe(() => this.#statusChanged()),
      this.#on("canvas.updates", ({ updates }) => this.#receive(updates)),
      this.#on("canvas.awareness", ({ update }) => this.#meet(update)),
      this.#on("canvas.problems", (diagnosis) => this.#diagnose(diagnosis)),
      this.#on("canvas.role", ({ role }) => this.#setRole(role)),
    ];
  }

  get doc(): Y.Doc {
    return this.#replica.doc;
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

  dismissRefused(): void {
    this.refused.set(null);
    this.#tell();
  }

  saved(): Promise<void> {
    return new Promise((resolve, reject) => {
      const refused = this.refused.get();
      const look = () => {
        const now = this.refused.get();
        if (now && now !== refused) settle(() => reject(new ProtocolError(now.error)));
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
    this.#opening += 1;
    if (this.#timer) clearTimeout(this.#timer);
    for (const end of this.#end) end();
    this.#outbox.pause();
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

  #makeReplica(): Replica {
    return new Replica({
      self: this.#self,
      before: this.spell.get(),
      spell: (spell) => this.spell.set(spell),
      edited: (update) => this.#outbox.add(update),
      history: (history) => this.history.set(history),
      presence: {
        changed: (people) => this.people.set(people),
        send: (update) => {
          const lossy = this.#session.request("canvas.awareness", { canvas: this.canvas, update });
          lossy.catch(() => {}); // The next state makes up for a lost one.
        },
      },
    });
  }

  // Sync.

  #open(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pause();
    this.#opening += 1;
    void this.#openNow(this.#opening, this.#replica);
  }

  async #openNow(opening: number, replica: Replica): Promise<void> {
    const known = replica.epoch === null ? {} : { epoch: replica.epoch, state_vector: replica.stateVector };
    try {
      const request = { canvas: this.canvas, client_id: replica.doc.clientID, ...known };
      const opened = await this.#session.request("canvas.open", request);
      if (opening === this.#opening) this.#opened(replica, opened);
    } catch (error) {
      if (opening !== this.#opening) return;
      this.#notOpened(error instanceof ProtocolError ? error : null, error);
    }
  }

  #opened(replica: Replica, opened: CanvasOpened): void {
    if (replica.epoch !== null && replica.epoch !== opened.epoch) {
      this.#replaceReplica({ code: "epoch_mismatch", message: "The canvas was replaced on the server." });
      return;
    }
    replica.epoch = opened.epoch;
    this.#attempt = 0;
    this.#shut = null;
    replica.apply([toBytes(opened.diff), ...this.#early]);
    this.#early = [];
    replica.snapshot.refresh();
    this.#synced = true;
    this.role.set(opened.role);
    this.#diagnose(opened);
    const pending = this.#outbox.pending > 0;
    // What is kept goes as it is; only where that has a gap for the server, the whole difference goes instead.
    const keep = pending && !this.#gapSeen;
    this.#outbox.resume(keep ? "kept" : replica.lackedBy(toBytes(opened.state_vector), pending));
    replica.presence.resume(opened.presence ? toBytes(opened.presence) : null);
    this.loading.set({ state: "open" });
    this.#tell();
    for (const listener of [...this.#openedListeners]) listener(opened);
  }

  #notOpened(known: ProtocolError | null, error: unknown): void {
    if (known && REPLACE.has(known.code)) {
      this.#replaceReplica(known.body);
      return;
    }
    const status = this.#session.status.get().state;
    if (known?.unanswered && status !== "online") return; // The next connection opens it.
    const final = known && ["not_found", "forbidden", "bad_request", "unauthenticated"].includes(known.code);
    if (final) {
      this.#shut = known.message;
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
    if (this.#replica.gap) this.#open();
  }

  #meet(update: Bytes): void {
    if (this.#synced) this.#replica.presence.receive(toBytes(update));
  }

  #refuse(error: ErrorBody): void {
    if (REOPEN.has(error.code) && !this.#gapSeen) {
      this.#gapSeen = true;
      this.#open();
      return;
    }
    this.#replaceReplica(error);
  }

  /** Go on with the server's state; what it has not taken is kept as `refused`. */
  #replaceReplica(error: ErrorBody): void {
    if (this.#outbox.pending > 0) this.refused.set({ error, at: Date.now(), spell: this.toJson() });
    this.#outbox.clear();
    this.#early = [];
    this.#replica.close();
    this.#replica = this.#makeReplica();
    this.history.set({ undo: false, redo: false });
    this.people.set([]);
    this.generation.set(this.generation.get() + 1);
    this.#open();
  }

  // What is told to the page.

  #diagnose({ problems, ports }: Diagnosis): void {
    if (problems) this.problems.set(problems);
    if (ports) this.ports.set(ports);
  }

  #setRole(role: Role | null): void {
    this.role.set(role);
    if (role === null) {
      this.#shut = "This canvas was deleted, or you were taken off it.";
      this.#pause();
    }
    this.#tell();
  }

  #tell(): void {
    if (this.#synced && this.#outbox.pending === 0) this.#gapSeen = false;
    const role = this.role.get();
    const mayEdit = role !== null && EDITING_ROLES.has(role) && !this.#shut;
    // A new replica takes no edits before it has the server's state; an old one does also offline.
    this.editable.set(mayEdit && this.#replica.epoch !== null);
    const status = this.#saveStatus(mayEdit);
    if (JSON.stringify(status) !== JSON.stringify(this.saving.get())) this.saving.set(status);
  }

  #saveStatus(mayEdit: boolean): SaveStatus {
    const { pending, trouble } = this.#outbox;
    const role = this.role.get();
    if (this.#shut) return { state: "read-only", reason: this.#shut };
    if (role && !mayEdit)
      return { state: "read-only", reason: `As ${role} you can look at this canvas, not edit it.` };
    if (trouble) return { state: "offline", pending, reason: trouble };
    if (!this.#synced) return { state: "offline", pending, reason: this.#connectionReason() };
    if (pending > 0) return { state: "saving", pending };
    const refused = this.refused.get();
    return refused ? { state: "rejected", error: refused.error } : { state: "saved" };
  }

  #connectionReason(): string {
    const status = this.#session.status.get();
    if (status.state === "offline") return status.reason;
    if (status.state === "refused") return status.error.message;
    return "Connecting.";
  }

  #text(kind: "nodes" | "notes", id: string, name: string): Y.Text | null {
    const map = root(this.doc, kind).get(id);
    const text = map instanceof Y.Map ? map.get(name) : null;
    return text instanceof Y.Text ? text : null;
  }
}

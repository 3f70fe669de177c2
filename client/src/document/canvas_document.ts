/** A canvas shared with others: what the page sees of it, and the edits it makes. */
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { ProtocolError } from "../api/errors";
import { type Browser, type KeptCanvas, NoBrowser, whenLeft } from "../offline";
import type {
  Announced,
  CanvasOpened,
  Diagnosis,
  ErrorBody,
  Ports,
  Problem,
  Role,
  Spell,
  SpellJson,
} from "../protocol";
import type { Connection } from "../session/types";
import { Store } from "../store";
import { DocumentEdits } from "./edits";
import { spellToJson } from "./json";
import { saveStatus } from "./save_status";
import { root } from "./shape";
import { EMPTY } from "./snapshot";
import { Sync } from "./sync";
import type { History, Loading, OwnPresence, Person, SaveStatus, Self, SharedDocument } from "./types";

/** What somebody is told who had the canvas open, and may not any more. */
const GONE = "This canvas was deleted, or you were taken off it.";
const EDITING_ROLES: ReadonlySet<string> = new Set(["owner", "editor", "admin"]);

/** See `SharedDocument`; `Sync` keeps it in step with the server. */
export class CanvasDocument extends DocumentEdits implements SharedDocument {
  readonly canvas: string;
  readonly loading = new Store<Loading>({ state: "loading" });
  readonly spell = new Store<Spell>(EMPTY);
  readonly saving = new Store<SaveStatus>({ state: "offline", pending: 0, unkept: 0, reason: "Connecting." });
  readonly generation = new Store(0);
  readonly role = new Store<Role | null>(null);
  readonly editable = new Store(false);
  readonly keepTrouble = new Store<string | null>(null);
  readonly problems = new Store<readonly Problem[]>([]);
  readonly ports = new Store<Readonly<Record<string, Ports>>>({});
  readonly people = new Store<readonly Person[]>([]);
  readonly history = new Store<History>({ undo: false, redo: false });

  readonly #session: Connection;
  readonly #sync: Sync;
  /** Why edits are not possible any more, though the canvas was open before. */
  #shut: string | null = null;
  #closed = false;
  readonly #openedListeners = new Set<(opened: CanvasOpened) => void>();
  readonly #end: (() => void)[];

  constructor(session: Connection, canvas: string, self: Self, browser: Browser = new NoBrowser()) {
    super();
    this.#session = session;
    this.canvas = canvas;
    this.#sync = new Sync(session, canvas, self, browser, this, {
      changed: () => this.#tell(),
      restored: (kept) => this.#restored(kept),
      answered: (opened) => this.#answered(opened),
      opened: (opened) => this.#opened(opened),
      closed: (error, takenOff) => this.#shutOut(error, takenOff),
    });
    this.#end = [
      session.onOnline(() => this.#sync.open()),
      session.status.subscribe(() => this.#sync.statusChanged()),
      this.#on("canvas.updates", ({ updates }) => this.#sync.receive(updates)),
      this.#on("canvas.awareness", ({ update }) => this.#sync.meet(update)),
      this.#on("canvas.problems", (diagnosis) => this.#diagnose(diagnosis)),
      this.#on("canvas.role", ({ role }) => this.#setRole(role)),
      whenLeft({
        left: () => void this.#sync.kept.keeper.flush(),
        ending: () => this.#sync.kept.keeper.leave(),
        back: () => this.#sync.lookAround(),
      }),
    ];
    void this.#sync.restore(browser);
  }

  get refused(): SharedDocument["refused"] {
    return this.#sync.aside.copies;
  }

  get doc(): Y.Doc {
    return this.#sync.replica.doc;
  }

  /** Edits, and copies of refused work, that would be lost if this tab ended now. */
  get unkept(): number {
    const { kept, outbox, aside } = this.#sync;
    return kept.unkept(outbox.pending) + kept.unkeptCopies(aside.copies.get());
  }

  get awareness(): Awareness {
    return this.#sync.replica.presence.awareness;
  }

  get undoManager(): Y.UndoManager {
    return this.#sync.replica.undoManager;
  }

  /** Call `listener` after each time the canvas was opened on the server, first and after reconnections. */
  onOpened(listener: (opened: CanvasOpened) => void): () => void {
    this.#openedListeners.add(listener);
    return () => {
      this.#openedListeners.delete(listener);
    };
  }

  setPresence(presence: OwnPresence): void {
    this.#sync.replica.presence.set(presence);
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
    const done = this.#sync.aside.discard(id);
    this.#tell();
    await done;
  }

  saved(): Promise<void> {
    return new Promise((resolve, reject) => {
      const before = this.#sync.aside.made;
      const look = () => {
        const fresh = this.#sync.aside.made > before ? this.refused.get().at(-1) : undefined;
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
    for (const end of this.#end) end();
    this.editable.set(false);
    this.#sync.close();
  }

  #on<E extends `canvas.${"updates" | "awareness" | "problems" | "role"}`>(
    event: E,
    listener: (data: Announced<E>) => void,
  ): () => void {
    return this.#session.on(event, (data) => {
      if (data.canvas === this.canvas) listener(data);
    });
  }

  #restored(kept: KeptCanvas | null): void {
    if (kept?.head) this.role.set(kept.head.role);
    this.#tell();
    if (kept?.head) this.loading.set({ state: "open" });
  }

  #answered(opened: CanvasOpened): void {
    this.#shut = null;
    this.role.set(opened.role);
    this.#keepHead();
    this.#diagnose(opened);
  }

  #opened(opened: CanvasOpened): void {
    this.loading.set({ state: "open" });
    this.#tell();
    this.#sync.lookAround();
    for (const listener of [...this.#openedListeners]) listener(opened);
  }

  /** The server will not open the canvas, whatever is waited. */
  #shutOut(error: ErrorBody, takenOff: boolean): void {
    const wasOpen = this.loading.get().state === "open";
    const why = takenOff && wasOpen ? { ...error, message: GONE } : error;
    if (takenOff) {
      this.role.set(null);
      this.#sync.takeOff(why);
    }
    this.#shut = why.message;
    if (!wasOpen) this.loading.set({ state: "failed", error });
    this.#tell();
  }

  #keepHead(): void {
    const { epoch } = this.#sync.replica;
    const role = this.role.get();
    if (epoch !== null && role !== null)
      this.#sync.kept.keeper.setHead({ epoch, role, name: this.spell.get().name, at: Date.now() });
  }

  #diagnose({ problems, ports }: Diagnosis): void {
    if (problems) this.problems.set(problems);
    if (ports) this.ports.set(ports);
  }

  #setRole(role: Role | null): void {
    this.role.set(role);
    if (role === null) {
      this.#shut = GONE;
      this.#sync.pause();
      this.#sync.takeOff({ code: "forbidden", message: this.#shut });
    } else this.#keepHead();
    this.#tell();
  }

  #tell(): void {
    if (this.#closed) return;
    const { kept, outbox, aside, synced, busy, replica } = this.#sync;
    this.#sync.settled();
    const role = this.role.get();
    const mayEdit = role !== null && EDITING_ROLES.has(role) && !this.#shut;
    // A new replica takes no edits before it has the server's state; an old one does also offline.
    this.editable.set(mayEdit && replica.epoch !== null);
    this.keepTrouble.set(kept.trouble);
    const status = saveStatus({
      role,
      mayEdit,
      shut: this.#shut,
      pending: outbox.pending,
      unkept: kept.unkept(outbox.pending),
      trouble: outbox.trouble,
      session: this.#session.status.get(),
      synced,
      busy,
      copies: aside.copies.get(),
    });
    if (JSON.stringify(status) !== JSON.stringify(this.saving.get())) this.saving.set(status);
  }

  #text(kind: "nodes" | "notes", id: string, name: string): Y.Text | null {
    const map = root(this.doc, kind).get(id);
    const text = map instanceof Y.Map ? map.get(name) : null;
    return text instanceof Y.Text ? text : null;
  }
}

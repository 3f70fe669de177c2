/** Keeping the document of this tab in step with the server's. */
import { ProtocolError } from "../api/errors";
import { type Browser, inTime, type KeptCanvas } from "../offline";
import { type Bytes, type CanvasOpened, type ErrorBody, type Spell, toBytes } from "../protocol";
import { backoff } from "../session/backoff";
import type { Connection } from "../session/types";
import type { Store } from "../store";
import { BrowserSide } from "./browser_side";
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
import { SetAside } from "./set_aside";
import type { History, Person, Self } from "./types";

const RETRY = { first: 500, longest: 10_000 };
/** How often edits are done again for one that the server takes. */
const MOST_REDOS = 3;

/** What of the document is shown, and changes when a new replica begins. */
export interface Shown {
  readonly spell: Store<Spell>;
  readonly history: Store<History>;
  readonly people: Store<readonly Person[]>;
  readonly generation: Store<number>;
}

/** What the page is told of the sync. */
export interface SyncListener {
  /** Something changed on which the one word of saving depends. */
  changed(): void;
  /** The browser has said what it kept; null when nothing. */
  restored(kept: KeptCanvas | null): void;
  /** The canvas is open on the server: its role and problems are known, edits are about to be sent. */
  answered(opened: CanvasOpened): void;
  /** The canvas is open, and all that is known is in the document. */
  opened(opened: CanvasOpened): void;
  /** It will not be opened. `takenOff`: this person may not have it any more. */
  closed(error: ErrorBody, takenOff: boolean): void;
}

/**
 * The replica of this tab, what waits to be sent, and what the browser keeps.
 *
 * What the browser kept is taken first. `canvas.open` with this tab's state vector answers what the tab
 * lacks and the server's state vector; what the server lacks follows as edits. From then on the tab sends each
 * edit and keeps it, in the browser too, until it is acknowledged. Where the server refuses an edit, a new
 * replica begins with the server's state, and all other work is put on it (see `salvage.ts`). Another life of the
 * canvas is never merged. The rules are in the README.
 */
export class Sync {
  readonly outbox: Outbox;
  readonly kept: BrowserSide;
  readonly aside: SetAside;
  readonly #session: Connection;
  readonly #canvas: string;
  readonly #self: Self;
  readonly #shown: Shown;
  readonly #listener: SyncListener;
  #replica: Replica;
  /** Whether the browser has said what it kept: before that the canvas is not opened on the server. */
  #restored = false;
  /** Whether this replica is open on the server, over this connection. */
  #synced = false;
  /** Whether it is being looked up, or put in order, what the server is to be sent. */
  #mending = false;
  #fresh: FreshStart | null = null;
  #redos = 0;
  /** Ends when the browser has what was done again after a refusal. */
  #redone: Promise<void> | null = null;
  #opening = 0;
  #attempt = 0;
  #gapSeen = false;
  #closed = false;
  /** Set while a new replica is put together: nobody is to see it half. */
  #quiet = false;
  #early: Uint8Array[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    session: Connection,
    canvas: string,
    self: Self,
    browser: Browser,
    shown: Shown,
    listener: SyncListener,
  ) {
    this.#session = session;
    this.#canvas = canvas;
    this.#self = self;
    this.#shown = shown;
    this.#listener = listener;
    this.outbox = new Outbox({
      send: async (msg_id, update) => {
        await session.request("canvas.update", { canvas, msg_id, update });
      },
      changed: () => listener.changed(),
      acknowledged: (edits) => {
        this.#redos = 0;
        this.kept.keeper.settle(edits);
      },
      refused: (error, edit) => this.#refuse(error, edit),
    });
    this.kept = new BrowserSide(browser, self.id, canvas, {
      epoch: () => this.#replica.epoch,
      changed: () => listener.changed(),
      found: (kept) => this.#take(kept),
      seen: (updates) => this.#replica.apply(updates, KEPT),
      adopted: (edits) => this.outbox.adopt(edits),
      dropped: (updates) => this.#startAfresh({ dropped: updates }),
      copies: (copies) => {
        this.aside.copies.set(copies);
        listener.changed();
      },
    });
    this.aside = new SetAside(canvas, this.outbox, this.kept);
    this.#replica = this.#makeReplica();
  }

  get replica(): Replica {
    return this.#replica;
  }

  /** Whether the canvas is open on the server, or about to be. */
  get synced(): boolean {
    return this.#synced || this.busy;
  }

  /** Whether it is still being looked up what there is to send. */
  get busy(): boolean {
    return this.#mending || this.#fresh !== null;
  }

  /** Read what the browser kept, then open the canvas on the server. */
  async restore(browser: Browser): Promise<void> {
    const kept = await this.kept.open(browser, this.#self.id, this.#canvas);
    if (this.#closed) return;
    this.#restored = true;
    // Only now, with all edits counted that wait to be sent.
    this.#listener.restored(kept);
    if (this.#session.status.get().state === "online") this.open();
  }

  lookAround(): void {
    if (!this.#fresh) void this.kept.lookAround();
  }

  /** The connection came, or went. */
  statusChanged(): void {
    const { state } = this.#session.status.get();
    if (state !== "online" && state !== "stopping" && this.#synced) this.pause();
    else this.#listener.changed();
  }

  /** Stop sending, and set all that waits aside as a copy: this person may not have the canvas any more. */
  takeOff(error: ErrorBody): void {
    this.outbox.pause();
    this.#setAllAside(error, [], null);
  }

  /** Leave the canvas; what waits is sent once more, or stays kept. */
  close(): void {
    this.#closed = true;
    this.#opening += 1;
    if (this.#timer) clearTimeout(this.#timer);
    const { state } = this.#session.status.get();
    const open = this.#synced && (state === "online" || state === "stopping");
    // What was refused or is being looked into waits for the next opening, in the browser's store.
    if (open && !this.busy) void this.outbox.finish().finally(() => this.kept.close());
    else {
      this.outbox.pause();
      void this.kept.close();
    }
    // Also when an answer to `canvas.open` is still on its way: the server keeps the order.
    void this.#session.request("canvas.close", { canvas: this.#canvas }).catch(() => {});
    this.#synced = false;
    this.#replica.close();
  }

  /** All is sent: a gap that was seen is filled. */
  settled(): void {
    if (this.#synced && !this.#mending && this.outbox.pending === 0) this.#gapSeen = false;
  }

  #makeReplica(clientId?: number): Replica {
    const { spell, history, people } = this.#shown;
    const options = {
      self: this.#self,
      before: spell.get(),
      spell: (now: Spell) => {
        if (!this.#quiet) spell.set(now);
      },
      edited: (update: Uint8Array) => this.#edited(update),
      history: (now: History) => history.set(now),
      presence: {
        changed: (now: readonly Person[]) => people.set(now),
        send: (update: Uint8Array) => {
          const lossy = this.#session.request("canvas.awareness", { canvas: this.#canvas, update });
          lossy.catch(() => {}); // The next state makes up for a lost one.
        },
      },
    };
    return new Replica(options, clientId);
  }

  #edited(update: Uint8Array): void {
    const edit: UnsentEdit = { update, key: null };
    this.kept.keeper.keep(edit);
    this.outbox.add(edit);
  }

  /** Take up what is kept of the canvas, before the server answers. */
  #take({ head, acked, edits, refused }: KeptCanvas): void {
    this.aside.copies.set(refused);
    if (!head) return;
    this.#replica.epoch = head.epoch;
    this.kept.keeper.setEpoch(head.epoch);
    this.#replica.apply([...acked, ...edits.map(({ update }) => update)], KEPT);
    this.#replica.snapshot.refresh();
  }

  /** Open the canvas on the server, now; an opening under way counts no more. */
  open(): void {
    if (!this.#restored || this.#closed) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.pause();
    this.#opening += 1;
    void this.#openNow(this.#opening, this.#replica, this.#fresh);
  }

  async #openNow(opening: number, replica: Replica, fresh: FreshStart | null): Promise<void> {
    const client_id = fresh?.client ?? replica.doc.clientID;
    const whole = fresh !== null || replica.epoch === null;
    const known = whole ? {} : { epoch: replica.epoch as string, state_vector: replica.stateVector };
    try {
      const theirs = fresh ? await this.kept.editsOfOthers() : [];
      if (opening !== this.#opening) return;
      const opened = await this.#session.request("canvas.open", {
        canvas: this.#canvas,
        client_id,
        ...known,
      });
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
    const state = [toBytes(opened.diff), ...this.#early];
    this.#early = [];
    replica.apply(state);
    replica.snapshot.refresh();
    this.kept.keeper.setEpoch(opened.epoch);
    this.kept.keeper.acked(state);
    this.#synced = true;
    this.#listener.answered(opened);
    const theirs = toBytes(opened.state_vector);
    if (this.#gapSeen || (this.outbox.pending === 0 && replica.isAheadOf(theirs))) void this.#mend(theirs);
    else this.outbox.resume();
    replica.presence.resume(opened.presence ? toBytes(opened.presence) : null);
    this.#listener.opened(opened);
  }

  /**
   * Send what the server lacks: what it had acknowledged and lost, then the edits of all tabs in their order,
   * since those of one may build on those of another that is slow to send.
   */
  async #mend(stateVector: Uint8Array): Promise<void> {
    const opening = this.#opening;
    this.#mending = true;
    const kept = await this.kept.load();
    if (opening !== this.#opening) return;
    const lost = lackedBy(stateVector, kept?.acked ?? []);
    const others = this.#gapSeen ? (kept?.edits ?? []) : [];
    const known = new Set(this.outbox.edits.map(({ key }) => key));
    const borrowed = others
      .filter(({ key }) => !known.has(key))
      .map(({ key, update }): UnsentEdit => ({ key, update }));
    const edits = [...this.outbox.edits, ...borrowed].sort(byKey);
    this.outbox.replace([...(lost ? [{ update: lost, key: null, again: true }] : []), ...edits]);
    this.#mending = false;
    this.outbox.resume();
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
      this.#listener.closed(known.body, TAKEN_OFF.has(known.code));
      return;
    }
    if (!known) console.error("The canvas could not be opened", error);
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.open(), backoff(this.#attempt, RETRY));
    this.#listener.changed();
  }

  /** Send nothing before the canvas is open again. */
  pause(): void {
    this.#synced = false;
    this.#mending = false;
    this.outbox.pause();
    this.#replica.presence.pause();
    this.#listener.changed();
  }

  /** Take what others edited. */
  receive(updates: readonly Bytes[]): void {
    const bytes = updates.map(toBytes);
    if (!this.#synced) {
      this.#early.push(...bytes);
      return;
    }
    this.#replica.apply(bytes);
    this.kept.keeper.acked(bytes);
    if (this.#replica.gap) this.open();
  }

  /** Take what others say of themselves. */
  meet(update: Bytes): void {
    if (this.#synced) this.#replica.presence.receive(toBytes(update));
  }

  // Refusals.

  #refuse(error: ErrorBody, edit: UnsentEdit): void {
    if (REOPEN.has(error.code) && !this.#gapSeen) {
      this.#gapSeen = true;
      this.open();
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
    this.open();
  }

  /** Put a new replica in the place of the old one, with the server's state and all work that can be saved. */
  #begin(opened: CanvasOpened, fresh: FreshStart, theirs: readonly UnsentEdit[]): void {
    const old = this.#replica;
    const mine = this.outbox.edits;
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
    this.#shown.spell.set(replica.snapshot.spell);
    this.#shown.history.set({ undo: false, redo: false });
    this.#shown.people.set([]);
    this.#shown.generation.update((count) => count + 1);
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
    const { kept, lost, redone, dropped, copy } = saved;
    this.outbox.replace(kept);
    const content = copy && { spell: spellToJson(copy.spell), touched: copy.touched };
    const written = this.aside.some(fresh.error, content, { epoch: replica.epoch, lost, redone, dropped });
    this.#redone = redone.length > 0 ? inTime(written).catch(() => {}) : null;
    return true;
  }

  /** See `SetAside.all`: the copy is of what the tab shows. */
  #setAllAside(error: ErrorBody, touched: readonly string[], epoch?: string | null): void {
    this.aside.all(error, { spell: spellToJson(this.#shown.spell.get()), touched }, epoch);
  }
}

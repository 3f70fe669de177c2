// A peer over Socket.IO, as a tab speaks: edits are acknowledged, and what was acknowledged must stay.
import { clocksOf, missing, note } from "./clocks.mjs";
import { io, ROOTS, Y } from "./yjs.mjs";

const PASSING = new Set(["unavailable", "store_unavailable", "canvas_not_open"]);

export class TabPeer {
  constructor({ url, token, canvas, random, fail }) {
    Object.assign(this, { canvas, random, fail });
    this.doc = new Y.Doc();
    for (const root of ROOTS) this.doc.getMap(root);
    this.durable = new Map();
    this.sent = [];
    this.held = [];
    this.unanswered = new Set();
    this.number = 0;
    this.open = false;
    this.doc.on("update", (update, origin) => {
      if (origin !== this && this.open) this.send(update);
    });
    this.socket = io(url, {
      auth: { token },
      transports: ["websocket"],
      reconnectionDelay: 20,
      reconnectionDelayMax: 200,
      randomizationFactor: 0.5,
      forceNew: true,
    });
    this.socket.on("connect", () => this.enter());
    this.socket.on("disconnect", () => this.leave());
    this.socket.on("connect_error", () => {
      // Refused by a server that is stopping: Socket.IO itself tries again only where nobody answered.
      if (!this.socket.active && !this.closed) setTimeout(() => this.closed || this.socket.connect(), 50);
    });
    this.socket.on("canvas.updates", ({ canvas: id, updates }) => {
      if (id === canvas) for (const update of updates) this.hold(new Uint8Array(update));
    });
  }

  get settled() {
    return this.open && this.unanswered.size === 0 && this.held.length === 0;
  }

  async enter() {
    const before = new Map(this.durable);
    const answer = await this.ask("canvas.open", {
      canvas: this.canvas,
      client_id: this.doc.clientID,
      state_vector: Y.encodeStateVector(this.doc),
      ...(this.epoch ? { epoch: this.epoch } : {}),
    });
    if (!answer) return;
    if (!answer.ok) {
      if (PASSING.has(answer.error.code)) setTimeout(() => this.socket.connected && this.enter(), 50);
      else this.fail(`canvas.open: ${JSON.stringify(answer.error)}`);
      return;
    }
    this.epoch = answer.epoch;
    const known = new Uint8Array(answer.state_vector);
    const lost = missing(before, clocksOf(known.length ? known : new Uint8Array([0])));
    if (lost) this.fail(`lost: ${lost}`);
    if (answer.diff.length) this.apply(new Uint8Array(answer.diff));
    this.open = true;
    const lacking = Y.encodeStateAsUpdate(this.doc, known.length ? known : undefined);
    if (lacking.length > 2) this.send(lacking);
  }

  leave() {
    this.open = false;
    this.held = [];
    this.unanswered.clear();
  }

  /** Ask the server; null when the connection is gone before it answers. */
  async ask(event, payload) {
    const { socket } = this;
    return new Promise((resolve) => {
      const gone = () => resolve(null);
      socket.once("disconnect", gone);
      socket.emit(event, payload, (answer) => {
        socket.off("disconnect", gone);
        resolve(answer);
      });
    });
  }

  async send(update) {
    const message = ++this.number;
    this.unanswered.add(message);
    this.sent.push(update);
    const answer = await this.ask("canvas.update", { canvas: this.canvas, msg_id: message, update });
    if (!answer) return;
    this.unanswered.delete(message);
    if (answer.ok) note(this.durable, update);
    else if (!PASSING.has(answer.error.code)) this.fail(`refused: ${JSON.stringify(answer.error)}`);
    else if (this.socket.connected) this.socket.io.engine.close();
  }

  /** Keep what comes a moment, and take it in another order: Yjs sorts it out. */
  hold(update) {
    note(this.durable, update);
    this.held.push(update);
    if (this.held.length === 1) setTimeout(() => this.release(), this.random.below(12));
  }

  release() {
    for (const update of this.random.shuffled(this.held.splice(0))) this.apply(update);
  }

  apply(update) {
    Y.applyUpdate(this.doc, update, this);
  }

  /** Send something old once more. */
  repeat() {
    if (this.open && this.sent.length) this.send(this.random.pick(this.sent));
  }

  /** Lose the connection; it comes back by itself, and edits go on meanwhile. */
  drop() {
    // One that is being opened would not tell that it was closed: Socket.IO would wait twenty seconds for it.
    if (this.socket.connected) this.socket.io.engine.close();
  }

  close() {
    this.closed = true;
    this.socket.disconnect();
    this.doc.destroy();
  }
}

/** A server in the test's own process, at the seam of the transport: canvases, acknowledgements, and their loss. */
import * as Y from "yjs";
import { fits } from "../document/fits";
import { EMPTY, Snapshot } from "../document/snapshot";
import type { CanvasOpened, ErrorBody, Role, RunEvent, RunView, Spell } from "../protocol";
import { Session } from "../session";
import type { Transport, TransportEvents, TransportFactory } from "../session/transport";

/** One canvas on the server. */
export interface FakeCanvas {
  doc: Y.Doc;
  epoch: string;
  seq: number;
  /** The last awareness update of each socket. */
  presence?: Map<FakeSocket, Uint8Array>;
}

/** What to do with the next `canvas.update`. */
export type UpdateFate = "take" | "lose request" | "lose answer" | ErrorBody;

/** A tab's line to the server. */
export class FakeSocket implements Transport {
  connected = false;
  role: Role = "owner";
  readonly open = new Set<string>();
  readonly sent: { event: string; payload: Record<string, unknown> }[] = [];
  #pending = new Set<(error: Error) => void>();

  constructor(
    readonly server: FakeServer,
    readonly events: TransportEvents,
    readonly token: () => Promise<string | null>,
  ) {}

  connect(): void {
    queueMicrotask(async () => {
      await this.token();
      const { refuse, reachable } = this.server;
      if (!reachable) return this.events.failed({ message: "unreachable", refused: null });
      if (refuse) return this.events.failed({ message: refuse.message, refused: refuse });
      this.connected = true;
      this.server.sockets.add(this);
      this.events.connected();
    });
  }

  disconnect(): void {
    this.cut("io client disconnect");
  }

  /** Lose the connection. */
  cut(reason = "transport close"): void {
    if (!this.connected) return;
    this.connected = false;
    this.open.clear();
    this.server.sockets.delete(this);
    this.events.disconnected(reason);
    for (const reject of this.#pending) reject(new Error("socket has been disconnected"));
    this.#pending.clear();
  }

  send(event: string, payload: object, timeout: number): Promise<unknown> {
    this.sent.push({ event, payload: payload as Record<string, unknown> });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error("operation has timed out"))), timeout);
      const settle = (how: () => void) => {
        clearTimeout(timer);
        this.#pending.delete(lost);
        how();
      };
      const lost = (error: Error) => settle(() => reject(error));
      this.#pending.add(lost);
      queueMicrotask(() => {
        const answer = this.server.handle(this, event, payload as Record<string, unknown>);
        if (answer !== undefined) queueMicrotask(() => settle(() => resolve(answer)));
      });
    });
  }

  emit(event: string, data: unknown): void {
    if (this.connected) this.events.event(event, data);
  }
}

/** See the top of the file. All canvases exist. */
export class FakeServer {
  reachable = true;
  refuse: ErrorBody | null = null;
  readonly sockets = new Set<FakeSocket>();
  readonly canvases = new Map<string, FakeCanvas>();
  /** Whether updates with a gap are refused, as the real server does. */
  strict = false;
  /** What an update would make of the canvas is refused with what this returns, if that is not null. */
  judge: ((spell: Spell) => ErrorBody | null) | null = null;
  /** Yjs client ids that belong to somebody else. */
  readonly takenClients = new Set<number>();
  /** Fates of the next updates; those after them are taken. */
  fates: UpdateFate[] = [];
  /** Answers to other events, by name. */
  readonly answers = new Map<string, (payload: Record<string, unknown>) => object>();
  runs: RunView[] = [];
  readonly streams = new Map<string, RunEvent[]>();

  /** A line to this server; `made` is told of its socket. */
  transport(role: Role = "owner", made: (socket: FakeSocket) => void = () => {}): TransportFactory {
    return (events, token) => {
      const socket = new FakeSocket(this, events, token);
      socket.role = role;
      made(socket);
      return socket;
    };
  }

  /** A session with its socket; not connected yet. */
  session(role: Role = "owner"): { session: Session; socket: FakeSocket } {
    const sockets: FakeSocket[] = [];
    const transport = this.transport(role, (socket) => sockets.push(socket));
    const session = new Session({ transport, backoff: { first: 1, longest: 1 } });
    const [socket] = sockets;
    if (!socket) throw new Error("the session made no transport");
    return { session, socket };
  }

  canvas(id: string): FakeCanvas {
    const known = this.canvases.get(id) ?? { doc: new Y.Doc(), epoch: "e1", seq: 0 };
    this.canvases.set(id, known);
    return known;
  }

  handle(socket: FakeSocket, event: string, payload: Record<string, unknown>): object | undefined {
    if (!socket.connected) return undefined;
    const special = this.answers.get(event);
    if (special) {
      const answer = special(payload);
      return "ok" in answer ? answer : { ok: true, ...answer };
    }
    if (event === "canvas.open") return this.#open(socket, payload);
    if (event === "canvas.update") return this.#update(socket, payload);
    if (event === "events.resume") return this.#resume(payload);
    if (event === "runs.find") return { ok: true, items: this.runs };
    if (event === "comments.find") return { ok: true, items: [], read: {}, next: null };
    if (event === "canvas.awareness") {
      const canvas = this.canvas(payload.canvas as string);
      canvas.presence ??= new Map();
      canvas.presence.set(socket, payload.update as Uint8Array);
      this.#publish(socket, payload.canvas as string, event, {
        canvas: payload.canvas,
        update: payload.update,
      });
    }
    return { ok: true };
  }

  /** Write events of runs to a stream and send them to all who have the canvas open. */
  write(
    stream: string,
    events: readonly Omit<RunEvent, "seq">[],
    sendTo?: (socket: FakeSocket) => boolean,
  ): void {
    const log = this.streams.get(stream) ?? [];
    this.streams.set(stream, log);
    const numbered = events.map((event, index) => ({ ...event, seq: log.length + index + 1 }) as RunEvent);
    log.push(...numbered);
    for (const socket of this.sockets) {
      if (sendTo?.(socket) ?? true) socket.emit("run.events", { stream, events: numbered });
    }
  }

  /** Why an update is not taken. */
  #fault(doc: Y.Doc, update: Uint8Array): ErrorBody | null {
    if (this.strict && !fits(doc, update)) return { code: "update_gap", message: "Edits are missing." };
    if (!this.judge) return null;
    const trial = new Y.Doc();
    Y.applyUpdate(trial, Y.encodeStateAsUpdate(doc));
    Y.applyUpdate(trial, update);
    let spell = EMPTY;
    const snapshot = new Snapshot(trial, EMPTY, (read) => {
      spell = read;
    });
    snapshot.refresh();
    return this.judge(spell);
  }

  #open(socket: FakeSocket, { canvas: id, client_id, epoch, state_vector }: Record<string, unknown>): object {
    const canvas = this.canvas(id as string);
    if (epoch !== undefined && epoch !== canvas.epoch) {
      return refusal({ code: "epoch_mismatch", message: "The canvas was replaced." });
    }
    if (this.takenClients.has(client_id as number)) {
      return refusal({ code: "client_id_taken", message: "The client id is somebody else's." });
    }
    socket.open.add(id as string);
    const opened: CanvasOpened = {
      canvas: id as string,
      epoch: canvas.epoch,
      role: socket.role,
      diff: Y.encodeStateAsUpdate(canvas.doc, state_vector as Uint8Array | undefined),
      state_vector: Y.encodeStateVector(canvas.doc),
      seq: canvas.seq,
      presence: everybody(canvas, socket),
      problems: [],
      ports: {},
      runs: this.runs,
      streams: { [`canvas:${id}`]: this.streams.get(`canvas:${id}`)?.length ?? 0 },
      live: false,
    };
    return { ok: true, ...opened };
  }

  #update(socket: FakeSocket, { canvas: id, update, msg_id }: Record<string, unknown>): object | undefined {
    const fate = this.fates.shift() ?? "take";
    if (fate === "lose request") return undefined;
    if (typeof fate === "object") return refusal(fate);
    if (!socket.open.has(id as string))
      return refusal({ code: "canvas_not_open", message: "Open it first." });
    if (socket.role === "viewer")
      return refusal({ code: "forbidden", message: "You may not edit this canvas." });
    const canvas = this.canvas(id as string);
    const fault = this.#fault(canvas.doc, update as Uint8Array);
    if (fault) return refusal(fault);
    Y.applyUpdate(canvas.doc, update as Uint8Array);
    canvas.seq += 1;
    const message = { canvas: id, seq: canvas.seq, updates: [(update as Uint8Array).slice()] };
    this.#publish(socket, id as string, "canvas.updates", message);
    return fate === "lose answer" ? undefined : { ok: true, msg_id, seq: canvas.seq };
  }

  #resume({ stream, after_seq }: Record<string, unknown>): object {
    const log = this.streams.get(stream as string) ?? [];
    return {
      ok: true,
      events: log.filter(({ seq }) => seq > (after_seq as number)),
      seq: log.length,
      more: false,
    };
  }

  #publish(from: FakeSocket, canvas: string, event: string, data: object): void {
    for (const socket of this.sockets)
      if (socket !== from && socket.open.has(canvas)) socket.emit(event, data);
  }
}

/** The others' states as one awareness update: each is a count of one and a state, so the states are put in a row. */
function everybody({ presence }: FakeCanvas, but: FakeSocket): Uint8Array | null {
  const states = [...(presence ?? [])].filter(([socket]) => socket !== but && socket.connected);
  return states.length === 0
    ? null
    : Uint8Array.of(states.length, ...states.flatMap(([, one]) => [...one.slice(1)]));
}

function refusal(error: ErrorBody): object {
  return { ok: false, error };
}

/** Let everything that is due now happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

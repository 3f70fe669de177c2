/** The versions of one canvas: the list as it grows, the one that is looked at, and the way back. */
import { ProtocolError } from "../api/errors";
import { FrozenDocument, type SharedDocument } from "../document";
import type { ErrorBody, Ports, SpellJson } from "../protocol";
import type { Connection } from "../session";
import { Store } from "../store";
import { marksOf, withAdded } from "./marks";
import type { Compared, Listing, Shown, Version } from "./types";

const PAGE = 50;
/** Milliseconds of rest after an edit of the present until it is compared anew. */
const REST_MS = 500;
/** Milliseconds that a save waits for edits that are still on their way. */
const PATIENCE_MS = 5_000;
/** Nodes whose ports are asked for at most. */
const MAX_PORTS = 24;
/** A whole spell may be large. */
const LONG = { timeout: 30_000 };

/** What is needed of the document that the person works on. */
export type Present = Pick<SharedDocument, "canvas" | "spell" | "ports" | "saved">;

/** What a restore left: restoring `before` takes it back. */
export interface Restored {
  readonly before: Version;
  readonly after: Version;
}

/**
 * Newest versions first. The list is kept up by `canvas.versions` and read anew after a lost connection; the
 * version that is looked at is a document of its own, so that the person's edits and undo are never touched.
 */
export class Timeline {
  readonly versions = new Store<readonly Version[]>([]);
  readonly listing = new Store<Listing>({ state: "loading" });
  readonly more = new Store(false);
  readonly shown = new Store<Shown | null>(null);
  /** The last restore that somebody made while this tab was open. */
  readonly restored = new Store<Version | null>(null);
  readonly #session: Connection;
  readonly #present: Present;
  readonly #end: (() => void)[] = [];
  #wanted = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #spell: SpellJson = {};

  constructor(session: Connection, present: Present) {
    this.#session = session;
    this.#present = present;
  }

  /** Listen to the server and to the present; returns what ends it. */
  open(): () => void {
    const ends = [
      this.#session.on("canvas.versions", ({ canvas, version }) => {
        if (canvas !== this.#present.canvas) return;
        if (this.#wanted) this.#take([version]);
        // A version is told again when it is named: that is no restore.
        const isNews = version.reason === "restored" && version.name === null;
        if (isNews && version.id !== this.restored.get()?.id) this.restored.set(version);
      }),
      this.#session.onOnline(() => {
        if (this.#wanted) void this.load();
      }),
      this.#present.spell.subscribe(() => this.#compareSoon()),
    ];
    return () => {
      for (const end of ends) end();
      this.back();
    };
  }

  /** Read the newest versions; from then on the list keeps itself up. */
  async load(): Promise<void> {
    this.#wanted = true;
    try {
      const page = await this.#session.request("versions.find", {
        canvas: this.#present.canvas,
        limit: PAGE,
      });
      const known = this.versions.get();
      const oldest = page.items.at(-1)?.number ?? 0;
      // What was loaded before goes on below the page; what the page does not have was thinned out.
      const below = page.more ? known.filter((version) => version.number < oldest) : [];
      this.versions.set([...page.items, ...below]);
      if (below.length === 0) this.more.set(page.more);
      this.listing.set({ state: "ready" });
    } catch (error) {
      this.listing.set({ state: "failed", error: bodyOf(error) });
    }
  }

  /** Read the page before the oldest version that is listed. */
  async loadOlder(): Promise<void> {
    const oldest = this.versions.get().at(-1);
    if (!oldest) return;
    const page = await this.#session.request("versions.find", {
      canvas: this.#present.canvas,
      limit: PAGE,
      before: oldest.number,
    });
    this.#take(page.items);
    this.more.set(page.more);
  }

  /** Name the canvas as it is now, with all that was done in this tab. */
  async save(name: string): Promise<Version> {
    await settled(this.#present);
    const version = await this.#session.request("versions.create", { canvas: this.#present.canvas, name });
    this.#take([version]);
    return version;
  }

  /** Give a version a name, or take it away with null. */
  async rename(id: string, name: string | null): Promise<void> {
    this.#take([await this.#session.request("versions.patch", { canvas: this.#present.canvas, id, name })]);
  }

  /** Look at a version; what is looked at already stays until this one is there. */
  async show(version: Version): Promise<void> {
    const before = this.shown.get();
    if (before?.version.id === version.id && before.state !== "failed") return;
    this.#drop();
    const mine: Shown = { state: "loading", version };
    this.shown.set(mine);
    const { canvas } = this.#present;
    try {
      const [whole, difference] = await Promise.all([
        this.#session.request("versions.get", { canvas, id: version.id }, LONG),
        this.#session.request("versions.compare", { canvas, id: version.id }, LONG),
      ]);
      if (this.shown.get() !== mine) return;
      this.#spell = whole.spell as SpellJson;
      const ports = new Store(await this.#ports(difference));
      if (this.shown.get() !== mine) return;
      const document = new FrozenDocument(canvas, this.#drawn(difference), ports);
      this.shown.set({ state: "open", version, document, difference, marks: marksOf(difference.changes) });
    } catch (error) {
      if (this.shown.get() === mine) this.shown.set({ state: "failed", version, error: bodyOf(error) });
    }
  }

  /** Look at the canvas as it is now. */
  back(): void {
    this.#drop();
    this.shown.set(null);
  }

  /** Draw a version again, for everybody, and look at what became of it. */
  async restore(id: string): Promise<Restored> {
    await settled(this.#present);
    const restored = await this.#session.request(
      "versions.restore",
      { canvas: this.#present.canvas, id },
      LONG,
    );
    this.#take([restored.after, restored.before]);
    this.back();
    return restored;
  }

  close(): void {
    for (const end of this.#end) end();
    this.back();
  }

  #take(versions: readonly Version[]): void {
    const fresh = new Map(versions.map((version) => [version.id, version]));
    const kept = this.versions.get().filter((version) => !fresh.has(version.id));
    this.versions.set([...kept, ...fresh.values()].sort((one, other) => other.number - one.number));
    const shown = this.shown.get();
    const now = shown && fresh.get(shown.version.id);
    if (shown && now) this.shown.set({ ...shown, version: now });
  }

  #drawn(difference: Compared): SpellJson {
    return withAdded(this.#spell, this.#present.spell.get(), difference.changes);
  }

  /** The ports of nodes whose ports follow their code: as they are now, and asked for where the code is another. */
  async #ports(difference: Compared): Promise<Readonly<Record<string, Ports>>> {
    const ports = { ...this.#present.ports.get() };
    const other = difference.changes
      .filter(({ kind, what }) => kind === "nodes" && (what === "changed" || what === "removed"))
      .flatMap(({ id }) => {
        const node = this.#spell.nodes?.[id];
        return node?.code === undefined ? [] : [[id, node] as const];
      });
    for (const [id] of other) delete ports[id];
    const asked = other.slice(0, MAX_PORTS).map(async ([id, node]) => {
      ports[id] = await this.#session.request("nodes.ports", { node: node as never });
    });
    // Without an answer a node shows the ports that have wires.
    await Promise.allSettled(asked);
    return ports;
  }

  #compareSoon(): void {
    if (this.shown.get()?.state !== "open") return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#compare(), REST_MS);
  }

  /** Somebody edited the present: what differs from it is not what it was. */
  async #compare(): Promise<void> {
    this.#timer = null;
    const before = this.shown.get();
    if (before?.state !== "open") return;
    try {
      const difference = await this.#session.request(
        "versions.compare",
        { canvas: this.#present.canvas, id: before.version.id },
        LONG,
      );
      const now = this.shown.get();
      if (now?.state !== "open" || now.document !== before.document) return;
      now.document.draw(this.#drawn(difference));
      this.shown.set({ ...now, difference, marks: marksOf(difference.changes) });
    } catch {
      // The marks are of a moment ago; the next edit, or choosing the version again, compares anew.
    }
  }

  #drop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const shown = this.shown.get();
    // Whoever shows it reads it until the next rendering.
    if (shown?.state === "open") setTimeout(() => shown.document.close());
  }
}

/** Wait until what was done in this tab is on the server, for a while: offline, the request itself says so. */
async function settled(present: Present): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([present.saved(), patience]).finally(() => clearTimeout(timer));
}

function bodyOf(error: unknown): ErrorBody {
  if (error instanceof ProtocolError) return error.body;
  return { code: "unknown", message: error instanceof Error ? error.message : String(error) };
}

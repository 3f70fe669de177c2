/** The packs that are installed into the worker of a canvas, kept as the server has them. */
import type { Rest } from "../api";
import { toBase64 } from "../engine/spell_forms";
import type { InstalledPack, InstalledPacks, UploadedPack } from "../protocol/generated";
import type { Connection } from "../session";
import { Store } from "../store";
import { reason } from "./attempt";

export type { InstalledPack } from "../protocol/generated";

/** Bytes of a file that is taken at most; the server may take fewer. */
const LARGEST = 50_000_000;

/**
 * Packs of one canvas's worker, over REST: an installation may take minutes.
 *
 * Read anew whenever the library of the canvas changes, so that every tab shows what anybody did. What was refused
 * is told in `failure`.
 */
export class PackShelf {
  /** Null until they are known. */
  readonly packs = new Store<readonly InstalledPack[] | null>(null);
  readonly failure = new Store<string | null>(null);
  /** What is being installed or removed by this tab. */
  readonly doing = new Store<string | null>(null);
  readonly #rest: Rest;
  readonly #canvas: string;
  #loading = 0;

  constructor(rest: Rest, canvas: string) {
    this.#rest = rest;
    this.#canvas = canvas;
  }

  /** Read the packs, and again whenever they change; returns what ends that. */
  open(session: Pick<Connection, "on" | "onOnline">): () => void {
    const ends = [
      session.on("library.changed", ({ canvas }) => {
        if (canvas === this.#canvas) void this.load();
      }),
      session.onOnline(() => void this.load()),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  async load(): Promise<void> {
    this.#loading += 1;
    const loading = this.#loading;
    try {
      const { items } = await this.#rest.get<InstalledPacks>("/v1/packs", {
        query: { canvas: this.#canvas },
      });
      if (loading === this.#loading) this.packs.set(items);
    } catch (error) {
      if (loading === this.#loading && this.packs.get() === null)
        this.failure.set(`Could not list the packs: ${reason(error)}`);
    }
  }

  /** Install a pack from the index, by its name and versions. */
  install(distribution: string, specifier: string): Promise<boolean> {
    return this.#act(distribution, `Could not install ${distribution}`, async () => {
      await this.#rest.post("/v1/packs", { canvas: this.#canvas, distribution, specifier });
    });
  }

  /** Install a pack from a wheel. */
  installFile(file: File): Promise<boolean> {
    return this.#act(file.name, `Could not install ${file.name}`, async () => {
      if (file.size > LARGEST) throw new Error(`it is larger than ${LARGEST / 1_000_000} MB`);
      const data = toBase64(new Uint8Array(await file.arrayBuffer()));
      const kept = await this.#rest.post<UploadedPack>("/v1/packs/files", {
        canvas: this.#canvas,
        name: file.name,
        data,
      });
      await this.#rest.post("/v1/packs", { canvas: this.#canvas, file: kept.file });
    });
  }

  /** Take a pack out of the worker; its nodes stay on the canvas as they are. */
  remove(pack: InstalledPack): Promise<boolean> {
    return this.#act(pack.distribution, `Could not remove ${pack.distribution}`, async () => {
      await this.#rest.delete(`/v1/packs/${encodeURIComponent(pack.id)}`);
    });
  }

  async #act(name: string, what: string, work: () => Promise<void>): Promise<boolean> {
    this.doing.set(name);
    try {
      await work();
      this.failure.set(null);
      await this.load();
      return true;
    } catch (error) {
      this.failure.set(`${what}: ${reason(error)}`);
      await this.load();
      return false;
    } finally {
      this.doing.set(null);
    }
  }
}

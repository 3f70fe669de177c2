/** Large values, fetched whole by their hash and kept for a while. */
import { isRef, type Json, type PortValue } from "../protocol";

/** Bytes of JSON kept at most; the values used longest ago go first. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** Fetches the value of a hash. */
export type FetchValue = (hash: string) => Promise<Json>;

/** Gives values whole. Two who ask for the same one at once share one fetch. */
export class ValueStore {
  readonly #fetch: FetchValue;
  readonly #kept = new Map<string, { value: Json; size: number }>();
  readonly #coming = new Map<string, Promise<Json>>();
  #bytes = 0;

  constructor(fetch: FetchValue) {
    this.#fetch = fetch;
  }

  /** Return a value; one that is not a reference is returned as it is. */
  async get(value: PortValue): Promise<Json> {
    if (!isRef(value)) return value;
    const hash = value.$ref;
    const kept = this.#kept.get(hash);
    if (kept) {
      this.#kept.delete(hash);
      this.#kept.set(hash, kept);
      return kept.value;
    }
    const coming = this.#coming.get(hash) ?? this.#load(hash, value.size);
    this.#coming.set(hash, coming);
    return coming;
  }

  async #load(hash: string, size: number): Promise<Json> {
    try {
      const value = await this.#fetch(hash);
      this.#keep(hash, value, size);
      return value;
    } finally {
      this.#coming.delete(hash);
    }
  }

  #keep(hash: string, value: Json, size: number): void {
    if (size > KEPT_BYTES) return;
    this.#kept.set(hash, { value, size });
    this.#bytes += size;
    for (const [old, { size: freed }] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES) break;
      this.#kept.delete(old);
      this.#bytes -= freed;
    }
  }
}

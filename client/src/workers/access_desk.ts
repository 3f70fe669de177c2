/** What the code of a canvas was allowed: hosts, and secrets with the hosts to which they may go. */
import type { Rest } from "../api";
import { Store } from "../store";
import { accessPaths, type GrantView, type SecretView } from "./access_paths";
import { attempt, reason } from "./attempt";

export type Grant = GrantView;
export type Secret = SecretView;

/** All that is known of a canvas's grants and of the secrets that this person may grant. */
export interface Access {
  readonly grants: readonly Grant[];
  readonly secrets: readonly Secret[];
  /** Whether this person may grant here. */
  readonly mayGrant: boolean;
  /** Of the people on the canvas, by their ids. */
  readonly names: Readonly<Record<string, string>>;
}

/**
 * Grants and secrets, over REST. A secret's value is sent once and never comes back. Every change is followed by what
 * the server then has; one that is refused is told in `failure` and changes nothing.
 */
export class AccessDesk {
  /** Null until it is known. */
  readonly access = new Store<Access | null>(null);
  readonly failure = new Store<string | null>(null);
  readonly busy = new Store(false);
  readonly #rest: Rest;
  readonly #canvas: string;
  #loading = 0;

  constructor(rest: Rest, canvas: string) {
    this.#rest = rest;
    this.#canvas = canvas;
  }

  async load(): Promise<void> {
    this.#loading += 1;
    const loading = this.#loading;
    try {
      const access = await accessPaths.read(this.#rest, this.#canvas);
      if (loading === this.#loading) this.access.set(access);
    } catch (error) {
      if (loading === this.#loading && this.access.get() === null)
        this.failure.set(`Could not look at the grants: ${reason(error)}`);
    }
  }

  /** Let the code connect to a host. */
  grantHost(host: string): Promise<boolean> {
    return this.#act(`Could not grant ${host}`, () => accessPaths.grantHost(this.#rest, this.#canvas, host));
  }

  /** Let requests of the code carry a secret, to these hosts and no others. */
  grantSecret(secret: Secret, hosts: readonly string[]): Promise<boolean> {
    return this.#act(`Could not grant ${secret.name}`, () =>
      accessPaths.grantSecret(this.#rest, this.#canvas, secret, hosts),
    );
  }

  /** Take a grant back, at once. */
  revoke(grant: Grant): Promise<boolean> {
    return this.#act("Could not take it back", () => accessPaths.revoke(this.#rest, this.#canvas, grant));
  }

  /** Keep a secret under a name: one's own, or this canvas's. */
  addSecret(name: string, value: string, ofCanvas: boolean): Promise<boolean> {
    return this.#act(`Could not keep ${name}`, () =>
      accessPaths.addSecret(this.#rest, name, value, ofCanvas ? this.#canvas : null),
    );
  }

  /** Put another value; what it was cannot be had again. */
  replaceSecret(secret: Secret, value: string): Promise<boolean> {
    return this.#act(`Could not replace ${secret.name}`, () =>
      accessPaths.replaceSecret(this.#rest, secret, value),
    );
  }

  /** Delete a secret, and with it every grant of it. */
  removeSecret(secret: Secret): Promise<boolean> {
    return this.#act(`Could not remove ${secret.name}`, () => accessPaths.removeSecret(this.#rest, secret));
  }

  async #act(what: string, work: () => Promise<unknown>): Promise<boolean> {
    this.busy.set(true);
    try {
      return await attempt(what, work, this.failure);
    } finally {
      await this.load();
      this.busy.set(false);
    }
  }
}

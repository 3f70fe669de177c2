/** The triggers of a canvas, as the server has them, and what people do about them. */

import { ProtocolError } from "../api/errors";
import type { NewTrigger, PatchTrigger, PreviewTrigger } from "../protocol/generated";
import type { Connection } from "../session";
import { Store } from "../store";
import type { Firing, FreshSecret, Trigger } from "./types";

/** Firings that are shown of one trigger. */
const SHOWN = 20;

/** Milliseconds after which the list is read anew: what fires in another process of the server is not told here. */
const ANEW_MS = 30_000;

/** What was refused, by field; "" is about all together. */
export type Faults = Readonly<Record<string, string>>;

/**
 * The list is read when it is first looked at, and after a lost connection; in between `triggers.changed` keeps it.
 * What was refused is told in `failure`, what a form got wrong to whoever sent it.
 */
export class TriggerDesk {
  /** The oldest first; null until they are known. */
  readonly triggers = new Store<readonly Trigger[] | null>(null);
  /** The last firings of the trigger that is opened. */
  readonly firings = new Store<{ readonly trigger: string; readonly items: readonly Firing[] } | null>(null);
  /** A secret that was just made: shown until it is put away, and never again. */
  readonly fresh = new Store<FreshSecret | null>(null);
  readonly failure = new Store<string | null>(null);
  readonly canvas: string;
  readonly #session: Pick<Connection, "request" | "on" | "onOnline">;
  #wanted = false;

  constructor(session: Pick<Connection, "request" | "on" | "onOnline">, canvas: string) {
    this.#session = session;
    this.canvas = canvas;
  }

  /** Listen to the server; returns what ends it. */
  open(): () => void {
    const timer = setInterval(() => {
      if (this.#wanted) void this.load();
    }, ANEW_MS);
    const ends = [
      () => clearInterval(timer),
      this.#session.on("triggers.changed", ({ canvas, id, trigger }) => {
        if (canvas === this.canvas) this.#take(id, trigger);
      }),
      this.#session.onOnline(() => {
        if (this.#wanted) void this.load();
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  async load(): Promise<void> {
    this.#wanted = true;
    try {
      this.triggers.set((await this.#session.request("triggers.find", { canvas: this.canvas })).items);
      this.failure.set(null);
    } catch (error) {
      this.failure.set(`Could not look at the schedules: ${words(error)}`);
    }
  }

  /** Show the last firings of a trigger, or with null of none. */
  async look(id: string | null): Promise<void> {
    if (id === null) {
      this.firings.set(null);
      return;
    }
    if (this.firings.get()?.trigger !== id) this.firings.set({ trigger: id, items: [] });
    try {
      const { items } = await this.#session.request("triggers.firings", { id, limit: SHOWN });
      if (this.firings.get()?.trigger === id) this.firings.set({ trigger: id, items });
    } catch (error) {
      this.failure.set(`Could not look at the firings: ${words(error)}`);
    }
  }

  /** Keep a new trigger; null when it is, else what is wrong with it. */
  create(fields: Omit<NewTrigger, "canvas">): Promise<Faults | null> {
    return this.#keep(async () => {
      const made = await this.#session.request("triggers.create", { canvas: this.canvas, ...fields });
      this.#take(made.trigger.id, made.trigger);
      if (made.secret !== null) this.fresh.set({ trigger: made.trigger, secret: made.secret });
    });
  }

  /** Change one; null when that is done, else what is wrong. */
  change(id: string, fields: Omit<PatchTrigger, "id">): Promise<Faults | null> {
    return this.#keep(async () => {
      this.#take(id, await this.#session.request("triggers.patch", { id, ...fields }));
    });
  }

  /** Turn one on or off. */
  turn(trigger: Trigger, enabled: boolean): Promise<boolean> {
    return this.#act(`Could not turn ${trigger.name} ${enabled ? "on" : "off"}`, async () => {
      this.#take(trigger.id, await this.#session.request("triggers.patch", { id: trigger.id, enabled }));
    });
  }

  /** Fire one now; gives the firing. */
  async fire(trigger: Trigger): Promise<Firing | null> {
    let fired: Firing | null = null;
    await this.#act(`Could not fire ${trigger.name}`, async () => {
      fired = await this.#session.request("triggers.fire", { id: trigger.id });
    });
    return fired;
  }

  remove(trigger: Trigger): Promise<boolean> {
    return this.#act(`Could not remove ${trigger.name}`, async () => {
      await this.#session.request("triggers.remove", { id: trigger.id });
      this.#take(trigger.id, null);
    });
  }

  /** Make another secret; the one before stays good for a day. */
  rotate(trigger: Trigger): Promise<boolean> {
    return this.#act(`Could not give ${trigger.name} another secret`, async () => {
      const made = await this.#session.request("triggers.rotate", { id: trigger.id });
      if (made.secret !== null) this.fresh.set({ trigger: made.trigger, secret: made.secret });
    });
  }

  /** Tell when settings that are not kept yet would be due: times, or what is wrong with them. */
  async preview(settings: PreviewTrigger["settings"]): Promise<readonly number[] | Faults> {
    try {
      return (await this.#session.request("triggers.preview", { settings })).times;
    } catch (error) {
      return faultsOf(error);
    }
  }

  putAway(): void {
    this.fresh.set(null);
  }

  #take(id: string, trigger: Trigger | null): void {
    const known = this.triggers.get();
    if (known === null) return;
    const others = known.filter((each) => each.id !== id);
    this.triggers.set(
      trigger === null
        ? others
        : [...others, trigger].sort((one, other) => one.created_at - other.created_at),
    );
    const shown = this.firings.get();
    if (shown?.trigger !== id) return;
    if (trigger === null) this.firings.set(null);
    else if (trigger.last !== null && !isSame(trigger.last, shown.items[0])) void this.look(id);
  }

  async #keep(work: () => Promise<void>): Promise<Faults | null> {
    try {
      await work();
      return null;
    } catch (error) {
      return faultsOf(error);
    }
  }

  async #act(what: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.failure.set(null);
      return true;
    } catch (error) {
      this.failure.set(`${what}: ${words(error)}`);
      return false;
    }
  }
}

/** Whether a firing is known already, and its run where it was. */
function isSame(last: Firing, known: Firing | undefined): boolean {
  return last.id === known?.id && last.status === known.status;
}

/** What the server said is wrong, by field. */
function faultsOf(error: unknown): Faults {
  const details = error instanceof ProtocolError ? error.body.details : {};
  const errors = (details as { errors?: readonly { field: string; message: string }[] })?.errors;
  if (!errors?.length) return { "": words(error) };
  return Object.fromEntries(errors.map(({ field, message }) => [fieldOf(field), message]));
}

/** A field as the form has it: settings are read by kind, which the server names in between. */
function fieldOf(field: string): string {
  return field.replace(/^settings\.(?:(?:cron|interval|webhook|poll|event)\.)?/, "").replace(/^run\./, "");
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

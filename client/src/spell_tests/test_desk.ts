/** The tests of the open canvas as they came out in this tab, and what people do about them. */
import type { SharedDocument } from "../document";
import type { TestMade } from "../protocol/generated";
import type { Connection } from "../session";
import { Store } from "../store";
import type { Standing, Tested } from "./standing";

/** Milliseconds: the server ends the tests of one request after ten minutes. */
const LONGEST_MS = 630_000;

/** What of a run is to be in the test; what is left out, the server chooses. */
export interface MakeTest {
  readonly name: string;
  readonly record?: readonly string[];
  readonly expect?: readonly string[];
}

/** What of a run the test that was just made of it does not have: why, by node and output ("" for all of it). */
export interface LeftOut {
  readonly test: string;
  readonly parts: readonly { readonly node: string; readonly port: string; readonly why: string }[];
}

/** The tests themselves are in the document; results are this tab's and of no others. */
export class TestDesk {
  /** How each test came out last, by id. */
  readonly tested = new Store<Readonly<Record<string, Tested>>>({});
  readonly running = new Store<ReadonlySet<string>>(new Set());
  /** The test that is opened in the list. */
  readonly opened = new Store<string | null>(null);
  readonly leftOut = new Store<LeftOut | null>(null);
  /** Why the last request was refused. */
  readonly failure = new Store<string | null>(null);
  readonly #session: Pick<Connection, "request">;
  readonly #document: Pick<SharedDocument, "canvas" | "spell" | "saved">;

  constructor(
    session: Pick<Connection, "request">,
    document: Pick<SharedDocument, "canvas" | "spell" | "saved">,
  ) {
    this.#session = session;
    this.#document = document;
  }

  standing(test: string): Standing {
    if (this.running.get().has(test)) return "running";
    return this.tested.get()[test]?.result.outcome ?? "never";
  }

  /** Run some tests, or all, as the spell is with what was edited in this tab. */
  async run(some?: readonly string[]): Promise<void> {
    const tests = (some ?? Object.keys(this.#document.spell.get().tests)).filter(
      (id) => !this.running.get().has(id),
    );
    if (tests.length === 0) return;
    this.#mark(tests, true);
    this.failure.set(null);
    try {
      await this.#document.saved();
      const spell = this.#document.spell.get();
      const answer = await this.#session.request(
        "spell_tests.run",
        { canvas: this.#document.canvas, tests },
        { timeout: LONGEST_MS },
      );
      const results = answer.tests.map((result) => [result.test, { result, spell }] as const);
      this.tested.update((before) => ({ ...before, ...Object.fromEntries(results) }));
    } catch (error) {
      this.failure.set(`Could not run the tests: ${words(error)}`);
    } finally {
      this.#mark(tests, false);
    }
  }

  /** Make a test of a run and open it; null when it is made, else why not. */
  async make(run: string, { name, record, expect }: MakeTest): Promise<string | null> {
    try {
      const made = await this.#session.request("runs.to_test", {
        id: run,
        name,
        ...(record && { record: [...record] }),
        ...(expect && { expect: [...expect] }),
      });
      this.opened.set(made.id);
      this.leftOut.set(leftOutOf(made));
      return null;
    } catch (error) {
      return words(error);
    }
  }

  #mark(tests: readonly string[], going: boolean): void {
    this.running.update((before) => {
      const after = new Set(before);
      for (const id of tests) going ? after.add(id) : after.delete(id);
      return after;
    });
  }
}

function leftOutOf({ id, left_out }: TestMade): LeftOut | null {
  const parts = Object.entries(left_out).flatMap(([node, ports]) =>
    Object.entries(ports).map(([port, why]) => ({ node, port, why })),
  );
  return parts.length === 0 ? null : { test: id, parts };
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

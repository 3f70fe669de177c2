/** The real server, in a process of its own, for tests that want no pretending. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Api, Auth } from "../api";
import { Session } from "../session";

/** The command that serves; `SPELLWORK_COMMAND` names another. */
export const COMMAND =
  process.env.SPELLWORK_COMMAND ?? fileURLToPath(new URL("../../../.venv/bin/spellwork", import.meta.url));

/** Whether the server is installed here; in CI it must be. */
export const serverIsHere = existsSync(COMMAND) || Boolean(process.env.CI);

/** Somebody who is signed in. */
export interface SignedInPerson {
  id: string;
  name: string;
  auth: Auth;
  api: Api;
  session: Session;
}

/** A server with data of its own; `stop` it in the end. */
export class RealServer {
  url = "";
  #process: ChildProcess | null = null;
  #port = 0;

  private constructor(readonly data: string) {}

  static async start(): Promise<RealServer> {
    const server = new RealServer(await mkdtemp(join(tmpdir(), "spellwork-client-")));
    await server.serve();
    return server;
  }

  /** Serve (again, on the same port and data). */
  async serve(): Promise<void> {
    const args = ["serve", "--host", "127.0.0.1", "--port", String(this.#port), "--data", this.data];
    const child = spawn(COMMAND, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    this.url = await new Promise((resolve, reject) => {
      let said = "";
      const hear = (data: Buffer) => {
        said += data.toString();
        const ready = /ready at (http:\S+)/.exec(said);
        if (ready?.[1]) resolve(ready[1]);
      };
      child.stdout?.on("data", hear);
      child.stderr?.on("data", hear);
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${said}`)));
    });
    this.#port = Number(new URL(this.url).port);
  }

  /** End the server by a signal and wait until it is gone. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  }

  /** End the server and remove its data. */
  async stop(): Promise<void> {
    await this.end();
    await rm(this.data, { recursive: true, force: true });
  }

  /** Add a person, sign in, and make a session that is not connected yet. */
  async person(name: string): Promise<SignedInPerson> {
    const email = `${name}@example.org`;
    const password = `the password of ${name}`;
    await promisify(execFile)(COMMAND, ["user", "add", email, "--password", password, "--data", this.data]);
    const auth = new Auth({ base: this.url });
    const { id } = await auth.login(email, password);
    const api = new Api({ base: this.url, tokens: auth });
    const session = new Session({
      url: this.url,
      token: () => auth.token(),
      backoff: { first: 20, longest: 200 },
    });
    return { id, name, auth, api, session };
  }
}

/** Wait until `look` finds something (neither false nor null nor undefined), at most 30 s; no fixed sleep. */
export async function until<T>(
  look: () => T | false | null | undefined,
  subscribe: (listener: () => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let end = () => {};
    const timer = setTimeout(() => {
      end();
      reject(new Error(`waited 30 s in vain for: ${look}`));
    }, 30_000);
    const check = () => {
      const found = look();
      if (found === false || found === null || found === undefined) return;
      clearTimeout(timer);
      end();
      resolve(found);
    };
    end = subscribe(check);
    check();
  });
}

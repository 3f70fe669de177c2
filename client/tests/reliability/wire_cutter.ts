/** A TCP proxy between a client and a server, whose wire a test can cut. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class WireCutter {
  readonly #sockets = new Set<Socket>();

  private constructor(readonly server: Server) {}

  /** Forward connections to `port` on this machine. */
  static async to(port: number): Promise<WireCutter> {
    const server = createServer();
    const cutter = new WireCutter(server);
    server.on("connection", (near) => cutter.#join(near, connect(port, "127.0.0.1")));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return cutter;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Break every connection, as a pulled plug does; new ones are let through. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.cut();
    await closed;
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.pipe(to);
      from.on("error", () => {}); // The other end is told by its close.
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy on a free loopback port that can be cut: bytes are then lost, and both ends see an open connection. */
export class SeverableProxy implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #wire: { cut: boolean };

  private constructor(url: string, server: Server, sockets: Set<Socket>, wire: { cut: boolean }) {
    this.url = url;
    this.#server = server;
    this.#sockets = sockets;
    this.#wire = wire;
  }

  /** In front of `target`, as in `http://127.0.0.1:2379`. */
  static async start(target: string): Promise<SeverableProxy> {
    const { hostname, port, protocol } = new URL(target);
    const sockets = new Set<Socket>();
    const wire = { cut: false };
    const server = createServer((near) => {
      const far = connect(Number(port), hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.on("data", (data) => {
          if (!wire.cut) to.write(data);
        });
        from.on("error", () => to.destroy());
        from.on("close", () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("the proxy has no address");
    return new SeverableProxy(`${protocol}//127.0.0.1:${address.port}`, server, sockets, wire);
  }

  /** Drops all bytes from now on. */
  cut(): void {
    this.#wire.cut = true;
  }

  /** Passes bytes on from now on. Closes connections that lost bytes. */
  mend(): void {
    this.#wire.cut = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

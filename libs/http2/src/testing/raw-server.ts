import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { HostAddress } from "@daos/hostlist";

/** A listener for tests that passes its connections to `handle`. A `handle` that does nothing makes a black hole. */
export class RawServer implements AsyncDisposable {
  readonly host: HostAddress;
  /** Number of connections so far. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(handle: (socket: Socket) => void, server: Server) {
    this.#server = server.on("connection", (socket: Socket) => {
      this.connections++;
      this.#sockets.add(socket.on("error", () => {}));
      handle(socket);
    });
    this.host = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  }

  static async start(
    handle: (socket: Socket) => void = () => {},
    where: HostAddress = { host: "127.0.0.1", port: 0 },
  ): Promise<RawServer> {
    const server = createServer();
    server.listen(where.port, where.host);
    await once(server, "listening");
    return new RawServer(handle, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

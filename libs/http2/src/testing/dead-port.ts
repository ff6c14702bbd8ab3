import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { HostAddress } from "@daos/hostlist";
import { RawServer } from "./raw-server.ts";

/**
 * An address without a listener. It is the local end of a connection, so no other process can listen on it. The port of a
 * closed listener could be taken.
 */
export class DeadPort implements AsyncDisposable {
  readonly host: HostAddress;
  readonly #server: RawServer;
  readonly #socket: Socket;

  private constructor(server: RawServer, socket: Socket) {
    this.host = { host: "127.0.0.1", port: socket.localPort ?? 0 };
    this.#server = server;
    this.#socket = socket;
  }

  static async take(): Promise<DeadPort> {
    const server = await RawServer.start();
    const socket = connect(server.host.port, server.host.host);
    await once(socket, "connect");
    return new DeadPort(
      server,
      socket.on("error", () => {}),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.#server[Symbol.asyncDispose]();
  }
}

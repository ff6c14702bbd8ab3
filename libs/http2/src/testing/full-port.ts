import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import type { HostAddress } from "@daos/hostlist";

/** More connections than the kernel keeps for a listener with the shortest queue. */
const QUEUED = 4;

/** Listens in a thread that then blocks. */
const LISTENER = `
  const { createServer } = require("node:net");
  const { parentPort } = require("node:worker_threads");
  const server = createServer();
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });`;

/** A port whose queue of connections is full: the kernel drops what comes, as if the host were down. */
export class FullPort implements AsyncDisposable {
  readonly host: HostAddress;
  readonly #worker: Worker;
  readonly #sockets: readonly Socket[];

  private constructor(worker: Worker, port: number) {
    this.#worker = worker;
    this.host = { host: "127.0.0.1", port };
    this.#sockets = Array.from({ length: QUEUED }, () => createConnection(this.host).on("error", () => {}));
  }

  static async take(): Promise<FullPort> {
    const worker = new Worker(LISTENER, { eval: true });
    const [port] = (await once(worker, "message")) as [number];
    const full = new FullPort(worker, port);
    await once(full.#sockets[0] as Socket, "connect");
    return full;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#worker.terminate();
  }
}

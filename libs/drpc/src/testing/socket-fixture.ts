import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@daos/log";
import { DrpcClient } from "../drpc-client.ts";
import { type BoundMethod, drpcModule } from "../drpc-module.ts";
import { DrpcServer, type DrpcServerOptions } from "../drpc-server.ts";
import { PythonPeer } from "./python-peer.ts";
import { RawPeer } from "./raw-peer.ts";

/** A directory with a socket path, and everything opened on it. All is closed after each test. */
export class SocketFixture {
  directory = "";
  path = "";
  readonly #closers: (() => unknown)[] = [];

  async open(): Promise<void> {
    this.directory = await mkdtemp(join(tmpdir(), "drpc-"));
    this.path = join(this.directory, "x.sock");
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
    await rm(this.directory, { recursive: true });
  }

  closeLater(close: () => unknown): void {
    this.#closers.push(close);
  }

  async serve(bound: readonly BoundMethod[], options: Partial<DrpcServerOptions> = {}): Promise<DrpcServer> {
    const server = new DrpcServer({
      path: this.path,
      log: silentLogger,
      modules: [drpcModule(2, bound)],
      ...options,
    });
    await server.listen();
    this.closeLater(() => server.close());
    return server;
  }

  async connect(): Promise<DrpcClient> {
    const client = await DrpcClient.connect(this.path);
    this.closeLater(() => client.close());
    return client;
  }

  async rawPeer(): Promise<RawPeer> {
    const peer = await RawPeer.connect(this.path);
    this.closeLater(() => peer.close());
    return peer;
  }

  python(): PythonPeer {
    const peer = new PythonPeer();
    this.closeLater(() => peer.kill());
    return peer;
  }
}

import { createHash, randomUUID } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import type { Logger } from "@daos/log";
import { deadline } from "@daos/sys";

/** The leader's view of other engines over the fabric. */
export interface Fabric {
  /** The process with this fabric address; undefined when no process on this machine answers. */
  processAt(uri: string): Promise<string | undefined>;
}

/** A running process answers at once. A stopped one accepts connections, but never answers. */
const ANSWER_MS = 2_000;

/**
 * The fabric between the emulated engines of one machine: an abstract socket for each address, which disappears with its
 * process.
 */
export const localFabric: Fabric = {
  async processAt(uri) {
    using limit = deadline(ANSWER_MS, `answer of the engine at ${uri}`);
    const socket = connect({ path: nameOf(uri) });
    const end = () => void socket.destroy(new Error("no answer"));
    limit.signal.addEventListener("abort", end, { once: true });
    try {
      return await text(socket);
    } catch {
      return undefined;
    } finally {
      socket.destroy();
    }
  },
};

/** Answers for this process at its fabric address. @returns a function that ends it */
export async function listenOnFabric(uri: string, log: Logger): Promise<() => void> {
  const id = randomUUID();
  const server: Server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(id);
  });
  await new Promise<void>((resolve) => {
    server.once("error", (error) => {
      log.warn("another engine of this machine has the same fabric address", { uri, reason: error.message });
      resolve();
    });
    server.listen({ path: nameOf(uri) }, resolve);
  });
  server.unref();
  return () => void server.close();
}

function nameOf(uri: string): string {
  return `\0daos-engine-emulator-${createHash("sha256").update(uri).digest("hex").slice(0, 32)}`;
}

import { createHash, randomUUID } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import type { Logger } from "@daos/log";
import { deadline } from "@daos/sys";

/** What the leader learns of another engine over the fabric. */
export interface Fabric {
  /** Which process has this fabric address; undefined when none on this machine answers. */
  processAt(uri: string): Promise<string | undefined>;
}

/** A process that runs answers at once; one that is stopped takes connections and says nothing. */
const ANSWER_MS = 2_000;

/** The fabric between the emulated engines of one machine: an abstract socket for each address, which goes with its process. */
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

/** Answers for this process at its fabric address. @returns what ends that */
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

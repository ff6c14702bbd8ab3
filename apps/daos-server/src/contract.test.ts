import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DrpcServer } from "@daos/drpc";
import { RawPeer } from "@daos/drpc/testing";
import { silentLogger } from "@daos/log";
import { serverContract } from "@daos/proto/testing";
import { expect, it } from "vitest";
import { drpcModules } from "./drpc-modules.ts";

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");

it.each(serverContract())("drpcModules() answers the engine of release 0.8.0: $name", async (one) => {
  const directory = await mkdtemp(join(tmpdir(), "contract-"));
  const server = new DrpcServer({
    path: join(directory, "daos_server.sock"),
    log: silentLogger,
    modules: drpcModules({
      harness: { instances: [{ pid: process.pid }], notifyReady: async () => {} },
      // The uuid in the recorded calls.
      socketDir: "/tmp",
      reporter: { warn: () => {} },
      transport: { allowInsecure: true, caCert: "", cert: "", key: "", serverName: "", clientCertDir: "" },
      log: silentLogger,
    }),
  });
  await server.listen();
  const peer = await RawPeer.connect(server.path);
  try {
    peer.send(one.in);
    expect(hex(await peer.next())).toBe(hex(one.out));
  } finally {
    peer.close();
    await server.close();
    await rm(directory, { recursive: true });
  }
});

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DrpcClient, DrpcServer, drpcMethods } from "@daos/drpc";
import { silentLogger } from "@daos/log";
import { expect, it } from "vitest";
import { drpcModules } from "./drpc-modules.ts";

/** A dRPC server on a real socket, for one engine whose process is `pid`. */
async function serverFor(pid: number | undefined) {
  const directory = await mkdtemp(join(tmpdir(), "drpc-modules-"));
  const ready: string[] = [];
  const warnings: string[] = [];
  const server = new DrpcServer({
    path: join(directory, "daos_server.sock"),
    log: silentLogger,
    modules: drpcModules({
      harness: {
        instances: [{ pid }],
        notifyReady: async (_index, { socket }) => void ready.push(socket),
      },
      socketDir: directory,
      reporter: { warn: (text) => void warnings.push(text) },
      transport: { allowInsecure: true, caCert: "", cert: "", key: "", serverName: "", clientCertDir: "" },
      log: silentLogger,
    }),
  });
  await server.listen();
  const client = await DrpcClient.connect(server.path);
  const { signal } = new AbortController();
  const notifyReady = (socket: string, instanceIdx = 0) =>
    client.call(
      drpcMethods.notifyReady,
      { uri: "u", nctxs: 1, drpcListenerSock: socket, instanceIdx },
      { signal },
    );
  const bioError = () =>
    client.call(drpcMethods.bioError, { readErr: true, tgtId: 2, instanceIdx: 0 }, { signal });
  return {
    directory,
    ready,
    warnings,
    notifyReady,
    bioError,
    [Symbol.asyncDispose]: async () => {
      client.close();
      await server.close();
      await rm(directory, { recursive: true });
    },
  };
}

it("drpcModules() takes NotifyReady and BioError of the engine's own process", async () => {
  await using server = await serverFor(process.pid);
  const socket = join(server.directory, "daos_io_server.sock1");
  await server.notifyReady(socket);
  await server.bioError();
  expect(server.ready).toEqual([socket]);
  expect(server.warnings).toHaveLength(1);
});

it("drpcModules() refuses NotifyReady and BioError of another process of the server's user", async () => {
  const engine = spawn("sleep", ["600"]);
  try {
    await using server = await serverFor(engine.pid);
    await expect(server.notifyReady(join(server.directory, "s"))).rejects.toThrow();
    await expect(server.bioError()).rejects.toThrow();
    expect(server.ready).toEqual([]);
    expect(server.warnings).toEqual([]);
  } finally {
    engine.kill();
  }
});

it("drpcModules() refuses NotifyReady when that engine does not run, or does not exist", async () => {
  await using server = await serverFor(undefined);
  await expect(server.notifyReady(join(server.directory, "s"))).rejects.toThrow();
  await expect(server.notifyReady(join(server.directory, "s"), 7)).rejects.toThrow();
  expect(server.ready).toEqual([]);
});

it("drpcModules() refuses a socket of the engine that is not in socket_dir", async () => {
  await using server = await serverFor(process.pid);
  await expect(server.notifyReady("/tmp/daos_io_server.sock")).rejects.toThrow();
  await expect(server.notifyReady(join(server.directory, "..", "s"))).rejects.toThrow();
  expect(server.ready).toEqual([]);
});

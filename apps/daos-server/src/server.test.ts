import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadServerConfig } from "@daos/config";
import { FaultCode } from "@daos/fault";
import { levelSwitch, silentLogger } from "@daos/log";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { runServer } from "./server.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-server-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

it("runServer() searches the engine program before it examines devices or formats storage", async () => {
  const path = join(directory, "daos_server.yml");
  const engine = `{fabric_iface: none0, scm_class: ram, scm_size: 1, scm_mount: ${directory}/scm}`;
  await writeFile(
    path,
    `transport_config: {allow_insecure: true}\nsocket_dir: ${directory}\nprovider: ofi+sockets\nservers: [${engine}]\n`,
  );
  const config = await loadServerConfig(path);
  vi.stubEnv("PATH", directory);
  const options = {
    config,
    log: silentLogger,
    audit: silentLogger,
    logLevel: levelSwitch("INFO"),
    autoFormat: true,
    readyTimeoutMs: 1_000,
    onServing: () => {},
    onEngines: () => {},
    onReloadable: () => {},
  };
  // Without that search, the missing interface would fail first.
  await expect(runServer(options, new AbortController().signal)).rejects.toMatchObject({
    code: FaultCode.engineNotFound,
  });
});

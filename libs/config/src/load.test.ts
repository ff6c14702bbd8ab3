import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { FaultCode } from "@daos/fault";
import { createLogger, type LogRecord, silentLogger } from "@daos/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ACTIVE_CONFIG, saveActiveConfig } from "./active-config.ts";
import { loadServerConfig } from "./load.ts";
import { loadClientConfig } from "./load-client.ts";
import { placesOfCertificates } from "./places.ts";
import type { Problem } from "./problem.ts";

const fixture = (name: string) => join(import.meta.dirname, "..", "fixtures", name);

const here = { env: process.env, cwd: process.cwd() };

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-config-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe("loadServerConfig()", () => {
  it("reads a file, with paths relative to the working directory", async () => {
    const path = fixture("daos_server_local.yml");
    expect(await loadServerConfig(path, { port: 20001, socketDir: "run" })).toMatchObject({
      path,
      port: 20001,
      socketDir: resolve("run"),
      transport: placesOfCertificates("server", here),
    });
  });

  it("reads the path of a revocation list, which no file names by default", async () => {
    const path = join(directory, "crl.yml");
    await writeFile(path, "transport_config: { crl: daosCA.crl }\n");
    const crl = resolve("daosCA.crl");
    expect((await loadServerConfig(path, {})).transport).toMatchObject({ crl });
    expect((await loadClientConfig(path)).transport).toMatchObject({ crl });
    expect((await loadServerConfig(fixture("daos_server_local.yml"), {})).transport.crl).toBeUndefined();
  });

  it.each([
    ["in Latin-1", Buffer.from("port: 1\nname: gr\xf6\xdfer\n", "latin1"), "line 2, column 9 is not UTF-8"],
    ["cut inside a character", Buffer.from("# \u20ac").subarray(0, 4), "line 1, column 3 is not UTF-8"],
  ])("refuses a file %s and names the place", async (_, bytes, reason) => {
    const path = join(directory, "latin1.yml");
    await writeFile(path, bytes);
    for (const read of [() => loadServerConfig(path, {}), () => loadClientConfig(path)])
      await expect(read()).rejects.toMatchObject({ code: FaultCode.configUnreadable, reason });
  });

  it("reports warnings", async () => {
    const path = join(directory, "twice.yml");
    await writeFile(path, "port: 1\nport: 2\n");
    const warnings: Problem[] = [];
    await loadServerConfig(path, {}, { onWarning: (problem) => warnings.push(problem) });
    expect(warnings.map(({ line, key }) => [line, key])).toEqual([
      [1, "servers"],
      [2, "port"],
    ]);
  });

  it("reports a missing file, and how to create one", async () => {
    const path = join(directory, "none.yml");
    await expect(loadServerConfig(path)).rejects.toMatchObject({
      code: FaultCode.configNotFound,
      description: `there is no configuration file ${path}`,
      resolution: expect.stringContaining("daos-server config generate"),
    });
  });

  it("refuses a directory", async () => {
    await expect(loadServerConfig(directory)).rejects.toMatchObject({ code: FaultCode.configUnreadable });
  });

  it("stops reading at the size limit", async () => {
    await expect(loadServerConfig("/dev/zero")).rejects.toMatchObject({
      code: FaultCode.configInvalid,
      reason: expect.stringContaining("the file is too long"),
    });
  });

  it("lists every error in one fault, and no warning", async () => {
    const path = join(directory, "bad.yml");
    await writeFile(path, "port: 0\nprot: 1\nport: -1\n");
    await expect(loadServerConfig(path)).rejects.toMatchObject({
      code: FaultCode.configInvalid,
      description: `${path} is not a valid configuration, it has 2 errors`,
      reason: `
  ${path}:2:1: error: prot: unknown key; did you mean "port"?
  ${path}:3:7: error: port: -1 is not allowed; expected a whole number from 1 to 65535`,
    });
  });
});

describe("loadClientConfig()", () => {
  it("recognizes a server's file, and does not report each of its keys", async () => {
    const path = join(directory, "server.yml");
    for (const servers of ["servers: []", "engines: []"]) {
      await writeFile(path, `provider: ofi+sockets\n${servers}\n`);
      await expect(loadClientConfig(path)).rejects.toMatchObject({
        code: FaultCode.configInvalid,
        reason: `\n  ${path}:2:1: error: this is a server's configuration; expected a client's, as dmg has in daos.yml`,
      });
    }
  });

  it("does not advise to create a server's file when the client's file is missing", async () => {
    await expect(loadClientConfig(join(directory, "none.yml"))).rejects.toMatchObject({
      code: FaultCode.configNotFound,
      resolution: expect.stringContaining("name hosts with -l"),
    });
  });

  const defaults = {
    path: undefined,
    name: "daos_server",
    accessPoints: [{ host: "localhost", port: 10001 }],
    port: 10001,
    hostlist: ["localhost:10001"],
    hostFile: undefined,
    runtimeDir: "/var/run/daos_agent",
    logFile: undefined,
    transport: {
      allowInsecure: false,
      serverName: "server",
      ...placesOfCertificates("client", here),
    },
  };

  it("has defaults for everything that the file does not say", async () => {
    const path = join(directory, "empty.yml");
    await writeFile(path, "");
    expect(await loadClientConfig(path)).toEqual({ ...defaults, path });
  });

  it("loads release 0.8.0's template", async () => {
    expect(await loadClientConfig(fixture("daos.yml"))).toEqual({ ...defaults, path: fixture("daos.yml") });
  });

  it("loads the template with all its comments uncommented", async () => {
    const text = (await readFile(fixture("daos.yml"), "utf8"))
      .split("\n")
      .map((line) => (/^#(\w+:| {2}\w+:)/.test(line) ? line.slice(1) : line))
      .join("\n");
    const path = join(directory, "daos.yml");
    await writeFile(path, text);
    expect(await loadClientConfig(path)).toEqual({
      ...defaults,
      path,
      name: "daos",
      logFile: "/tmp/daos_agent.log",
      transport: {
        ...defaults.transport,
        caCert: resolve(".daos/daosCA.crt"),
        cert: resolve(".daos/daos_server.crt"),
        key: resolve(".daos/daos_server.key"),
      },
    });
  });

  it("refuses a given file that does not exist, and an invalid host list", async () => {
    const path = join(directory, "daos.yml");
    await expect(loadClientConfig(path)).rejects.toMatchObject({ code: FaultCode.configNotFound });
    await writeFile(path, "hostlist: ['a[1-']\n");
    await expect(loadClientConfig(path)).rejects.toMatchObject({
      code: FaultCode.configInvalid,
      reason: expect.stringContaining(`${path}:1:12: error: hostlist[0]: "a[1-" is not a host list`),
    });
  });
});

describe("saveActiveConfig()", () => {
  const load = async () => ({
    ...(await loadServerConfig(fixture("daos_server_local.yml"))),
    path: join(directory, "etc", "daos_server.yml"),
  });

  it("writes beside the file, for its owner only, and the result loads as the same configuration", async () => {
    await mkdir(join(directory, "etc"));
    const config = await load();
    const path = await saveActiveConfig(config, silentLogger);
    expect(path).toBe(join(directory, "etc", ACTIVE_CONFIG));
    expect((await stat(path as string)).mode & 0o777).toBe(0o600);
    expect(await loadServerConfig(path as string)).toEqual({ ...config, path });
  });

  it("writes to the second directory when the first does not exist", async () => {
    expect(await saveActiveConfig(await load(), silentLogger, { fallback: directory })).toBe(
      join(directory, ACTIVE_CONFIG),
    );
  });

  it("replaces a link in the second directory rather than following it", async () => {
    const victim = join(directory, "victim");
    await writeFile(victim, "precious");
    await symlink(victim, join(directory, ACTIVE_CONFIG));
    await saveActiveConfig(await load(), silentLogger, { fallback: directory });
    expect(await readFile(victim, "utf8")).toBe("precious");
  });

  it("logs the configuration when no directory is writable", async () => {
    const records: LogRecord[] = [];
    const log = createLogger((record) => records.push(record), { level: "WARN" });
    expect(await saveActiveConfig(await load(), log, { fallback: join(directory, "none") })).toBeUndefined();
    expect(records).toMatchObject([{ fields: { config: expect.stringContaining('name: "daos_server"') } }]);
  });
});

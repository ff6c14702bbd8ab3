import { rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run, WORKSPACE } from "./program.ts";
import { EVENTUAL_TIMEOUT_MS, freePort, TestSystem } from "./test-system.ts";

const DAOS_SERVER = join(WORKSPACE, "apps/daos-server/bin/daos-server");
const DMG = join(WORKSPACE, "apps/dmg/bin/dmg");

describe("daos-server that cannot start prints the reason", () => {
  it("without a configuration file", async () => {
    const ended = await run([DAOS_SERVER, "start", "-o", "/nonexistent/daos_server.yml"]);
    expect(ended.exitCode).toBe(78);
    expect(ended.stderr).toContain("there is no configuration file /nonexistent/daos_server.yml");
  });

  it("on a port that is taken", async () => {
    await using taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "0.0.0.0", resolve));
    await using system = await TestSystem.create({ port: (taken.address() as AddressInfo).port });
    const ended = await system.launch(["--auto-format"]).end();
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(/listen on 127\.0\.0\.1:\d+: the port is in use/);
    expect(ended.stderr).toContain("--port");
  });

  it("without its socket directory", async () => {
    await using system = await TestSystem.create();
    await rm(system.socketDir, { recursive: true });
    const ended = await system.launch(["--auto-format"]).end();
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain(system.socketDir);
  });

  it("beside another server in the same socket directory, which keeps running", async () => {
    await using system = await TestSystem.create();
    await system.start();
    const port = await freePort();
    const second = await run([
      DAOS_SERVER,
      "start",
      "-o",
      system.configPath,
      "--engine",
      "emulated",
      "-p",
      `${port}`,
    ]);
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain("daos_server.sock");
    expect((await system.dmgJson("pool", "create", "-s", "64M")).uuid).toBeDefined();
  });

  it("on the storage of another server, which keeps running", async () => {
    await using system = await TestSystem.create();
    await system.start();
    await using other = await TestSystem.create();
    const second = await run([
      DAOS_SERVER,
      "start",
      "-o",
      other.configPath,
      "--engine",
      "emulated",
      "-s",
      system.scmMount(),
    ]);
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(
      `use the storage ${system.scmMount()}: another daos-server of this host has it`,
    );
    expect(second.stdout + second.stderr).not.toContain("engine started");
    expect((await system.dmgJson("pool", "create", "-s", "64M")).uuid).toBeDefined();
  });

  it("with an engine that never becomes ready", async () => {
    await using system = await TestSystem.create();
    const server = system.launch(["--auto-format", "--engine-ready-timeout", "1"], {
      env: { DAOS_EMULATOR_FAULTS: "notify-ready:never" },
    });
    const ended = await server.end();
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain("engine 0 did not become ready within 1 s");
  });

  it("with an engine that ends at once", async () => {
    await using system = await TestSystem.create();
    const ended = await system
      .launch(["--auto-format"], { env: { DAOS_EMULATOR_FAULTS: "start:exit=3" } })
      .end();
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain("engine 0 ended before it was ready (exit code 3)");
  });

  it.each([
    ["not YAML", "{ this: is: not: yaml"],
    ["empty", ""],
    [
      "of another system",
      "version: 0\nuuid: 0b70d048-5153-465f-a94a-2c3a39897348\nsystem: other\nvalidrank: false\nms: false\ncreatems: false\nbootstrapms: false\n",
    ],
  ])("with a superblock that is %s", async (_name, content) => {
    await using system = await TestSystem.create();
    await system.start();
    await system.stop();
    await writeFile(join(system.scmMount(), "superblock"), content);
    const ended = await system.launch().end();
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain(join(system.scmMount(), "superblock"));
  });

  it("without an engine, and names both remedies", async () => {
    await using system = await TestSystem.create();
    const ended = await system
      .launch(["--auto-format", "--engine", "installed"], { env: { PATH: "/usr/bin:/bin" } })
      .end();
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain("install the DAOS data plane");
    expect(ended.stderr).toContain("--engine emulated");
  });
});

describe("dmg", () => {
  it("reports a refused connection when no server listens", async () => {
    // No server uses port 1, and no test can use it.
    const ended = await run([DMG, "-i", "-l", "localhost:1", "system", "member-query"]);
    expect(ended.exitCode).not.toBe(0);
    expect(ended.stdout).toBe("");
    expect(ended.stderr).toContain("localhost:1");
    expect(ended.stderr).toContain("refused");
  });

  it("shows a refusal of the engine with its name and a remedy", async () => {
    await using system = await TestSystem.create();
    await system.start();
    const ended = await system.dmg("pool", "create", "-s", "100G");
    expect(ended.exitCode).not.toBe(0);
    expect(ended.stderr).toContain("DER_NOSPACE");
    expect(ended.stderr).toContain("smaller sizes");
  });
});

describe("an engine that dies during pool create", () => {
  it.each([
    ["before it is done", "pool-create:crash", "creating"],
    ["after it is done", "pool-create:crash-after", "ready"],
  ])("%s: dmg fails, and the list shows whether the pool is known to exist", async (_name, fault, state) => {
    await using system = await TestSystem.create();
    await system.start(["--auto-format"], { DAOS_EMULATOR_FAULTS: fault });
    const ended = await system.dmg("pool", "create", "-s", "64M");
    expect(ended.exitCode).not.toBe(0);
    expect(ended.stderr).not.toBe("");
    await expect
      .poll(async () => (await system.dmgJson("system", "list-pools").catch(() => undefined))?.pools, {
        timeout: EVENTUAL_TIMEOUT_MS,
        interval: 500,
      })
      .toMatchObject([{ state }]);
  });
});

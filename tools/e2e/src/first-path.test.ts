import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { delay } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { EVENTUAL_TIMEOUT_MS, freePort, isRoot, TestSystem } from "./test-system.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === "::1"),
);

/** The identity of an engine: the superblock without its comment. */
async function identity(system: TestSystem, index = 0): Promise<string> {
  const text = await readFile(join(system.scmMount(index), "superblock"), "utf8");
  return text
    .split("\n")
    .filter((line) => /^(uuid|rank|system):/.test(line))
    .join(" ");
}

function enginePid(system: TestSystem): number {
  return Number(/engine started .*?pid=(\d+)/.exec(system.server.output)?.[1]);
}

describe("one host", () => {
  it("starts, serves dmg, and stops cleanly", async () => {
    await using system = await TestSystem.create();
    await system.start();

    const scan = await system.dmg("storage", "scan");
    expect(scan).toMatchObject({ exitCode: 0 });
    expect(scan.stdout).toMatch(/Hosts\s+SCM Total\s+NVMe Total/);

    const { members } = await system.dmgJson("system", "member-query");
    expect(members).toMatchObject([{ rank: 0 }]);
    expect(members[0]?.uuid).toMatch(UUID);

    const created = await system.dmgJson("pool", "create", "-s", "256M");
    expect(created.uuid).toMatch(UUID);
    expect((await system.dmgJson("system", "list-pools")).pools).toMatchObject([{ uuid: created.uuid }]);

    const destroyed = await system.dmg("pool", "destroy", "--pool", created.uuid);
    expect(destroyed).toMatchObject({ exitCode: 0 });
    expect((await system.dmgJson("system", "list-pools")).pools).toEqual([]);

    const leader = await system.dmg("system", "leader-query");
    expect(leader.stdout).toContain(`:${system.port}`);

    const ended = await system.stop();
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(await readdir(system.socketDir)).toEqual([]);
  });

  it("admits its second engine also when it is ready before the first one, which has the management service", async () => {
    const firstEngineEnv = "DAOS_EMULATOR_FAULTS=notify-ready:slow=2000";
    await using system = await TestSystem.create({ engines: 2, firstEngineEnv });
    await system.start();
    expect(system.server.output).toContain("no join yet");
    const { members } = await system.dmgJson("system", "member-query");
    expect(members.map((member) => member.rank)).toEqual([0, 1]);
    expect(system.server.output).not.toContain("has joined again");
  });

  it("finds its system again after a clean stop and after kill -9", async () => {
    await using system = await TestSystem.create();
    await system.start();
    const before = await identity(system);
    const { uuid } = await system.dmgJson("pool", "create", "-s", "64M");
    const { members } = await system.dmgJson("system", "member-query");

    const stops = [
      () => system.stop(),
      async () => {
        system.server.child.kill("SIGKILL");
        await system.server.end();
      },
    ];
    for (const stop of stops) {
      await stop();
      await system.start([]);
      expect(await identity(system)).toBe(before);
      expect((await system.dmgJson("system", "member-query")).members).toEqual(members);
      expect((await system.dmgJson("system", "list-pools")).pools).toMatchObject([{ uuid }]);
    }
  });

  it("ends at once when it is stopped a second time while an engine hangs", async () => {
    await using system = await TestSystem.create();
    await system.start();
    process.kill(enginePid(system), "SIGSTOP");
    const { child } = system.server;
    // From a terminal through npm, the first signal arrives twice.
    for (const signal of ["SIGINT", "SIGTERM"] as const) child.kill(signal);
    await expect.poll(() => system.server.output).toMatch(/SIG(?:INT|TERM): stopping/);
    await delay(1_500);
    expect(system.server.running).toBe(true);
    child.kill("SIGINT");
    const { exitCode, stdout, stderr } = await system.server.end();
    expect(exitCode).toBe(1);
    expect(stdout + stderr).toContain("SIGINT again: ending at once");
  });

  it("leaves no engine running when it is killed", async () => {
    await using system = await TestSystem.create();
    await system.start();
    const pid = enginePid(system);
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    system.server.child.kill("SIGKILL");
    await system.server.end();
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: EVENTUAL_TIMEOUT_MS }).toBe(false);
  });

  it("gives each engine of a host its rank", async () => {
    await using system = await TestSystem.create({ engines: 2 });
    await system.start();
    const { members } = await system.dmgJson("system", "member-query");
    expect(members.map((member) => member.rank)).toEqual([0, 1]);
    await system.stop();
    await system.start([]);
    expect((await system.dmgJson("system", "member-query")).members).toEqual(members);
  });

  it.runIf(hasIpv6)("uses an IPv6 address when its access point has one", async () => {
    const port = await freePort();
    await using system = await TestSystem.create({ port, accessPoints: [`[::1]:${port}`] });
    await system.start();
    expect(system.server.output).toContain(`listening on [::1]:${port}`);
    // The last host list applies.
    const { members } = await system.dmgJson("-l", `[::1]:${port}`, "system", "query");
    expect(members).toMatchObject([{ rank: 0, state: "joined", address: `[::1]:${port}` }]);
    expect(await system.dmg("-l", `[::1]:${port}`, "pool", "create", "-s", "32M")).toMatchObject({
      exitCode: 0,
    });
  });

  it.runIf(isRoot)("waits for dmg storage format when root starts it", async () => {
    await using system = await TestSystem.create();
    system.launch();
    await expect.poll(() => system.server.output, { timeout: EVENTUAL_TIMEOUT_MS }).toContain("waiting for");
    const early = await system.dmg("system", "member-query");
    expect(early.exitCode).not.toBe(0);
    expect(early.stderr).toContain("is not ready");

    const format = await system.dmg("storage", "format");
    expect(format).toMatchObject({ exitCode: 0 });
    expect(format.stdout).toContain("storage format ok");
    await system.serving();
    const before = await identity(system);

    const again = await system.dmg("storage", "format", "--reformat");
    expect(again.exitCode).not.toBe(0);
    expect(`${again.stderr}${again.stdout}`).toContain("whose engine runs");
    expect(await identity(system)).toBe(before);
  });
});

describe("root with user_name", () => {
  it.runIf(isRoot)("only provisions storage, for that user", async () => {
    await using system = await TestSystem.create({ userName: "nobody" });
    const server = system.launch();
    await expect.poll(() => server.output, { timeout: EVENTUAL_TIMEOUT_MS }).toContain("waiting for");
    expect(await system.dmg("storage", "format")).toMatchObject({ exitCode: 0 });
    expect(await server.end()).toMatchObject({ exitCode: 0 });
    expect(server.output).toContain("start daos-server as nobody now");
    for (const path of [system.scmMount(), join(system.scmMount(), "superblock")]) {
      expect((await stat(path)).uid).toBe(65534);
    }
    expect(server.output).not.toContain("engine started");
  });
});

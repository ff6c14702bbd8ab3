import { describe, expect, it } from "vitest";
import { EVENTUAL_TIMEOUT_MS, TestSystem } from "./test-system.ts";

/** Each rank with its state. */
async function states(system: TestSystem): Promise<string[]> {
  const { members } = await system.dmgJson("system", "query");
  return members.map(({ rank, state }) => `${rank} ${state}`);
}

describe("dmg system", () => {
  it("stops and starts engines while the server keeps running", async () => {
    await using system = await TestSystem.create({ engines: 2 });
    await system.start();
    const { uuid } = await system.dmgJson("pool", "create", "-s", "64M");
    expect(await system.dmg("system", "stop", "--ranks", "1")).toMatchObject({ exitCode: 0 });
    expect(await states(system)).toEqual(["0 joined", "1 stopped"]);
    expect(await system.dmg("system", "stop")).toMatchObject({ exitCode: 0 });
    expect(await states(system)).toEqual(["0 stopped", "1 stopped"]);
    expect(await system.dmg("system", "start")).toMatchObject({ exitCode: 0 });
    expect(await states(system)).toEqual(["0 joined", "1 joined"]);
    expect((await system.dmgJson("system", "list-pools")).pools).toMatchObject([{ uuid }]);

    const unknown = await system.dmg("system", "stop", "--ranks", "0,7");
    expect(unknown.exitCode).not.toBe(0);
    expect(unknown.stderr).toContain("7");
    expect(await states(system)).toEqual(["0 joined", "1 joined"]);
  });

  it("shows the devices of every engine, with host and rank, and names an engine that does not answer", async () => {
    await using system = await TestSystem.create({ engines: 2 });
    await system.start();
    const { devices } = await system.dmgJson("storage", "query", "list-devices");
    expect(devices).toMatchObject([{ rank: 0 }, { rank: 1 }]);
    const [first, second] = devices.map(({ uuid }) => uuid);
    expect(first).not.toBe(second);
    const health = await system.dmgJson("storage", "query", "device-health", "-u", `${second}`);
    expect(health.devices).toMatchObject([{ rank: 1, deviceUuid: second }]);
    await system.dmg("system", "stop", "--ranks", "1");
    const some = await system.dmg("storage", "query", "list-devices");
    expect(some.exitCode).not.toBe(0);
    expect(some.stdout).toContain(first);
    expect(some.stdout).not.toContain(second);
    expect(some.stderr).toContain("engine 1");
  });

  it("remembers stopped and excluded ranks across kill -9", async () => {
    await using system = await TestSystem.create({ engines: 2 });
    await system.start();
    expect(await system.dmg("system", "exclude", "--ranks", "1", "--force")).toMatchObject({ exitCode: 0 });
    expect(await states(system)).toEqual(["0 joined", "1 excluded"]);
    system.server.child.kill("SIGKILL");
    await system.server.end();
    system.launch([]);
    await expect
      .poll(() => system.server.output, { timeout: EVENTUAL_TIMEOUT_MS })
      .toContain("has excluded it");
    await expect
      .poll(() => states(system).catch(String), { timeout: EVENTUAL_TIMEOUT_MS })
      .toEqual(["0 joined", "1 excluded"]);
    const start = await system.dmg("system", "start", "--ranks", "1");
    expect(start.exitCode).not.toBe(0);
    expect(start.stderr).toContain("dmg system clear-exclude --ranks 1");
    expect(await system.dmg("system", "clear-exclude", "--ranks", "1")).toMatchObject({ exitCode: 0 });
    expect(await system.dmg("system", "start", "--ranks", "1")).toMatchObject({ exitCode: 0 });
    expect(await states(system)).toEqual(["0 joined", "1 joined"]);
  });

  it("shows the death of an engine with its reason, and its return", async () => {
    await using system = await TestSystem.create({ engines: 2 });
    await system.start();
    process.kill(system.enginePid(1), "SIGKILL");
    await expect
      .poll(async () => (await system.dmgJson("system", "query")).members[1], {
        timeout: EVENTUAL_TIMEOUT_MS,
      })
      .toMatchObject({ state: "joined", incarnation: 2 });
    const { events } = await system.dmgJson("system", "events");
    const about = events.filter(({ rank }) => rank === 1).map(({ kind }) => kind);
    expect(about).toEqual(["member_joined", "engine_died", "member_restarted"]);
    expect(JSON.stringify(events)).toContain("killed by SIGKILL");
    expect((await system.dmgJson("system", "query")).members[0]).toMatchObject({ incarnation: 1 });
  });

  it("creates pools on restarted ranks", async () => {
    await using system = await TestSystem.create({ engines: 2 });
    await system.start();
    const incarnations = async () =>
      (await system.dmgJson("system", "query")).members.map(
        ({ state, incarnation }) => `${state} ${incarnation}`,
      );
    const createPool = () => system.dmg("pool", "create", "-s", "16M", "-r", "0,1");
    for (const [index, expected] of [
      [1, ["joined 1", "joined 2"]],
      [0, ["joined 2", "joined 2"]],
    ] as const) {
      process.kill(system.enginePid(index), "SIGKILL");
      await expect
        .poll(() => incarnations().catch(String), { timeout: EVENTUAL_TIMEOUT_MS })
        .toEqual(expected);
      expect(await createPool()).toMatchObject({ exitCode: 0 });
    }
    expect(await system.dmg("system", "stop", "--ranks", "1")).toMatchObject({ exitCode: 0 });
    expect(await system.dmg("system", "start", "--ranks", "1")).toMatchObject({ exitCode: 0 });
    expect(await createPool()).toMatchObject({ exitCode: 0 });
  });

  it("erases a system, which starts as a new one after a format", async () => {
    await using system = await TestSystem.create({ engines: 2 });
    await system.start();
    const before = (await system.dmgJson("system", "query")).members.map(({ uuid }) => uuid);
    await system.dmgJson("pool", "create", "-s", "64M");
    const refused = await system.dmg("system", "erase", "--force");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain("dmg system stop");
    expect(await system.dmg("system", "stop")).toMatchObject({ exitCode: 0 });
    expect(await system.dmg("system", "erase", "--force")).toMatchObject({ exitCode: 0 });
    const unformatted = await system.dmg("storage", "format");
    expect(unformatted.exitCode).not.toBe(0);
    expect(unformatted.stderr).toContain("--reformat");
    await system.dmg("storage", "format", "--reformat");
    await expect
      .poll(() => states(system).catch(String), { timeout: EVENTUAL_TIMEOUT_MS })
      .toEqual(["0 joined", "1 joined"]);
    const after = (await system.dmgJson("system", "query")).members.map(({ uuid }) => uuid);
    expect(after.filter((uuid) => before.includes(uuid))).toEqual([]);
    expect((await system.dmgJson("system", "list-pools")).pools).toEqual([]);
  });
});

import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProcessCommandRunner } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { EVENTUAL_TIMEOUT_MS, isRoot, TestSystem } from "./test-system.ts";

const slow = { timeout: EVENTUAL_TIMEOUT_MS, interval: 500 };

/** Each rank with its state and reason, from dmg on a host. */
async function states(system: TestSystem): Promise<string[]> {
  const { members } = await system.dmgJson("system", "query");
  return members.map(({ rank, state, reason }) => `${rank} ${state}${reason === "" ? "" : `: ${reason}`}`);
}

describe("members", () => {
  it("are replaced by the new rank of their host when it has lost its storage", async () => {
    await using first = await TestSystem.create();
    await first.start();
    const accessPoints = [`localhost:${first.port}`];
    await using second = await TestSystem.create({ accessPoints, engines: 2 });
    await second.start();
    expect(await states(first)).toEqual(["0 joined", "1 joined", "2 joined"]);
    const lostRank = Number(/engine serving index=0 rank=(\d+)/.exec(second.server.output)?.[1]);
    await second.stop();
    const mount = second.scmMount(0);
    if (isRoot) await new ProcessCommandRunner().run(["umount", mount]);
    else await rm(mount, { recursive: true });
    second.launch();
    await expect
      .poll(() => states(first), slow)
      .toContain(
        `${lostRank} errored: the storage of engine 0 of its host has no superblock: SCM is not formatted`,
      );
    // The other engine of the host runs, and is not formatted.
    await second.dmg("storage", "format");
    const other = 3 - lostRank;
    const after = [
      "0 joined",
      `${lostRank} replaced: by rank 3 on its host`,
      `${other} joined`,
      "3 joined",
    ].sort();
    await expect.poll(() => states(first), slow).toEqual(after);

    expect(await first.dmg("system", "stop")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("it is left out, rank 3 has replaced it") as unknown,
    });
    expect(await first.dmg("system", "start")).toMatchObject({ exitCode: 0 });
    expect(await states(first)).toEqual(after);
    const named = await first.dmg("system", "start", "--ranks", `${lostRank}`);
    expect(named.exitCode).not.toBe(0);
    expect(named.stderr).toContain(`dmg system erase --ranks ${lostRank}`);
    expect(await first.dmg("system", "erase", "--ranks", `${lostRank}`, "--force")).toMatchObject({
      exitCode: 0,
    });
    expect(await states(first)).toEqual(["0 joined", `${other} joined`, "3 joined"]);
  });

  it("stay as they were when dmg system stop is cancelled", async () => {
    await using system = await TestSystem.create({ engines: 2 });
    await system.start();
    const pid = system.enginePid(0);
    // The engine is frozen, so the stop waits for it.
    process.kill(pid, "SIGSTOP");
    const stop = system.startDmg("system", "stop");
    await expect.poll(() => states(system), slow).toEqual(["0 stopping", "1 stopping"]);
    stop.child.kill("SIGINT");
    await stop.end();
    process.kill(pid, "SIGCONT");
    await expect.poll(() => states(system), slow).toEqual(["0 joined", "1 joined"]);
    const { events } = await system.dmgJson("system", "events");
    expect(events.map(({ kind }) => kind)).not.toContain("swim_rank_dead");
    expect(await system.dmg("system", "stop")).toMatchObject({ exitCode: 0 });
  });

  it("have one fabric provider: a host with another one is refused, and the reason names both", async () => {
    await using first = await TestSystem.create();
    await first.start();
    const accessPoints = [`localhost:${first.port}`];
    await using second = await TestSystem.create({ accessPoints, provider: "ofi+tcp" });
    second.launch(["--auto-format"]);
    await expect
      .poll(() => second.server.output, slow)
      .toMatch(
        /the join is refused and will be repeated.*fabric provider ofi\+tcp: rank 0 on 127\.0\.0\.1:\d+ is in service with ofi\+sockets/,
      );
    const { members } = await first.dmgJson("system", "query");
    expect(members).toMatchObject([{ rank: 0, state: "joined" }]);
  });

  it("have the fault domain from the program of fault_cb", async () => {
    await using system = await TestSystem.create({ more: "fault_cb: ./fd_cb" });
    const program = join(system.directory, "fd_cb");
    await writeFile(program, "#!/bin/sh\necho /rack7/host1\n");
    await chmod(program, 0o555);
    await system.start();
    const { members } = await system.dmgJson("system", "query");
    expect(members).toMatchObject([{ faultDomain: "/rack7/host1" }]);
    await system.stop();

    await chmod(program, 0o777);
    const server = system.launch([]);
    const { exitCode } = await server.end();
    expect(exitCode).not.toBe(0);
    expect(server.output).toContain("others than its owner may change it, its mode is 0777");
  });
});

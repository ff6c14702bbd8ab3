import { readdir, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { ProcessCommandRunner } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { EVENTUAL_TIMEOUT_MS, isRoot, TestSystem } from "./test-system.ts";

const slow = { timeout: EVENTUAL_TIMEOUT_MS, interval: 500 };

/** The state and reason of a rank, from dmg. */
async function memberState(system: TestSystem, rank: number) {
  const { members } = await system.dmgJson("system", "query");
  const member = members.find((one) => one.rank === rank);
  return { state: member?.state, reason: member?.reason };
}

describe("an engine whose storage is lost under a running server", () => {
  // A real tmpfs at scm_mount needs a server that may mount.
  it.runIf(isRoot).each([0, 1])(
    "is reported, and not started in the bare directory: engine %i",
    async (index) => {
      await using system = await TestSystem.create({ engines: 2 });
      await system.start();
      const { members } = await system.dmgJson("system", "query");
      expect(members.map(({ state }) => state)).toEqual(["joined", "joined"]);
      const rank = Number(
        /engine serving index=\d+ rank=(\d+)/.exec(
          system.server.output
            .split("\n")
            .filter((line) => line.includes(`engine serving index=${index} `))
            .join(""),
        )?.[1],
      );
      const mount = system.scmMount(index);
      const { exitCode } = await new ProcessCommandRunner().run(["umount", "-l", mount]);
      expect(exitCode).toBe(0);

      const lost = { state: "errored", reason: expect.stringContaining(`${mount} is not mounted any more`) };
      await expect.poll(() => memberState(system, rank), slow).toMatchObject(lost);
      const pid = system.enginePid(index);
      process.kill(pid, "SIGKILL");
      await expect.poll(() => system.server.output, slow).toContain("engine is not started again");
      // Long enough for an automatic restart.
      await sleep(5_000);
      expect(system.enginePid(index)).toBe(pid);
      expect(await readdir(mount)).toEqual([]);
      expect(await memberState(system, rank)).toMatchObject(lost);
      expect(await memberState(system, 1 - rank)).toMatchObject({ state: "joined" });
    },
  );

  it("is reported, and not started without its superblock", async () => {
    await using system = await TestSystem.create();
    await system.start();
    const pid = system.enginePid();
    await rm(`${system.scmMount()}/superblock`);
    process.kill(pid, "SIGKILL");
    await expect.poll(() => system.server.output, slow).toContain("engine is not started again");
    expect(system.enginePid()).toBe(pid);
    expect(await memberState(system, 0)).toMatchObject({
      state: "errored",
      reason: expect.stringContaining(`the superblock in ${system.scmMount()} is missing`),
    });
  });
});

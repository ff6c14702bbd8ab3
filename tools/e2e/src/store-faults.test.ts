import { appendFile, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EtcdCluster } from "@daos/etcd/testing";
import { FaultCode } from "@daos/fault";
import { ProcessCommandRunner } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { run } from "./program.ts";
import { DAOS_SERVER, EVENTUAL_TIMEOUT_MS, freePort, isRoot, TestSystem } from "./test-system.ts";

const slow = { timeout: EVENTUAL_TIMEOUT_MS, interval: 500 };

/** Whether a process runs. A zombie does not. */
async function runs(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z");
  return !/\) Z/.test(state);
}

async function states(system: TestSystem): Promise<string> {
  const { members } = await system.dmgJson("system", "query");
  return members.map(({ rank, state }) => `${rank} ${state}`).join(", ");
}

/** The whole output of a failed dmg, and the code of its failure. */
async function failure(system: TestSystem, ...args: readonly string[]) {
  const { exitCode, stdout } = await system.dmg("--json", "--timeout", "40s", ...args);
  expect(exitCode).not.toBe(0);
  const { errors } = JSON.parse(stdout) as {
    readonly errors: readonly {
      readonly code: number;
      readonly description: string;
      readonly resolution: string;
    }[];
  };
  return errors[0];
}

describe.runIf(isRoot)("a system whose SCM is full", () => {
  it("is stopped by force, reports unrecorded changes, starts again, and records when there is space", async () => {
    await using system = await TestSystem.create({ engines: 2 });
    await system.start();
    const mount = system.scmMount();
    const filler = join(mount, "other-data");
    const fill = async () => {
      const { bavail, bsize } = await statfs(mount);
      await appendFile(filler, Buffer.alloc(bavail * bsize)).catch(() => {});
    };
    // A small file system is filled faster.
    const { blocks, bfree, bsize } = await statfs(mount);
    const size = (blocks - bfree) * bsize + 1024 * 1024;
    const { exitCode } = await new ProcessCommandRunner().run(["mount", "-o", `remount,size=${size}`, mount]);
    expect(exitCode).toBe(0);
    await fill();
    // The reserve still has space for changes.
    expect(await system.dmg("system", "exclude", "--ranks", "1")).toMatchObject({ exitCode: 0 });
    expect(await system.dmg("system", "clear-exclude", "--ranks", "1")).toMatchObject({ exitCode: 0 });
    await fill();
    const full = async () => (await system.dmg("system", "exclude", "--ranks", "1")).exitCode;
    await expect.poll(full, slow).not.toBe(0);
    await fill();

    const pid = system.enginePid();
    expect(await failure(system, "system", "stop", "--ranks", "0")).toMatchObject({
      code: FaultCode.stateNotRecorded,
      description: expect.stringContaining("so none was stopped") as string,
      resolution: expect.stringContaining("dmg system stop --force") as string,
    });
    expect(await runs(pid)).toBe(true);
    const stopped = await system.dmg("system", "stop", "--force");
    expect(stopped.stdout).toContain("not recorded yet");
    expect(await runs(pid)).toBe(false);

    expect(await system.stop()).toMatchObject({ exitCode: 0 });
    system.launch([]);
    const logs = (text: string) => expect.poll(() => system.server.output, slow).toContain(text);
    // Joins must be recorded, so they wait for space.
    for (const index of [0, 1]) await logs(`engine ready index=${index}`);
    await rm(filler);
    for (const index of [0, 1]) await logs(`engine serving index=${index}`);
    await expect.poll(() => states(system), slow).toBe("0 joined, 1 joined");
  });
});

describe("a system whose members are in etcd", () => {
  it("is stopped by force under the alarm NOSPACE, refuses an empty etcd, and gets its members back", async () => {
    await using stack = new AsyncDisposableStack();
    const etcd = stack.use(await EtcdCluster.start({ quotaBytes: 2_000_000 }));
    const port = await freePort();
    const more = (cluster: EtcdCluster) =>
      `system_db: {backend: etcd, endpoints: ${JSON.stringify(cluster.endpoints)}}`;
    const system = stack.use(
      await TestSystem.create({ port, accessPoints: [`localhost:${port}`], more: more(etcd) }),
    );
    await system.start();
    await etcd.fill();
    const pid = system.enginePid();
    expect(await failure(system, "system", "stop")).toMatchObject({
      code: FaultCode.stateNotRecorded,
      reason: expect.stringContaining("alarm NOSPACE") as string,
      resolution: expect.stringMatching(/dmg system stop --force.*etcdctl alarm disarm/) as string,
    });
    expect(await runs(pid)).toBe(true);
    expect((await system.dmg("system", "stop", "--force")).stdout).toContain("not recorded yet");
    expect(await runs(pid)).toBe(false);
    expect(await states(system)).toBe("0 joined");
    await etcd.clearAlarm();
    await expect.poll(() => states(system), slow).toBe("0 stopped");

    // A server that starts under the alarm cannot lead. Its copy of the members is enough to stop the engines.
    await etcd.fill();
    await system.stop();
    system.launch([]);
    await expect.poll(() => system.server.output, slow).toContain("engine started");
    const started = system.enginePid();
    const code = async (...args: readonly string[]) => (await failure(system, "system", ...args))?.code;
    await expect.poll(() => code("stop"), slow).toBe(FaultCode.electionUnreachable);
    expect((await system.dmg("system", "stop", "--force")).stdout).toContain(
      "not recorded, the system has no leader",
    );
    expect(await runs(started)).toBe(false);
    await etcd.clearAlarm();
    await expect.poll(async () => (await system.dmg("system", "query")).exitCode, slow).toBe(0);
    expect(await system.dmg("system", "start")).toMatchObject({ exitCode: 0 });
    // The copy of the members is updated within seconds.
    const copy = join(system.directory, ".daos_server.state", `members-daos_server-${port}.json`);
    await expect.poll(() => readFile(copy, "utf8"), slow).toContain('"state": "joined"');
    await system.stop();

    const empty = stack.use(await EtcdCluster.start());
    const config = await readFile(system.configPath, "utf8");
    await writeFile(system.configPath, config.replace(more(etcd), more(empty)));
    system.launch([]);
    await expect.poll(() => code("stop"), slow).toBe(FaultCode.memberStoreReplaced);
    const restored = await run([DAOS_SERVER, "members", "restore", "-o", system.configPath]);
    expect(restored).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("rank 0") as string });
    await expect.poll(async () => (await system.dmg("system", "query")).exitCode, slow).toBe(0);
    await expect.poll(() => states(system), slow).toBe("0 joined");
  });
});

import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DrpcClient, drpcMethods } from "@daos/drpc";
import { FaultCode } from "@daos/fault";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { STATE_FILE } from "./state-store.ts";
import { EngineBench } from "./testing/engine-bench.ts";

// The real launcher and the real process, built by `npx nx run @daos/engine-emulator:build`. Each test starts several
// processes, which is slow on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

const bench = new EngineBench();
beforeEach(() => bench.open());
afterEach(() => bench.close());

const ENGINE = "11111111-1111-4111-8111-111111111111";
const POOL = "22222222-2222-4222-8222-222222222222";
const OTHER = "33333333-3333-4333-8333-333333333333";
const ANY = 4294967295;
const pool = { uuid: POOL, scmbytes: 600_000_000n, numsvcreps: 1, user: "ann@", usergroup: "ops@" };

/** The first start of an access point by the control plane. */
async function bootstrap(client: DrpcClient): Promise<void> {
  await ok(client.call(drpcMethods.setRank, { rank: 0 }));
  await ok(client.call(drpcMethods.createMs, { bootstrap: true, uuid: ENGINE, addr: "127.0.0.1:10001" }));
  await restart(client);
}

/** Every later start by the control plane. */
async function restart(client: DrpcClient): Promise<void> {
  await ok(client.call(drpcMethods.setRank, { rank: 0 }));
  await ok(client.call(drpcMethods.startMs, undefined));
  await ok(client.call(drpcMethods.setUp, undefined));
}

async function ok(answer: Promise<{ readonly status: number }>): Promise<void> {
  expect((await answer).status).toBe(0);
}

async function poolUuids(client: DrpcClient): Promise<readonly string[]> {
  return (await client.call(drpcMethods.listPools, {})).pools.map(({ uuid }) => uuid);
}

describe("daos_io_server (emulated)", () => {
  it("daos_io_server reports to the control plane, and ends at SIGTERM without leaving files", async () => {
    const logFile = join(bench.root, "engine.log");
    await writeFile(logFile, "before\n");
    const env = { CRT_PHY_ADDR_STR: "ofi+sockets", OFI_PORT: "31417", D_LOG_FILE: logFile };
    const args = ["-d", bench.socketDir, "-s", bench.scmMount, "-t", "2", "-x", "1", "-g", "sys", "-I", "3"];
    const engine = await bench.started({ args, env });
    expect(engine.pid).toBe(engine.child.pid);
    const listener = `daos_io_server_${engine.pid}.sock`;
    expect(engine.request).toMatchObject({
      uri: "ofi+sockets://127.0.0.1:31417",
      nctxs: 5,
      instanceIdx: 3,
      drpcListenerSock: join(bench.socketDir, listener),
    });
    expect(await readdir(bench.socketDir)).toContain(listener);
    engine.child.kill("SIGTERM");
    expect(await engine.ended).toEqual({ code: 0, signal: null });
    expect(await readdir(bench.socketDir)).toEqual(["daos_server.sock"]);
    expect(await readFile(logFile, "utf8")).toMatch(
      /^before\n.*emulated engine(.*\n)*.*engine ends reason=SIGTERM\n$/,
    );
  });

  it("daos_io_server answers KillRank, and then ends", async () => {
    const engine = await bench.started();
    await ok(engine.client.call(drpcMethods.prepShutdown, { rank: 0 }));
    await ok(engine.client.call(drpcMethods.killRank, { rank: 0, force: true }));
    expect(await engine.ended).toEqual({ code: 0, signal: null });
    expect(await readdir(bench.socketDir)).toEqual(["daos_server.sock"]);
  });

  it("daos_io_server ends when its parent is killed", async () => {
    const line = `"$0" -d "$1" -s "$2" & wait`;
    const shell = bench.spawn(["sh", "-c", line, bench.launcher(), bench.socketDir, bench.scmMount]);
    const { gone, pid } = await bench.nextReady();
    expect(pid).not.toBe(shell.child.pid);
    shell.child.kill("SIGKILL");
    if (!gone.aborted) await once(gone, "abort");
    // The output ends when the last holder of the pipe ends.
    await shell.ended;
    expect(await readdir(bench.socketDir)).toEqual(["daos_server.sock"]);
  });

  it("daos_io_server keeps pools, lists and members when it is killed with kill -9", async () => {
    const first = await bench.started();
    await bootstrap(first.client);
    expect(await first.client.call(drpcMethods.poolCreate, pool)).toMatchObject({ status: 0, svcreps: [0] });
    const acl = ["A::OWNER@:rw", "A::bob@:r", "A:G:GROUP@:rw"];
    const change = { uuid: POOL, ACL: ["A::bob@:r"] };
    expect((await first.client.call(drpcMethods.poolUpdateAcl, change)).ACL).toEqual(acl);
    const joined = await first.client.call(drpcMethods.join, { uuid: OTHER, rank: ANY, uri: "u", addr: "a" });
    expect(joined).toMatchObject({ status: 0, rank: 1 });
    first.child.kill("SIGKILL");
    expect((await first.ended).signal).toBe("SIGKILL");

    const { client } = await bench.started();
    expect((await client.call(drpcMethods.listPools, {})).status).toBe(-2020);
    await restart(client);
    expect(await poolUuids(client)).toEqual([POOL]);
    expect((await client.call(drpcMethods.poolGetAcl, { uuid: POOL })).ACL).toEqual(acl);
    expect(
      await client.call(drpcMethods.join, { uuid: OTHER, rank: ANY, uri: "u", addr: "a" }),
    ).toMatchObject({ rank: 1 });
    expect((await client.call(drpcMethods.poolCreate, { ...pool, uuid: OTHER })).status).toBe(-1007);
    expect((await client.call(drpcMethods.createMs, { bootstrap: true, uuid: ENGINE })).status).toBe(-1008);
    await ok(client.call(drpcMethods.poolDestroy, { uuid: POOL }));
    await ok(client.call(drpcMethods.poolCreate, { ...pool, uuid: OTHER }));
  });

  it("daos_io_server keeps an acknowledged pool when it is killed immediately afterwards", async () => {
    for (let round = 0; round < 5; round++) {
      const engine = await bench.started();
      if (round === 0) await bootstrap(engine.client);
      else await restart(engine.client);
      expect(await poolUuids(engine.client)).toHaveLength(round);
      const uuid = `${POOL.slice(0, -1)}${round}`;
      await ok(engine.client.call(drpcMethods.poolCreate, { ...pool, uuid, scmbytes: 1n }));
      engine.child.kill("SIGKILL");
      await engine.ended;
    }
  });

  it("daos_io_server has each acknowledged pool once when it was killed while it created pools", async () => {
    for (let round = 0; round < 4; round++) {
      const engine = await bench.started();
      if (round === 0) await bootstrap(engine.client);
      else await restart(engine.client);
      const before = await poolUuids(engine.client);
      const uuids = Array.from({ length: 20 }, (_, i) => `${POOL.slice(0, -4)}${1000 + round * 100 + i}`);
      const acknowledged: string[] = [];
      const calls = uuids.map(async (uuid) => {
        await ok(engine.client.call(drpcMethods.poolCreate, { ...pool, uuid, scmbytes: 1n }));
        if (acknowledged.push(uuid) === 3 + round * 5) engine.child.kill("SIGKILL");
      });
      await Promise.allSettled(calls);
      await engine.ended;

      const { client, child, ended } = await bench.started();
      await restart(client);
      const after = await poolUuids(client);
      expect(after).toEqual([...new Set(after)]);
      expect(after).toEqual(expect.arrayContaining([...before, ...acknowledged]));
      expect([...before, ...uuids]).toEqual(expect.arrayContaining([...after]));
      child.kill("SIGTERM");
      await ended;
    }
  });

  it("daos_io_server limits pools to the NVMe devices of its configuration", async () => {
    const conf = join(bench.scmMount, "daos_nvme.conf");
    const files = ["a", "b"].map((name) => join(bench.root, name));
    for (const file of files) await writeFile(file, Buffer.alloc(8192));
    await writeFile(conf, `[AIO]\n${files.map((file, i) => `    AIO ${file} AIO_h_${i} 4096\n`).join("")}`);
    const args = ["-d", bench.socketDir, "-s", bench.scmMount, "-t", "4", "-n", conf];
    const { client } = await bench.started({ args });
    await bootstrap(client);
    const create = { ...pool, nvmebytes: 16_385n };
    expect((await client.call(drpcMethods.poolCreate, create)).status).toBe(-1007);
    await ok(client.call(drpcMethods.poolCreate, { ...create, nvmebytes: 16_384n }));

    const { devices } = await client.call(drpcMethods.smdListDevs, {});
    expect(devices.map(({ tgtIds }) => tgtIds)).toEqual([
      [0, 2],
      [1, 3],
    ]);
    const { pools } = await client.call(drpcMethods.smdListPools, {});
    expect(pools).toMatchObject([{ uuid: POOL, tgtIds: [0, 1, 2, 3], blobs: [1n, 2n, 3n, 4n] }]);
    const devUuid = devices[1]?.uuid ?? "";
    expect(await client.call(drpcMethods.bioHealthQuery, { tgtId: "3" })).toMatchObject({
      status: 0,
      devUuid,
      errorCount: 0n,
    });
    expect(await client.call(drpcMethods.bioHealthQuery, { devUuid })).toMatchObject({ status: 0, devUuid });
    expect((await client.call(drpcMethods.bioHealthQuery, { tgtId: "9" })).status).toBe(-1005);
    expect((await client.call(drpcMethods.bioHealthQuery, { devUuid: OTHER })).status).toBe(-1005);
    expect((await client.call(drpcMethods.bioHealthQuery, {})).status).toBe(-1003);
  });

  it("daos_io_server refuses pool requests when it has no management service or does not lead", async () => {
    const { client } = await bench.started();
    const create = { bootstrap: false, uuid: "", addr: "127.0.0.1:10001" };
    expect((await client.call(drpcMethods.setUp, undefined)).status).toBe(-1015);
    expect((await client.call(drpcMethods.createMs, create)).status).toBe(-1015);
    expect((await client.call(drpcMethods.startMs, undefined)).status).toBe(-1005);
    expect((await client.call(drpcMethods.join, { uuid: OTHER, rank: ANY })).status).toBe(-2020);
    expect((await client.call(drpcMethods.poolCreate, pool)).status).toBe(-2020);
    await ok(client.call(drpcMethods.setRank, { rank: 4 }));
    expect((await client.call(drpcMethods.setRank, { rank: 5 })).status).toBe(-1004);
    await ok(client.call(drpcMethods.createMs, create));
    expect((await client.call(drpcMethods.getAttachInfo, { sys: "daos_server" })).status).toBe(-2008);
  });

  it("daos_io_server changes access control lists by principal", async () => {
    const { client } = await bench.started();
    await bootstrap(client);
    await ok(client.call(drpcMethods.poolCreate, { ...pool, acl: ["A:G:GROUP@:r", "A::OWNER@:rw"] }));
    const overwrite = (ACL: string[]) => client.call(drpcMethods.poolOverwriteAcl, { uuid: POOL, ACL });
    const remove = (principal: string) => client.call(drpcMethods.poolDeleteAcl, { uuid: POOL, principal });
    const get = () => client.call(drpcMethods.poolGetAcl, { uuid: POOL });
    expect((await get()).ACL).toEqual(["A::OWNER@:rw", "A:G:GROUP@:r"]);
    expect((await overwrite(["A::EVERYONE@:r", "A::bob@:rw"])).ACL).toEqual(["A::bob@:rw", "A::EVERYONE@:r"]);
    expect(await overwrite(["A::bob@:rw", "A::bob@:x"])).toMatchObject({ status: -1003, ACL: [] });
    expect(await remove("u:ann@")).toMatchObject({ status: -1005, ACL: [] });
    expect(await remove("bob@")).toMatchObject({ status: -1003 });
    expect((await remove("u:bob@")).ACL).toEqual(["A::EVERYONE@:r"]);
    expect((await client.call(drpcMethods.poolGetAcl, { uuid: OTHER })).status).toBe(-1005);
    expect((await get()).ACL).toEqual(["A::EVERYONE@:r"]);
    const psrs = [{ rank: 0, uri: "ofi+sockets://127.0.0.1:31416" }];
    expect(await client.call(drpcMethods.getAttachInfo, { sys: "daos_server" })).toMatchObject({ psrs });
  });
});

describe("daos_io_server when it cannot start", () => {
  it.each([
    ["an unknown option", { args: ["-Z"] }, "Unknown option '-Z'"],
    ["no SCM mount", { args: ["-d", "/run"] }, "option -s (SCM mount point) is missing"],
    ["an unknown fault", { env: { DAOS_EMULATOR_FAULTS: "x:y" } }, '"x:y" is no fault'],
    ["an unknown interface", { env: { OFI_INTERFACE: "none0" } }, "there is no interface none0"],
  ])(
    "daos_io_server exits with 1 and prints the reason when its input is %s",
    async (_, options, message) => {
      const run = bench.start(options);
      expect((await run.ended).code).toBe(1);
      expect(run.output()).toMatch(/^daos_io_server \(emulated\): .+\n$/);
      expect(run.output()).toContain(message);
    },
  );

  it("daos_io_server exits with 1 and prints the reason when SCM is missing", async () => {
    const scm = join(bench.root, "none");
    const run = bench.start({ args: ["-d", bench.socketDir, "-s", scm] });
    expect((await run.ended).code).toBe(1);
    expect(run.output()).toContain(`the SCM mount point ${scm} does not exist`);
  });

  it("daos_io_server exits with 1 and prints the reason when the state file is torn", async () => {
    await writeFile(join(bench.scmMount, STATE_FILE), '{"version": 1, "ms": {');
    const run = bench.start();
    expect((await run.ended).code).toBe(1);
    expect(run.output()).toContain(`${STATE_FILE} is damaged or not the emulator's`);
  });

  it("daos_io_server exits with 1 and prints the reason when there is no control plane", async () => {
    await bench.stopListening();
    const run = bench.start();
    expect((await run.ended).code).toBe(1);
    expect(run.output()).toContain("daos_server.sock");
    expect(run.output()).toContain("resolution");
    expect(await readdir(bench.socketDir)).toEqual([]);
  });

  it("daos_io_server exits with the status of the fault start:exit", async () => {
    expect(await bench.start({ env: { DAOS_EMULATOR_FAULTS: "start:exit=3" } }).ended).toEqual({
      code: 3,
      signal: null,
    });
  });
});

describe("daos_io_server with injected faults", () => {
  const withFaults = (faults: string) => bench.started({ env: { DAOS_EMULATOR_FAULTS: faults } });

  it("daos_io_server answers late with the injected status, and does nothing", async () => {
    const { client } = await withFaults("pool-create:slow=20,pool-create:status=-1007,pool-destroy:failure");
    await bootstrap(client);
    expect((await client.call(drpcMethods.poolCreate, pool)).status).toBe(-1007);
    expect(await poolUuids(client)).toEqual([]);
    await expect(client.call(drpcMethods.poolDestroy, { uuid: POOL })).rejects.toThrow("FAILURE");
  });

  it.each([
    ["crash", []],
    ["crash-after", [POOL]],
  ])("daos_io_server with the fault %s leaves the pools %j", async (fault, pools) => {
    const engine = await withFaults(`pool-create:${fault}`);
    await bootstrap(engine.client);
    await expect(engine.client.call(drpcMethods.poolCreate, pool)).rejects.toMatchObject({
      code: FaultCode.drpcConnectionLost,
    });
    expect((await engine.ended).signal).toBe("SIGKILL");
    const { client } = await bench.started();
    await restart(client);
    expect(await poolUuids(client)).toEqual(pools);
  });

  it("daos_io_server answers other methods while one hangs", async () => {
    const { client, child, ended } = await withFaults("set-rank:hang");
    const stop = new AbortController();
    const call = client.call(drpcMethods.setRank, { rank: 0 }, stop);
    expect((await client.call(drpcMethods.listPools, {})).status).toBe(-2020);
    stop.abort("enough");
    await expect(call).rejects.toBe("enough");
    child.kill("SIGINT");
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  it("daos_io_server listens, but never reports with the fault notify-ready:never", async () => {
    const run = bench.start({ env: { DAOS_EMULATOR_FAULTS: "notify-ready:never" } });
    await run.printed("emulated engine");
    const client = await bench.connect(join(bench.socketDir, `daos_io_server_${run.child.pid}.sock`));
    await ok(client.call(drpcMethods.setRank, { rank: 0 }));
  });
});

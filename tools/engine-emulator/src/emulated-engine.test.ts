import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DrpcClient, DrpcServer, drpcMethods } from "@daos/drpc";
import { daosStatusName } from "@daos/fault";
import { silentLogger } from "@daos/log";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmulatedEngine } from "./emulated-engine.ts";
import { StateStore } from "./state-store.ts";

const CAPACITY = { scm: 100, nvme: 50 };
const ENGINE = "11111111-1111-4111-8111-111111111111";
const uuidOf = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;

/** The process at each fabric address. */
const processes = new Map<string, string>();

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "engine-"));
});
afterEach(async () => {
  processes.clear();
  await rm(directory, { recursive: true });
});

async function start(scm: string): Promise<{ client: DrpcClient; stop: () => Promise<void> }> {
  const engine = new EmulatedEngine({
    store: await StateStore.open(scm),
    capacity: CAPACITY,
    targets: 2,
    uri: "ofi+sockets://127.0.0.1:31416",
    nctxs: 3,
    fabric: { processAt: async (uri) => processes.get(uri) },
    faults: new Map(),
    log: silentLogger,
    exit: () => {},
    crash: () => {},
  });
  const path = join(directory, "engine.sock");
  const server = new DrpcServer({ path, modules: [engine.module], log: silentLogger });
  await server.listen();
  const client = await DrpcClient.connect(path);
  const stop = async () => {
    client.close();
    await server.close();
  };
  await client.call(drpcMethods.setRank, { rank: 0 });
  return { client, stop };
}

/** The expected state: each pool's share of a rank, by uuid. */
interface Model {
  readonly pools: Map<string, { scm: number; nvme: number; acl: string[] }>;
}

interface Real {
  client: DrpcClient;
  stop: () => Promise<void>;
  readonly scm: string;
}

type Call = () => Promise<{ readonly status: number }>;

type Command = fc.AsyncCommand<Model, Real>;

const ALWAYS = () => true;

function create(n: number, scm: number, nvme: number): Command {
  return {
    check: ALWAYS,
    toString: () => `create ${n} ${scm} ${nvme}`,
    run: async ({ pools }, { client }) => {
      const request = { uuid: uuidOf(n), scmbytes: BigInt(scm), nvmebytes: BigInt(nvme), numsvcreps: 1 };
      const { status } = await client.call(drpcMethods.poolCreate, request);
      const used = [...pools.values()].reduce(
        (sum, pool) => ({ scm: sum.scm + pool.scm, nvme: sum.nvme + pool.nvme }),
        {
          scm: 0,
          nvme: 0,
        },
      );
      const fits = used.scm + scm <= CAPACITY.scm && used.nvme + nvme <= CAPACITY.nvme;
      expect(status).toBe(pools.has(uuidOf(n)) ? -1004 : fits ? 0 : -1007);
      if (status === 0) pools.set(uuidOf(n), { scm, nvme, acl: ["A::OWNER@:rw", "A:G:GROUP@:rw"] });
    },
  };
}

function destroy(n: number): Command {
  return {
    check: ALWAYS,
    toString: () => `destroy ${n}`,
    run: async ({ pools }, { client }) => {
      const { status } = await client.call(drpcMethods.poolDestroy, { uuid: uuidOf(n), force: true });
      pools.delete(uuidOf(n));
      expect(status).toBe(0);
    },
  };
}

function allow(n: number, permissions: string): Command {
  return {
    check: ALWAYS,
    toString: () => `allow ${n} ${permissions}`,
    run: async ({ pools }, { client }) => {
      const entry = `A::EVERYONE@:${permissions}`;
      const answer = await client.call(drpcMethods.poolUpdateAcl, { uuid: uuidOf(n), ACL: [entry] });
      const pool = pools.get(uuidOf(n));
      expect(answer.status).toBe(pool === undefined ? -1005 : 0);
      if (pool === undefined) return;
      pool.acl = [...pool.acl.filter((one) => !one.includes("EVERYONE@")), entry];
      expect(answer.ACL).toEqual(pool.acl);
    },
  };
}

function forbid(n: number): Command {
  return {
    check: ALWAYS,
    toString: () => `forbid ${n}`,
    run: async ({ pools }, { client }) => {
      const answer = await client.call(drpcMethods.poolDeleteAcl, {
        uuid: uuidOf(n),
        principal: "EVERYONE@",
      });
      const pool = pools.get(uuidOf(n));
      const had = pool?.acl.some((one) => one.includes("EVERYONE@")) ?? false;
      expect(answer.status).toBe(had ? 0 : -1005);
      if (pool !== undefined) pool.acl = pool.acl.filter((one) => !one.includes("EVERYONE@"));
    },
  };
}

const restart: Command = {
  check: ALWAYS,
  toString: () => "restart",
  run: async ({ pools }, real) => {
    await real.stop();
    Object.assign(real, await start(real.scm));
    expect((await real.client.call(drpcMethods.startMs, undefined)).status).toBe(0);
    const list = await real.client.call(drpcMethods.listPools, {});
    expect(list.pools.map(({ uuid }) => uuid)).toEqual([...pools.keys()]);
    for (const [uuid, { acl }] of pools) {
      expect((await real.client.call(drpcMethods.poolGetAcl, { uuid })).ACL).toEqual(acl);
    }
  },
};

describe("EmulatedEngine with a restarted rank", () => {
  const other = {
    uuid: "33333333-3333-4333-8333-333333333333",
    rank: 1,
    uri: "ofi+sockets://127.0.0.1:31417",
  };
  const pool = (n: number, ranks: number[]) => ({ uuid: uuidOf(n), scmbytes: 1n, numsvcreps: 1, ranks });

  it("EmulatedEngine answers -1036 for pools on a restarted rank until the rank joins again or the leader restarts", async () => {
    processes.set(other.uri, "first");
    const engine = await start(directory);
    const { client } = engine;
    const create = async (n: number, ranks: number[]) =>
      (await client.call(drpcMethods.poolCreate, pool(n, ranks))).status;
    await client.call(drpcMethods.createMs, { bootstrap: true, uuid: ENGINE, addr: "127.0.0.1:10001" });
    expect(await client.call(drpcMethods.join, other)).toMatchObject({ status: 0, rank: 1 });
    expect(await create(1, [])).toBe(0);
    processes.set(other.uri, "second");
    expect([await create(2, []), await create(2, [1]), await create(2, [0])]).toEqual([-1036, -1036, 0]);
    expect((await client.call(drpcMethods.poolDestroy, { uuid: uuidOf(1) })).status).toBe(-1036);
    expect(await client.call(drpcMethods.join, other)).toMatchObject({ status: 0, rank: 1 });
    expect(await create(3, [])).toBe(0);
    processes.set(other.uri, "third");
    expect(await create(4, [])).toBe(-1036);
    await client.call(drpcMethods.startMs, undefined);
    expect(await create(4, [])).toBe(0);
    await engine.stop();
  });

  it("EmulatedEngine creates and destroys pools that are not on the restarted rank", async () => {
    const engine = await start(directory);
    await engine.client.call(drpcMethods.createMs, {
      bootstrap: true,
      uuid: ENGINE,
      addr: "127.0.0.1:10001",
    });
    await engine.client.call(drpcMethods.join, other);
    // No process of this machine answers at that address, so nothing is known of the engine.
    expect((await engine.client.call(drpcMethods.poolCreate, pool(1, []))).status).toBe(0);
    const uuid = "no uuid";
    expect((await engine.client.call(drpcMethods.poolGetAcl, { uuid })).status).toBe(-1003);
    expect((await engine.client.call(drpcMethods.poolDestroy, { uuid })).status).toBe(-1003);
    await engine.stop();
  });
});

describe("EmulatedEngine with random requests", () => {
  it("EmulatedEngine has the same pools, space and lists as a simple model, also after restarts", {
    timeout: 300_000,
  }, async () => {
    const pool = fc.nat(5);
    const commands = fc.commands(
      [
        fc.tuple(pool, fc.integer({ min: 1, max: 60 }), fc.nat(30)).map((args) => create(...args)),
        pool.map(destroy),
        fc.tuple(pool, fc.constantFrom("", "r", "rw")).map((args) => allow(...args)),
        pool.map(forbid),
        fc.constant(restart),
      ],
      { maxCommands: 40 },
    );
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const scm = await mkdtemp(join(directory, "scm-"));
        const real: Real = { scm, ...(await start(scm)) };
        try {
          await real.client.call(drpcMethods.createMs, {
            bootstrap: true,
            uuid: ENGINE,
            addr: "127.0.0.1:10001",
          });
          await fc.asyncModelRun(() => ({ model: { pools: new Map() }, real }), list);
        } finally {
          await real.stop();
        }
      }),
      { numRuns: 30 },
    );
  });

  it("EmulatedEngine answers any request with a status, never with a dRPC failure", {
    timeout: 300_000,
  }, async () => {
    const { client, stop } = await start(directory);
    await client.call(drpcMethods.createMs, { bootstrap: true, uuid: ENGINE, addr: "127.0.0.1:10001" });
    const uuid = fc.oneof(fc.string(), fc.uuid(), fc.constant(uuidOf(1)));
    const text = fc.string({ maxLength: 30 });
    const rank = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 4294967295 }));
    const bytes = fc.oneof(fc.bigInt(0n, 120n), fc.bigInt(0n, 2n ** 64n - 1n));
    const acl = fc.array(fc.oneof(text, fc.constantFrom("A::bob@:rw", "A:G:ops@:r", "A::OWNER@:r")), {
      maxLength: 3,
    });
    const ranks = fc.array(rank, { maxLength: 3 });
    const pool = fc.record({
      uuid,
      scmbytes: bytes,
      nvmebytes: bytes,
      ranks,
      numsvcreps: rank,
      acl,
      user: text,
    });
    const request = fc.oneof(
      fc.record({ uuid, rank, uri: text, nctxs: rank, addr: text }).map(
        (one): Call =>
          () =>
            client.call(drpcMethods.join, one),
      ),
      pool.map(
        (one): Call =>
          () =>
            client.call(drpcMethods.poolCreate, one),
      ),
      fc.record({ uuid }).map(
        (one): Call =>
          () =>
            client.call(drpcMethods.poolDestroy, one),
      ),
      fc.record({ uuid, ACL: acl }).map(
        (one): Call =>
          () =>
            client.call(drpcMethods.poolOverwriteAcl, one),
      ),
      fc.record({ uuid, ACL: acl }).map(
        (one): Call =>
          () =>
            client.call(drpcMethods.poolUpdateAcl, one),
      ),
      fc.record({ uuid, principal: text }).map(
        (one): Call =>
          () =>
            client.call(drpcMethods.poolDeleteAcl, one),
      ),
      fc.record({ devUuid: uuid, tgtId: text }).map(
        (one): Call =>
          () =>
            client.call(drpcMethods.bioHealthQuery, one),
      ),
      fc.record({ bootstrap: fc.boolean(), uuid, addr: text }).map(
        (one): Call =>
          () =>
            client.call(drpcMethods.createMs, one),
      ),
    );
    await fc.assert(
      fc.asyncProperty(request, async (call) => {
        const { status } = await call();
        expect(daosStatusName(status)).not.toContain("UNKNOWN");
      }),
      { numRuns: 300 },
    );
    await stop();
    const again = await start(directory);
    await again.stop();
  });
});

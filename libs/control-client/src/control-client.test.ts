import { once } from "node:events";
import { constants, createServer } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress, formatHostSet, type HostAddress } from "@daos/hostlist";
import { DeadPort, RawServer } from "@daos/http2/testing";
import { faultNotLeader } from "@daos/rpc";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ControlClient, type HostResult } from "./control-client.ts";
import type { OnDeviceProgress } from "./device-progress.ts";
import { listPools } from "./list-pools.ts";
import { poolCreate } from "./pool-create.ts";
import { storageBurnIn } from "./storage-burn-in.ts";
import { storageFormat } from "./storage-format.ts";
import { storageScan } from "./storage-scan.ts";
import { systemMemberQuery } from "./system-member-query.ts";
import { type FakeCalls, FakeServer } from "./testing/fake-server.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
});

async function fake(calls: FakeCalls): Promise<FakeServer> {
  const server = await FakeServer.start(calls);
  open.push(server);
  return server;
}

const rawServer = async (handle?: (socket: Socket) => void) => {
  const server = await RawServer.start(handle);
  open.push(server);
  return server.host;
};
const deadHost = async () => {
  const port = await DeadPort.take();
  open.push(port);
  return port.host;
};

async function collect<T>(
  results: AsyncIterable<HostResult<T>>,
  onOutcome: (found: ReadonlyMap<string, HostResult<T>["outcome"]>) => void = () => {},
): Promise<Map<string, HostResult<T>["outcome"]>> {
  const found = new Map<string, HostResult<T>["outcome"]>();
  for await (const { host, outcome } of results) {
    expect(found.has(formatHostAddress(host))).toBe(false);
    found.set(formatHostAddress(host), outcome);
    onOutcome(found);
  }
  return found;
}

const create = {
  uuid: "00000000-0000-4000-8000-000000000001",
  scmBytes: 1n << 30n,
  nvmeBytes: 0n,
  ranks: [1],
  svcReplicas: 1,
  user: "u@",
  group: "g@",
  acl: ["A::OWNER@:rw"],
  system: "daos_server",
};

describe("ControlClient's requests to every host", () => {
  it("ControlClient.eachHost() yields each host's outcome once, by cause", async () => {
    const well = await fake({
      ctl: {
        storageScan: () => ({
          scm: { modules: [{ physicalid: 1, capacity: 5n, loc: { socket: 1, channelpos: 2 } }] },
          nvme: { state: { status: -2, error: "no SPDK", info: "prepare" } },
        }),
      },
    });
    const ill = await fake({
      ctl: {
        storageScan: () => {
          throw new Fault({ domain: "scm", code: 206, description: "bad", resolution: "good" });
        },
      },
    });
    const dead = await deadHost();
    const silent = await rawServer();
    const garbage = await rawServer((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const hosts = [well.host, ill.host, dead, silent, garbage];
    // The deadline comes when all other hosts have answered, however long that takes.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const found = await collect(storageScan(new ControlClient({ hosts, timeoutMs: 4_000 })), (outcomes) => {
      if (outcomes.size === 4) vi.advanceTimersByTime(4_000);
    });
    expect(found.size).toBe(5);
    expect(found.get(formatHostAddress(well.host))).toMatchObject({
      kind: "ok",
      value: {
        scm: { modules: [{ physicalId: 1, capacityBytes: 5, socket: 1, slot: 2 }], fault: undefined },
        nvme: { controllers: [], fault: { code: 308, reason: "no SPDK", resolution: "prepare" } },
      },
    });
    const code = (host: HostAddress) => {
      const outcome = found.get(formatHostAddress(host));
      return outcome?.kind === "failed" ? outcome.fault.code : undefined;
    };
    expect([ill.host, dead, silent, garbage].map(code)).toEqual([
      206,
      FaultCode.connectionRefused,
      FaultCode.timedOut,
      FaultCode.notDaosServer,
    ]);
  });

  it("ControlClient.eachHost() never exceeds the fan-out", async () => {
    let now = 0;
    let most = 0;
    const calls: FakeCalls = {
      ctl: {
        storageScan: async () => {
          most = Math.max(most, ++now);
          await new Promise((resolve) => setImmediate(resolve));
          now--;
          return {};
        },
      },
    };
    const servers = await Promise.all(Array.from({ length: 12 }, () => fake(calls)));
    const client = new ControlClient({ hosts: servers.map(({ host }) => host), fanout: 3 });
    expect((await collect(storageScan(client))).size).toBe(12);
    expect(most).toBeLessThanOrEqual(3);
  });

  it("ControlClient.eachHost() reads a stream to its end", async () => {
    const server = await fake({
      ctl: {
        async *storageFormat({ reformat }) {
          yield { mrets: [{ mntpoint: "/mnt/daos", state: { status: 0 } }] };
          yield {
            crets: [{ pciaddr: "0000:81:00.0", state: { status: -2, error: `reformat ${reformat}` } }],
          };
        },
      },
    });
    const client = new ControlClient({ hosts: [server.host] });
    const [outcome] = (await collect(storageFormat(client, { reformat: true }))).values();
    expect(outcome).toMatchObject({
      kind: "ok",
      value: {
        scm: [{ target: "/mnt/daos", fault: undefined }],
        nvme: [{ target: "0000:81:00.0", fault: { reason: "reformat true" } }],
      },
    });
  });

  it("storageFormat() reports progress, and asks servers of release 0.8.0 without it", async () => {
    const progress = { device: "0000:81:00.0", step: "zero", fraction: 1.5, remainingMs: 7n };
    const ours = await fake({
      ctl: {
        async *storageFormatWatch({ reformat }) {
          yield { event: { case: "progress", value: progress } };
          const state = { status: -2, error: `reformat ${reformat}` };
          yield { event: { case: "results", value: { crets: [{ pciaddr: "0000:81:00.0", state }] } } };
        },
      },
    });
    const old = await fake({
      ctl: {
        async *storageFormat() {
          yield { mrets: [{ mntpoint: "/mnt/daos", state: {} }] };
        },
      },
    });
    const seen: unknown[] = [];
    const client = new ControlClient({ hosts: [ours.host, old.host] });
    const onProgress: OnDeviceProgress = (host, entry) => void seen.push([host.port, entry]);
    const found = await collect(storageFormat(client, { reformat: true, onProgress }));
    expect(found.get(formatHostAddress(ours.host))).toMatchObject({
      value: { scm: [], nvme: [{ target: "0000:81:00.0", fault: { reason: "reformat true" } }] },
    });
    expect(found.get(formatHostAddress(old.host))).toMatchObject({
      value: { scm: [{ target: "/mnt/daos", fault: undefined }], nvme: [] },
    });
    expect(seen).toEqual([
      [ours.host.port, { device: "0000:81:00.0", step: "zero", fraction: 1, elapsedMs: 0, remainingMs: 7 }],
    ]);
    expect(old.unexpected).toEqual(["MgmtCtl/StorageFormatWatch"]);
  });

  it("storageBurnIn() reads the verdicts", async () => {
    const server = await fake({
      ctl: {
        async *storageBurnIn({ devices, seconds }) {
          const state = { status: -2, error: 'bdev: code = 318 description = "bad"', info: "replace it" };
          const results = [
            { pciaddr: devices[0] ?? "", verdict: 1, bytesWritten: BigInt(seconds) },
            { pciaddr: "b", verdict: 2, state, errors: ["e"], findings: ["f"] },
            { pciaddr: "c", verdict: 4, reason: "it is mounted" },
            { pciaddr: "d", state },
          ];
          yield { event: { case: "results", value: { results } } };
        },
      },
    });
    const client = new ControlClient({ hosts: [server.host] });
    const [outcome] = (await collect(storageBurnIn(client, { devices: ["a"], seconds: 60 }))).values();
    expect(outcome).toMatchObject({
      value: {
        controllers: [
          { pciAddress: "a", verdict: "passed", bytesWritten: 60, fault: undefined },
          { pciAddress: "b", verdict: "failed", fault: { code: 318 }, blockErrors: ["e"], findings: ["f"] },
          { pciAddress: "c", verdict: "skipped", reason: "it is mounted" },
          { pciAddress: "d", verdict: "refused", fault: { code: 318 } },
        ],
      },
    });
  });

  it("ControlClient.eachHost() cancels the servers' handlers when its signal aborts", async () => {
    const abort = new AbortController();
    const cancelled = Promise.withResolvers<void>();
    const server = await fake({
      ctl: {
        storageScan: async (_, { signal }) => {
          signal.addEventListener("abort", () => cancelled.resolve(), { once: true });
          abort.abort(new Error("Ctrl-C"));
          await cancelled.promise;
          return {};
        },
      },
    });
    const client = new ControlClient({ hosts: [server.host], signal: abort.signal });
    const [outcome] = (await collect(storageScan(client))).values();
    expect(outcome).toMatchObject({ kind: "failed", fault: { code: FaultCode.cancelled } });
    await cancelled.promise;
  });
});

describe("ControlClient's requests to the leader", () => {
  const members = [
    { rank: 1, uuid: "b", addr: "h:2" },
    { rank: 0, uuid: "a", addr: "h:1" },
  ];

  it("ControlClient.leader() skips dead hosts, and follows the hint of a follower", async () => {
    const leader = await fake({ ctl: { systemMemberQuery: () => ({ members }) } });
    const other = await fake({
      ctl: {
        systemMemberQuery: () => {
          throw faultNotLeader("other:1", formatHostAddress(leader.host));
        },
      },
    });
    const client = new ControlClient({ hosts: [await deadHost(), other.host] });
    expect(await systemMemberQuery(client)).toEqual([
      { rank: 0, uuid: "a", address: "h:1" },
      { rank: 1, uuid: "b", address: "h:2" },
    ]);
  });

  it("ControlClient.leader() fails when two hosts name each other as the leader", async () => {
    const hosts: HostAddress[] = [];
    const pointAt = (index: number): FakeCalls => ({
      ctl: {
        systemMemberQuery: () => {
          throw faultNotLeader("me:1", formatHostAddress(hosts[index] as HostAddress));
        },
      },
    });
    const servers = [await fake(pointAt(1)), await fake(pointAt(0))];
    hosts.push(...servers.map(({ host }) => host));
    const client = new ControlClient({ hosts: hosts.slice(0, 1), leaderWaitMs: 0 });
    await expect(systemMemberQuery(client)).rejects.toMatchObject({ code: FaultCode.notLeader });
    const calls = ["MgmtCtl/SystemMemberQuery", "MgmtSvc/LeaderQuery"];
    expect(servers.map((server) => server.calls)).toEqual([calls, calls]);
  });

  it("poolCreate() sends every field, and throws a fault for a failed status", async () => {
    const seen: unknown[] = [];
    const server = await fake({
      mgmt: {
        poolCreate: ({ uuid, scmbytes, ranks, numsvcreps, user, usergroup, sys, acl }) => {
          seen.push({ uuid, scmbytes, ranks, numsvcreps, user, usergroup, sys, acl });
          return seen.length === 1 ? { svcreps: [0] } : { status: -1007 };
        },
        listPools: () => ({ pools: [{ uuid: "z" }, { uuid: "a", svcreps: [0, 1] }] }),
      },
    });
    const client = new ControlClient({ hosts: [server.host] });
    expect(await poolCreate(client, create)).toEqual({ uuid: create.uuid, svcReplicas: [0] });
    expect(seen[0]).toEqual({
      uuid: create.uuid,
      scmbytes: 1n << 30n,
      ranks: [1],
      numsvcreps: 1,
      user: "u@",
      usergroup: "g@",
      sys: "daos_server",
      acl: ["A::OWNER@:rw"],
    });
    await expect(poolCreate(client, create)).rejects.toMatchObject({ domain: "daos", code: 1007 });
    const { pools, outage } = await listPools(client, { system: "s" });
    expect(outage).toBe("");
    expect(pools).toMatchObject([
      { uuid: "a", svcReplicas: [0, 1], state: "unknown", scmBytes: undefined },
      { uuid: "z", svcReplicas: [] },
    ]);
  });

  it("ControlClient.leader() does not repeat a request that may have been done", async () => {
    const first = await fake({
      mgmt: {
        poolCreate: (_, { responseHeader }) => {
          void responseHeader;
          for (const server of open) void server[Symbol.asyncDispose]();
          return new Promise(() => {});
        },
      },
    });
    const second = await fake({ mgmt: { poolCreate: () => ({}) } });
    const client = new ControlClient({ hosts: [first.host, second.host] });
    await expect(poolCreate(client, create)).rejects.toMatchObject({ code: FaultCode.connectionLost });
    expect(second.calls).toEqual([]);
    open.splice(0);
  });

  it("ControlClient.leader() asks another host when a server that ends did not take the request", async () => {
    const ending = createServer();
    ending.on("stream", (stream) => stream.on("error", () => {}).close(constants.NGHTTP2_REFUSED_STREAM));
    ending.listen(0, "127.0.0.1");
    await once(ending, "listening");
    open.push({ [Symbol.asyncDispose]: async () => void ending.close() });
    const { port } = ending.address() as AddressInfo;
    const leader = await fake({ mgmt: { poolCreate: () => ({}) } });
    const client = new ControlClient({ hosts: [{ host: "127.0.0.1", port }, leader.host] });
    await poolCreate(client, create);
    expect(leader.calls).toEqual(["MgmtSvc/PoolCreate"]);
  });

  it("ControlClient.leader() fails with a fault when no host is reachable", async () => {
    const hosts = [await deadHost(), await deadHost()];
    await expect(systemMemberQuery(new ControlClient({ hosts }))).rejects.toMatchObject({
      code: FaultCode.connectionRefused,
      description: `cannot query system members: none of ${formatHostSet(hosts)} could do it`,
    });
  });

  it("ControlClient.leader() groups equal failures, with the advice of the hosts that answered", async () => {
    const stopped = new Fault({
      domain: "system",
      code: FaultCode.notAccessPoint,
      description: "no replica in service",
      resolution: "start the engines",
    });
    const servers = await Promise.all(
      [0, 1].map(() =>
        fake({
          mgmt: {
            listPools: () => {
              throw stopped;
            },
          },
        }),
      ),
    );
    const hosts = servers.map(({ host }) => host);
    await expect(
      listPools(new ControlClient({ hosts }), { system: "s" }, "query pool"),
    ).rejects.toMatchObject({
      code: FaultCode.notAccessPoint,
      description: `cannot query pool: none of ${formatHostSet(hosts)} could do it`,
      reason: "no replica in service",
      resolution: "start the engines",
    });
    const some = new ControlClient({ hosts: [await deadHost(), ...hosts] });
    await expect(listPools(some, { system: "s" })).rejects.toMatchObject({
      code: FaultCode.hostsFailed,
      reason: expect.stringMatching(/connection refused.*; no replica in service$/),
      resolution: "start the engines",
    });
  });
});

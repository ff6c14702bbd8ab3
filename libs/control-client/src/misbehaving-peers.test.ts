import { Fault, FaultCode, isNotDone, retryClass } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import { MISBEHAVING_PEERS, type MisbehavingPeer, RawServer } from "@daos/http2/testing";
import { deadline } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { ControlClient } from "./control-client.ts";
import { LeaderFinder } from "./leader-finder.ts";
import { MgmtClient } from "./mgmt-client.ts";
import { poolCreate } from "./pool-create.ts";
import { storageScan } from "./storage-scan.ts";
import { systemQuery } from "./system-query.ts";
import { FakeServer } from "./testing/fake-server.ts";

interface Wait {
  readonly signal: AbortSignal;
}

const join = {
  uuid: "00000000-0000-4000-8000-000000000001",
  rank: 4294967295,
  uri: "ofi+sockets://127.0.0.1",
  nctxs: 1,
  addr: "0.0.0.0:10001",
  faultDomain: "/host",
  reports: true,
  recorded: false,
  engineNumber: 1,
};
const report = { addr: "127.0.0.1:10001", engines: [], intervalMs: 5_000, warnings: [], configured: 0 };
const pool = {
  uuid: "00000000-0000-4000-8000-000000000001",
  scmBytes: 1n,
  nvmeBytes: 0n,
  ranks: [],
  svcReplicas: 1,
  user: "u@",
  group: "g@",
  acl: [],
  system: "",
};

/** Every call of daos-server to other servers. */
const CALLS: Readonly<
  Record<string, (client: MgmtClient, host: HostAddress, wait: Wait) => Promise<unknown>>
> = {
  join: (client, host, wait) => client.join(host, join, wait),
  reportEngines: (client, host, wait) => client.reportEngines(host, report, wait),
  prepShutdown: (client, host, wait) => client.prepShutdown(host, 1, { ...wait, timeoutMs: 60_000 }),
  killRank: (client, host, wait) => client.killRank(host, 1, { ...wait, force: false }),
  startRank: (client, host, wait) => client.startRank(host, 1, wait),
  eraseRank: (client, host, wait) => client.eraseRank(host, 1, join.uuid, wait),
  callEngine: (client, host, wait) => client.callEngine(host, 201, new Uint8Array(), wait),
};

/** Long enough for an answer on a loaded machine. A silent peer takes all of it. */
const timeoutOf = ({ isSilent }: MisbehavingPeer) => (isSilent === true ? 300 : 40_000);

// An error without a listener would be uncaught, and fail the run.
describe.each(MISBEHAVING_PEERS)("a peer that is $name", (peer) => {
  it.each(Object.entries(CALLS))("MgmtClient.%s() throws a fault", async (_name, call) => {
    await using server = await RawServer.start(peer.handle);
    const client = new MgmtClient(async () => undefined);
    using limit = deadline(timeoutOf(peer), "the call");
    const fault = await call(client, server.host, limit).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(Fault);
    expect(retryClass(fault as Fault)).not.toBe("final");
  });

  it("LeaderFinder.ask() still reaches the leader", async () => {
    await using server = await RawServer.start(peer.handle);
    await using leader = await FakeServer.start({ mgmt: { join: () => ({ rank: 7 }) } });
    const client = new MgmtClient(async () => undefined);
    const finder = new LeaderFinder({ accessPoints: [server.host, leader.host], known: () => undefined });
    const signal = AbortSignal.timeout(40_000);
    const asking = finder.ask((host, wait) => client.join(host, join, wait), { signal, hostMs: 100 });
    expect(await asking).toMatchObject({ rank: 7 });
  });

  it("ControlClient reports the host, and asks the leader when the request may be done twice", async () => {
    await using server = await RawServer.start(peer.handle);
    const alone = new ControlClient({ hosts: [server.host], timeoutMs: timeoutOf(peer) });
    for await (const { outcome } of storageScan(alone)) expect(outcome.kind).toBe("failed");
    if (peer.name === "a server that never answers a request") return;
    await using leader = await FakeServer.start({ ctl: { systemQuery: () => ({ members: [] }) } });
    const both = new ControlClient({ hosts: [server.host, leader.host], timeoutMs: 40_000 });
    expect(await systemQuery(both)).toMatchObject({ members: [] });
  });

  it("poolCreate() is sent once when it may have been done", async () => {
    await using server = await RawServer.start(peer.handle);
    await using leader = await FakeServer.start({ mgmt: { poolCreate: () => ({ svcreps: [0] }) } });
    const client = new ControlClient({ hosts: [server.host, leader.host], timeoutMs: 5_000 });
    const fault = await poolCreate(client, pool).then(
      () => undefined,
      (error: Fault) => error,
    );
    // Its GOAWAY says that it has not processed the request.
    const isRefused = peer.name === "a server that sends GOAWAY at a request";
    const sent = peer.name.includes("request") || peer.name.includes("stream");
    if (isRefused) expect(leader.calls).toEqual(["MgmtSvc/PoolCreate"]);
    else if (sent) {
      expect(fault && isNotDone(fault)).toBe(false);
      expect(leader.calls).toEqual([]);
    } else if (fault !== undefined) {
      expect([FaultCode.connectionLost, FaultCode.timedOut]).toContain(fault.code);
    }
  });
});

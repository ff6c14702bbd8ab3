import { create, type DescMessage } from "@bufbuild/protobuf";
import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import { drpcMethods } from "@daos/drpc";
import type { AccessPoint } from "@daos/election";
import { followerOf, leaderOf } from "@daos/election/testing";
import { daosStatusNumber, type Fault, FaultCode } from "@daos/fault";
import { Harness } from "@daos/harness";
import type { EngineInstance, InstanceState } from "@daos/instance";
import { createLogger, type Logger, type LogRecord, silentLogger } from "@daos/log";
import type { Member } from "@daos/member-store";
import { memberOf } from "@daos/membership/testing";
import { mgmt } from "@daos/proto";
import { NIL_RANK, type Rank } from "@daos/rank";
import { faultInterceptor, fromConnectError } from "@daos/rpc";
import { abortable } from "@daos/sys";
import { JoinCoordinator, MsReplicas, PoolCoordinator, ServerRequests } from "@daos/system";
import { afterEach, describe, expect, it, vi } from "vitest";
import { mgmtService } from "./mgmt-service.ts";
import type { MgmtServiceOptions } from "./mgmt-service-options.ts";

const self = { host: "10.0.0.1", port: 10001 };

const POOL = "7c3bd1e4-7a37-4fdb-9a7b-2c5f8e6b9d10";

type Answers = Readonly<Record<string, (request: never) => unknown>>;

/** An engine that serves as rank 0 with the MS; it answers each method with what `answers` gives, and throws for others. */
class FakeEngine {
  readonly index = 0;
  readonly state: InstanceState = {
    kind: "serving",
    rank: 0 as Rank,
    ready: { uri: "u0", contexts: 1, socket: "/s" },
  };
  readonly superblock: object;
  readonly runsReplica: boolean;
  readonly calls: { readonly method: string; readonly request: unknown }[] = [];
  readonly done: string[] = [];
  readonly answers: Answers;

  constructor(answers: Answers, ms = true) {
    this.answers = answers;
    this.runsReplica = ms;
    this.superblock = { ms, uuid: "uuid-0", rank: 0, validRank: true };
  }

  async call(
    method: { readonly name: string; readonly response: DescMessage },
    request: unknown,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<unknown> {
    this.calls.push({ method: method.name, request });
    const answer = this.answers[method.name];
    if (answer === undefined) throw new Error(`unexpected call ${method.name}`);
    const fields = await abortable(Promise.resolve(answer(request as never)), signal);
    return create(method.response, fields as Record<string, unknown>);
  }

  async stop({ force }: { readonly force: boolean }): Promise<number> {
    this.done.push(force ? "stop by force" : "stop");
    return 0;
  }

  start(): void {
    this.done.push("start");
  }

  async erase(): Promise<void> {
    this.done.push("erase");
  }
}

interface SystemOptions {
  /** The caller is the leader or an access point; true if not given. */
  readonly directs?: boolean;
  readonly leads?: boolean;
  /** This host's engine has a replica of the data plane's management service. */
  readonly replica?: boolean;
  readonly members?: readonly Member[];
  readonly ranksFrom?: "engine" | "store";
  readonly callLeader?: MgmtServiceOptions["callLeader"];
  /** The engines of other access points, by host. */
  readonly others?: Readonly<Record<string, FakeEngine>>;
  /** Of the service; silent if not given. */
  readonly log?: Logger;
}

async function system(answers: Answers, options: SystemOptions = {}) {
  const {
    leads = true,
    replica = true,
    members = [memberOf(0)],
    ranksFrom = "engine",
    others = {},
  } = options;
  const engine = new FakeEngine(answers, replica);
  const harness = harnessOf(engine);
  const leadership = leads
    ? await leaderOf(self, members, { ranksFrom })
    : followerOf(self, { host: "10.0.0.7", port: 10001 });
  const accessPoints: AccessPoint[] = [self.host, ...Object.keys(others)].map((host) => ({
    address: { host, port: 10001 },
    hasReplica: true,
  }));
  const replicas = new MsReplicas({
    harness,
    self,
    accessPoints: () => accessPoints,
    configured: accessPoints.map(({ address }) => address),
    callEngine: async ({ host }, method, body) => {
      const other = others[host];
      if (other === undefined) throw new Error(`unexpected call to ${host}`);
      return (await serviceOf(harnessOf(other)).callEngine({ method, body: new Uint8Array(body) })).body;
    },
    log: silentLogger,
  });
  const serviceOf = (of: Harness): Client<typeof mgmt.MgmtSvc> => {
    const joins = new JoinCoordinator({ leadership, replicas, log: silentLogger });
    const requests = new ServerRequests({ harness: of, leadership, joins, log: silentLogger });
    const mayDirect = async () => options.directs ?? true;
    const authorizeCaller = async () => undefined;
    const parts = {
      systemName: "daos_server",
      harness: of,
      leadership,
      replicas,
      requests,
      pools: new PoolCoordinator({ leadership, replicas, log: silentLogger }),
      mayDirect,
      callLeader: options.callLeader ?? (() => Promise.reject(new Error("unexpected call of the leader"))),
      authorizeCaller,
      log: options.log ?? silentLogger,
    };
    const transport = createRouterTransport((router) => router.service(mgmt.MgmtSvc, mgmtService(parts)), {
      router: { interceptors: [faultInterceptor] },
    });
    return createClient(mgmt.MgmtSvc, transport);
  };
  return { client: serviceOf(harness), engine, leadership };
}

function harnessOf(engine: FakeEngine): Harness {
  return new Harness([engine as unknown as EngineInstance], silentLogger);
}

async function faultOf(call: Promise<unknown>): Promise<Fault> {
  const error: unknown = await call.then(
    () => new Error("no error"),
    (reason: unknown) => reason,
  );
  return fromConnectError(error, { attempted: "call", host: "10.0.0.1:10001" });
}

const joining = {
  uuid: "uuid-9",
  rank: NIL_RANK,
  uri: "ofi+sockets://10.0.0.2",
  nctxs: 3,
  addr: "0.0.0.0:10002",
  faultDomain: "/rack1",
  reports: true,
};

describe("MgmtSvc.Join", () => {
  it("asks the engine for a rank and stores the member", async () => {
    const { client, engine, leadership } = await system({
      join: () => ({ status: 0, rank: 5, state: mgmt.JoinResp_State.IN }),
    });
    expect(await client.join(joining)).toMatchObject({ status: 0, rank: 5, incarnation: 1 });
    expect(engine.calls).toMatchObject([
      { method: "join", request: { uuid: "uuid-9", rank: NIL_RANK, nctxs: 3 } },
    ]);
    expect(leadership.membership().list().at(-1)).toMatchObject({
      uuid: "uuid-9",
      rank: 5,
      address: { host: "0.0.0.0", port: 10002 },
      uri: joining.uri,
      contexts: 3,
      state: "joined",
      incarnation: 1,
      faultDomain: "/rack1",
      reports: true,
    });
  });

  it("announces a member that comes back to the engine, with the rank that it has", async () => {
    const { client, engine } = await system({
      join: () => ({ status: 0, rank: 5, state: mgmt.JoinResp_State.IN }),
    });
    await client.join(joining);
    for (const rank of [NIL_RANK, 5])
      expect(await client.join({ ...joining, rank })).toMatchObject({ status: 0, rank: 5 });
    expect(engine.calls.map(({ request }) => request)).toMatchObject([
      { rank: NIL_RANK },
      { rank: 5 },
      { rank: 5 },
    ]);
  });

  it("does not count a join of a member that the engine has not taken, and keeps the member", async () => {
    let status = 0;
    const { client, leadership } = await system({
      join: () => ({ status, rank: 5, state: mgmt.JoinResp_State.IN }),
    });
    await client.join(joining);
    status = daosStatusNumber("TIMEDOUT");
    expect(await client.join(joining)).toMatchObject({ status, incarnation: 0 });
    expect(leadership.membership().byUuid("uuid-9")).toMatchObject({ rank: 5, incarnation: 1 });
    status = 0;
    expect(await client.join(joining)).toMatchObject({ status, rank: 5, incarnation: 2 });
  });

  it("asks the engine for no pool on a rank that is not a member, for any caller", async () => {
    const { client, engine } = await system({ poolCreate: () => ({ status: 0, svcreps: [0] }) });
    expect(await faultOf(client.poolCreate({ ranks: [0, 7, 8] }))).toMatchObject({
      code: FaultCode.memberUnknown,
      description: "the system has no rank 7-8",
    });
    expect(engine.calls).toEqual([]);
    expect(await client.poolCreate({ ranks: [0], uuid: POOL })).toMatchObject({ status: 0 });
  });

  it("does not announce a member that is excluded", async () => {
    const { client, leadership, engine } = await system({});
    await leadership.membership().exclude(["uuid-0"], "by an administrator");
    expect(await faultOf(client.join({ ...joining, uuid: "uuid-0" }))).toMatchObject({
      code: FaultCode.memberExcluded,
    });
    expect(engine.calls).toEqual([]);
  });

  it("stores no member when the engine refuses the join or leaves it out", async () => {
    for (const answer of [
      { status: -1004, rank: 0, state: mgmt.JoinResp_State.IN },
      { status: 0, rank: 5, state: mgmt.JoinResp_State.OUT },
    ]) {
      const { client, leadership } = await system({ join: () => answer });
      expect(await client.join(joining)).toMatchObject(answer);
      expect(leadership.membership().list()).toHaveLength(1);
    }
  });

  it("refuses a rank that belongs to another engine, and joins at the wrong host", async () => {
    const { client, engine } = await system({});
    expect(await faultOf(client.join({ ...joining, rank: 0 }))).toMatchObject({
      code: FaultCode.memberConflict,
    });
    expect(engine.calls).toEqual([]);
    const elsewhere = await system({}, { leads: false });
    expect(await faultOf(elsewhere.client.join(joining))).toMatchObject({
      code: FaultCode.notLeader,
      reason: "try 10.0.0.1:10001",
    });
  });

  it("asks the engine for a bounded number of ranks at a time, and commits them together", async () => {
    const BOUND = 16;
    let under = 0;
    let most = 0;
    let next = 1;
    let together = Promise.withResolvers<void>();
    const { client, leadership } = await system({
      join: async () => {
        most = Math.max(most, ++under);
        const mine = together;
        if (under === BOUND) {
          together = Promise.withResolvers();
          // One more would come by then.
          for (let turns = 0; turns < 10; turns++) await new Promise(setImmediate);
          mine.resolve();
        }
        await mine.promise;
        under--;
        return { status: 0, rank: next++, state: mgmt.JoinResp_State.IN };
      },
    });
    const uuids = Array.from({ length: 64 }, (_, index) => `uuid-${index + 1}`);
    await Promise.all(uuids.map((uuid) => client.join({ ...joining, uuid, uri: uuid })));
    expect(most).toBe(BOUND);
    const membership = leadership.membership();
    expect(membership.list().map(({ rank }) => rank)).toEqual(Array.from({ length: 65 }, (_, rank) => rank));
    expect(membership.commits).toBeLessThan(32);
  });

  it("of one engine are decided one after the other", async () => {
    const { client, engine } = await system({
      join: () => ({ status: 0, rank: 5, state: mgmt.JoinResp_State.IN }),
    });
    const answers = await Promise.all([1, 2, 3].map(() => client.join(joining)));
    expect(answers.map(({ incarnation }) => incarnation)).toEqual([1, 2, 3]);
    // A process that joins again goes to the data plane again, with the rank that it has.
    expect(engine.calls.map(({ request }) => request)).toMatchObject([
      { rank: NIL_RANK },
      { rank: 5 },
      { rank: 5 },
    ]);
  });

  it("with several access points reserves the rank, and takes it back when the engine refuses", async () => {
    let status = -1003;
    const { client, leadership, engine } = await system(
      { join: ({ rank }: { readonly rank: number }) => ({ status, rank, state: mgmt.JoinResp_State.IN }) },
      { ranksFrom: "store" },
    );
    expect(await client.join(joining)).toMatchObject({ status });
    expect(leadership.membership().list()).toHaveLength(1);
    status = 0;
    expect(await client.join(joining)).toMatchObject({ status, rank: 1 });
    expect(engine.calls).toMatchObject([{ request: { rank: 1 } }, { request: { rank: 1 } }]);
  });

  it.each(["NOTLEADER", "TIMEDOUT"])(
    "keeps the rank for an engine that may be in after all: %s",
    async (name) => {
      let status = daosStatusNumber(name);
      const { client, engine } = await system(
        { join: ({ rank }: { readonly rank: number }) => ({ status, rank, state: mgmt.JoinResp_State.IN }) },
        { ranksFrom: "store" },
      );
      expect(await client.join(joining)).toMatchObject({ status });
      status = 0;
      expect(await client.join({ ...joining, uuid: "uuid-10" })).toMatchObject({ status, rank: 2 });
      expect(await client.join(joining)).toMatchObject({ status, rank: 1 });
      expect(engine.calls).toMatchObject([1, 2, 1].map((rank) => ({ request: { rank } })));
    },
  );

  it("does not give another rank to an engine that is excluded while it joins", async () => {
    const { client, leadership, engine } = await system(
      {
        join: async ({ rank, uuid }: { readonly rank: number; readonly uuid: string }) => {
          await leadership.membership().exclude([uuid], "by an administrator");
          return { status: daosStatusNumber("EXIST"), rank, state: mgmt.JoinResp_State.IN };
        },
      },
      { ranksFrom: "store" },
    );
    await client.join(joining);
    expect(leadership.membership().byUuid("uuid-9")).toMatchObject({ state: "excluded", rank: 1 });
    expect(engine.calls).toHaveLength(1);
  });

  it.each([
    ["passes over ranks that the data plane has for engines which were erased", 3, { status: 0, rank: 3 }],
    ["gives up when the data plane has very many", 1_000, { status: -1004 }],
  ])("%s", async (_name, free, expected) => {
    const { client } = await system(
      {
        join: ({ rank }: { readonly rank: number }) => ({
          status: rank < free ? -1004 : 0,
          rank,
          state: mgmt.JoinResp_State.IN,
        }),
      },
      { ranksFrom: "store" },
    );
    expect(await client.join(joining)).toMatchObject(expected);
  });

  it("of a replica is recorded without asking", async () => {
    const { client, leadership } = await system({}, { members: [] });
    const replica = { ...joining, rank: 0, recorded: true };
    expect(await client.join(replica)).toMatchObject({ status: 0, rank: 0, incarnation: 1 });
    expect(leadership.membership().list()).toMatchObject([{ rank: 0, uuid: "uuid-9" }]);
  });
});

describe("MgmtSvc.ReportEngines", () => {
  const report = { addr: "10.0.0.1:10001", intervalMs: 5000 };

  it("changes members, and records device warnings", async () => {
    const { client, leadership } = await system({});
    const engine = {
      uuid: "uuid-0",
      incarnation: 1,
      state: mgmt.ReportEnginesReq_State.FAILED,
      reason: "SIGSEGV",
    };
    const answer = await client.reportEngines({ ...report, engines: [engine], warnings: ["a disk is hot"] });
    expect(answer).toMatchObject({ accessPoints: ["10.0.0.1:10001"], leader: "10.0.0.1:10001" });
    expect(leadership.membership().list()).toMatchObject([{ state: "errored", reason: "SIGSEGV" }]);
    const events = leadership
      .membership()
      .events.list()
      .map(({ kind, message }) => [kind, message]);
    expect(events.slice(-2)).toEqual([
      ["engine_died", "rank 0 is out of service: SIGSEGV"],
      ["device_warning", "a disk is hot"],
    ]);
  });

  it("applies to members with its uuid and incarnation, or with its address and index, and to no others", async () => {
    const { client, leadership } = await system({});
    const seen: (readonly string[])[] = [];
    leadership.failureDetector().reported = (_host, members) =>
      void seen.push(members.map(({ uuid }) => uuid));
    const engines = ["uuid-0", "uuid-99"].map((uuid) => ({ uuid, incarnation: 1 }));
    const restarted = [{ uuid: "uuid-0", incarnation: 0 }];
    const lost = { engines: [{ uuid: "uuid-99", number: 1 }], configured: 1 };
    const elsewhere = { addr: "10.0.0.1:1" };
    await client.reportEngines({ ...report, engines });
    await client.reportEngines({ ...report, engines, ...elsewhere });
    await client.reportEngines({ ...report, engines: restarted, ...elsewhere });
    await client.reportEngines({ ...report, ...lost });
    await client.reportEngines({ ...report, ...lost, ...elsewhere });
    expect(seen).toEqual([["uuid-0"], ["uuid-0"], [], ["uuid-0"], []]);
  });

  it("moves a member to another address when no report has come from the recorded one for an interval", async () => {
    const { client, leadership } = await system({});
    const engines = [{ uuid: "uuid-0", incarnation: 1, state: mgmt.ReportEnginesReq_State.SERVING }];
    const address = () => leadership.membership().byUuid("uuid-0")?.address.port;
    const detector = leadership.failureDetector();
    await client.reportEngines({ ...report, engines, addr: "10.0.0.1:2" });
    expect(address()).toBe(10001);
    detector.elsewhereFor = () => 5_001;
    await client.reportEngines({ ...report, engines });
    expect(address()).toBe(10001);
    await client.reportEngines({ ...report, engines, addr: "10.0.0.1:2" });
    expect(address()).toBe(2);
    expect(leadership.membership().events.list().at(-1)).toMatchObject({ kind: "member_moved", rank: 0 });
  });

  it("keeps no more than the beginning of a long line", async () => {
    const { client, leadership } = await system({});
    await client.reportEngines({ ...report, warnings: ["x".repeat(1_000_000)] });
    expect(leadership.membership().events.list().at(-1)?.message).toHaveLength(1024);
  });

  it("is answered by the leader only", async () => {
    const { client } = await system({}, { leads: false });
    expect(await faultOf(client.reportEngines(report))).toMatchObject({ code: FaultCode.notLeader });
  });
});

describe("MgmtSvc's calls for the engine with the management service", () => {
  it("are forwarded on the leader, and their status comes back as it is", async () => {
    const { client, engine } = await system({ poolCreate: () => ({ status: -1007, svcreps: [] }) });
    expect(await client.poolCreate({ scmbytes: 5n, uuid: POOL })).toMatchObject({ status: -1007 });
    expect(engine.calls).toMatchObject([{ method: "poolCreate", request: { scmbytes: 5n, uuid: POOL } }]);
  });

  it("create no pool that another system was meant to have", async () => {
    const { client, engine } = await system({ poolCreate: () => ({ status: 0, svcreps: [0] }) });
    expect(await faultOf(client.poolCreate({ sys: "other" }))).toMatchObject({ code: FaultCode.otherSystem });
    for (const sys of ["", "daos_server"])
      expect(await client.poolCreate({ sys, uuid: POOL })).toMatchObject({ status: 0 });
    expect(engine.calls).toHaveLength(2);
  });

  it("are answered on a follower with a replica: agents of release 0.8.0 know one access point", async () => {
    const psrs = [{ rank: 0, uri: "u0" }];
    const { client } = await system({ getAttachInfo: () => ({ psrs }) }, { leads: false });
    expect((await client.getAttachInfo({})).psrs).toMatchObject(psrs);
  });

  it("about pools are passed on to the leader by a follower with a replica", async () => {
    const { client: leader, leadership } = await system({
      poolCreate: () => ({ status: 0, svcreps: [0] }),
      poolDestroy: () => ({ status: 0 }),
      listPools: () => ({ status: 0, pools: [{ uuid: POOL, svcreps: [0] }] }),
    });
    const passed: number[] = [];
    const { client } = await system(
      {},
      {
        leads: false,
        callLeader: async (_, method, body, { address }) => {
          passed.push(method);
          return (await leader.callLeader({ method, body: new Uint8Array(body), address })).body;
        },
      },
    );
    expect(await client.poolCreate({ uuid: POOL, label: "fast" })).toMatchObject({ status: 0, svcreps: [0] });
    expect((await client.listPools({})).pools).toMatchObject([
      { uuid: POOL, label: "fast", createdBy: "a client" },
    ]);
    expect(leadership.pools().list()).toMatchObject([{ uuid: POOL, state: "ready", createdBy: "a client" }]);
    expect(await client.poolDestroy({ uuid: POOL })).toMatchObject({ status: 0 });
    expect(leadership.pools().list()).toEqual([]);
    const { poolCreate, listPools, poolDestroy } = drpcMethods;
    expect(passed).toEqual([poolCreate.method, listPools.method, poolDestroy.method]);
  });

  it("are not passed on to the leader when they are not about pools", async () => {
    const { client } = await system({});
    const call = client.callLeader({ method: drpcMethods.killRank.method });
    expect(await faultOf(call)).toMatchObject({ code: FaultCode.requestUnsupported });
    const { client: strict } = await system({}, { directs: false });
    const refused = strict.callLeader({ method: drpcMethods.listPools.method });
    expect(await faultOf(refused)).toMatchObject({ code: FaultCode.notAuthorized });
  });

  it("list the recorded pools for a client that knows them while the data plane is down, and fail for others", async () => {
    let down = false;
    const { client } = await system({
      poolCreate: () => ({ status: 0, svcreps: [0] }),
      listPools: () => (down ? { status: -2008 } : { status: 0, pools: [{ uuid: POOL, svcreps: [0] }] }),
    });
    await client.poolCreate({ uuid: POOL, label: "fast", user: "ana@", scmbytes: 5n });
    expect(await client.listPools({ recorded: true })).toMatchObject({
      outage: "",
      registered: true,
      pools: [{ label: "fast", state: mgmt.PoolState.POOL_READY, note: "" }],
    });
    down = true;
    expect(await client.listPools({ recorded: true })).toMatchObject({
      status: 0,
      outage: expect.stringContaining("DER_NOTLEADER") as string,
      pools: [{ uuid: POOL, label: "fast", user: "ana@", scmbytes: 5n, note: "as recorded" }],
    });
    expect(await client.listPools({})).toMatchObject({ status: -2008, pools: [] });
  });

  it("show a client of release 0.8.0 the pools that the data plane has, and no others", async () => {
    let there = [POOL];
    const { client } = await system({
      poolCreate: () => ({ status: 0, svcreps: [0] }),
      listPools: () => ({ status: 0, pools: there.map((uuid) => ({ uuid, svcreps: [0] })) }),
    });
    await client.poolCreate({ uuid: POOL, label: "fast" });
    expect((await client.listPools({})).pools).toMatchObject([{ uuid: POOL }]);
    there = [];
    expect((await client.listPools({ recorded: true })).pools).toMatchObject([
      { uuid: POOL, state: mgmt.PoolState.POOL_MISSING },
    ]);
    expect((await client.listPools({})).pools).toEqual([]);
  });

  it("let clients attach by the joined members, without the engine", async () => {
    const members = [memberOf(0), memberOf(1, { state: "stopped" }), memberOf(2)];
    const { client, engine } = await system({}, { members });
    const { status, psrs } = await client.getAttachInfo({ sys: "daos_server" });
    expect(status).toBe(0);
    expect(psrs.map(({ rank, uri }) => ({ rank, uri }))).toEqual(
      [memberOf(0), memberOf(2)].map(({ rank, uri }) => ({ rank, uri })),
    );
    expect(engine.calls).toEqual([]);
  });

  it("let clients attach by the engine while no member is joined", async () => {
    const psrs = [{ rank: 0, uri: "u0" }];
    const members = [memberOf(0, { state: "unresponsive" })];
    const { client } = await system({ getAttachInfo: () => ({ psrs }) }, { members });
    expect((await client.getAttachInfo({})).psrs).toMatchObject(psrs);
  });

  it("let thousands of clients attach by the engine with few calls, and administrators pass them", async () => {
    const members = [memberOf(0, { state: "unresponsive" })];
    const attached = Promise.withResolvers<object>();
    const answers = { getAttachInfo: () => attached.promise, poolCreate: () => ({ status: 0 }) };
    const { client, engine } = await system(answers, { members });
    const clients = Array.from({ length: 2000 }, (_, index) => client.getAttachInfo({ sys: `${index % 8}` }));
    while (engine.calls.length < 4) await new Promise(setImmediate);
    expect(await client.poolCreate({ sys: "daos_server", uuid: POOL })).toMatchObject({ status: 0 });
    expect(engine.calls.map(({ method }) => method)).toEqual([
      ...Array(4).fill("getAttachInfo"),
      "poolCreate",
    ]);
    attached.resolve({ psrs: [{ rank: 0, uri: "u0" }] });
    for (const one of await Promise.all(clients)) expect(one.psrs).toHaveLength(1);
    expect(engine.calls.length).toBeLessThan(20);
  });

  it("are refused on a host without a replica that does not lead, with the leader's address", async () => {
    const { client } = await system({}, { leads: false, replica: false });
    for (const call of [
      () => client.getAttachInfo({}),
      () => client.listPools({}),
      () => client.poolCreate({}),
    ])
      expect(await faultOf(call())).toMatchObject({
        code: FaultCode.notLeader,
        reason: "try 10.0.0.1:10001",
      });
  });

  it("about one engine's devices are always answered by the leader", async () => {
    const { client } = await system({}, { leads: false });
    for (const call of [
      () => client.bioHealthQuery({}),
      () => client.smdListDevs({}),
      () => client.smdListPools({}),
    ])
      expect(await faultOf(call())).toMatchObject({ code: FaultCode.notLeader });
  });

  it.each([
    ["poolDestroy", drpcMethods.poolDestroy],
    ["listPools", drpcMethods.listPools],
    ["poolGetACL", drpcMethods.poolGetAcl],
    ["poolOverwriteACL", drpcMethods.poolOverwriteAcl],
    ["poolUpdateACL", drpcMethods.poolUpdateAcl],
    ["poolDeleteACL", drpcMethods.poolDeleteAcl],
    ["bioHealthQuery", drpcMethods.bioHealthQuery],
    ["smdListDevs", drpcMethods.smdListDevs],
    ["smdListPools", drpcMethods.smdListPools],
  ] as const)("%s reaches its own method", async (rpc, method) => {
    const { client, engine } = await system({ [method.name]: () => ({ status: 0 }) });
    await client[rpc]({});
    expect(engine.calls.map((call) => call.method)).toEqual([method.name]);
  });
});

describe("MgmtSvc's leader query", () => {
  it("is answered by every host of the system", async () => {
    const { client } = await system({}, { leads: false });
    const expected = { currentLeader: "10.0.0.1:10001", replicas: ["10.0.0.1:10001"] };
    expect(await client.leaderQuery({})).toMatchObject(expected);
    expect(await client.leaderQuery({ system: "daos_server" })).toMatchObject(expected);
    expect(await faultOf(client.leaderQuery({ system: "other" }))).toMatchObject({
      code: FaultCode.otherSystem,
    });
  });
});

describe("MsReplicas, when an engine leads on another access point,", () => {
  const elsewhere = () => ({ status: -2008 });

  it("finds it, and asks it first from then on", async () => {
    const other = new FakeEngine({ listPools: () => ({ status: 0, pools: [{ uuid: "p" }] }) });
    const { client, engine } = await system({ listPools: elsewhere }, { others: { "10.0.0.2": other } });
    for (let call = 0; call < 2; call++)
      expect((await client.listPools({})).pools.map(({ uuid }) => uuid)).toEqual(["p"]);
    expect([engine.calls.length, other.calls.length]).toEqual([1, 2]);
  });

  it("names the missing host and the answer of each access point when no engine leads", async () => {
    const other = new FakeEngine({ listPools: elsewhere });
    const { client } = await system({ listPools: elsewhere }, { others: { "10.0.0.2": other } });
    const fault = await faultOf(client.listPools({}));
    expect(fault).toMatchObject({
      code: FaultCode.poolServiceDown,
      reason: "10.0.0.1:10001: DER_NOTLEADER; 10.0.0.2:10001: DER_NOTLEADER",
    });
    expect(fault.resolution).toContain("bring back 10.0.0.1:10001 and its first engine");
    expect(fault.resolution).toContain("10.0.0.2:10001 cannot take it over");
  });

  it("returns the status of the data plane when there is one access point", async () => {
    const { client } = await system({ listPools: elsewhere });
    expect((await client.listPools({})).status).toBe(-2008);
  });

  it("sends it only calls that the management service answers", async () => {
    const { client } = await system({});
    const killRank = client.callEngine({ method: drpcMethods.killRank.method });
    expect(await faultOf(killRank)).toMatchObject({ code: FaultCode.requestUnsupported });
  });
});

describe("MgmtSvc's calls for one rank", () => {
  afterEach(() => vi.useRealTimers());

  it("are answered by its host", async () => {
    const { client, engine } = await system({});
    await client.killRank({ rank: 0 });
    await client.killRank({ rank: 0, force: true });
    await client.startRank({ rank: 0 });
    await client.eraseRank({ rank: 0, uuid: "uuid-0" });
    expect(engine.done).toEqual(["stop", "stop by force", "start", "erase"]);
  });

  it("end before the leader's step when the engine hangs, so that its host does not count as dead", async () => {
    const { client, engine } = await system({ prepShutdown: () => new Promise(() => {}) });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const fault = faultOf(client.prepShutdown({ rank: 0 }, { timeoutMs: 6_000 }));
    while (engine.calls.length === 0) await new Promise(setImmediate);
    // Else the client's deadline would end the call.
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await fault).toMatchObject({
      code: FaultCode.engineNotReady,
      reason: "the engine has not answered within 4 s",
    });
  });

  it("are refused for a rank of another host, or another engine with the rank", async () => {
    const { client, engine } = await system({});
    for (const call of [
      client.killRank({ rank: 7 }),
      client.startRank({ rank: 7 }),
      client.prepShutdown({ rank: 7 }),
      client.eraseRank({ rank: 0, uuid: "other" }),
    ])
      expect(await faultOf(call)).toMatchObject({ code: FaultCode.engineNotHere });
    expect(engine.done).toEqual([]);
  });
});

it.each([
  ["PrepShutdown", (client) => client.prepShutdown({ rank: 0 })],
  ["KillRank", (client) => client.killRank({ rank: 0, force: true })],
  ["StartRank", (client) => client.startRank({ rank: 0 })],
  ["EraseRank", (client) => client.eraseRank({ rank: 0, uuid: "wrong" })],
  ["CallEngine", (client) => client.callEngine({ method: drpcMethods.poolDestroy.method })],
] satisfies readonly (readonly [string, (client: Client<typeof mgmt.MgmtSvc>) => Promise<unknown>])[])(
  "mgmtService() refuses %s of a server that is neither leader nor access point, without a uuid",
  async (name, call) => {
    const { client, engine } = await system({}, { directs: false });
    const fault = await faultOf(call(client));
    expect(fault.code).toBe(FaultCode.notAuthorized);
    expect(fault.message).toContain(`${name} is not allowed`);
    expect(`${fault.message} ${fault.resolution}`).not.toContain("uuid-0");
    expect(engine.calls).toEqual([]);
    expect(engine.done).toEqual([]);
  },
);

it("mgmtService() logs a few lines a minute of calls that it refuses, however many there are", async () => {
  const records: LogRecord[] = [];
  const log = createLogger((record) => records.push(record), { level: "DEBUG" });
  const { client } = await system({}, { directs: false, log });
  for (let times = 0; times < 200; times++) await faultOf(client.killRank({ rank: 0 }));
  expect(records.map(({ message }) => message)).toEqual(
    Array<string>(10).fill("a call of another server is refused"),
  );
});

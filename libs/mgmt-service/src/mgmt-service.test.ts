import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import { drpcMethods } from "@daos/drpc";
import { Fault, FaultCode } from "@daos/fault";
import { Harness } from "@daos/harness";
import type { EngineInstance, InstanceState } from "@daos/instance";
import { silentLogger } from "@daos/log";
import { Leadership, SqliteMemberStore } from "@daos/membership";
import { mgmt } from "@daos/proto";
import { NIL_RANK, parseRank, type Rank } from "@daos/rank";
import { faultInterceptor, fromConnectError } from "@daos/rpc";
import { describe, expect, it } from "vitest";
import { mgmtService } from "./mgmt-service.ts";

const self = { host: "10.0.0.1", port: 10001 };
const accessPoints = [self];

/** An engine that serves as rank 0 with the MS; it answers each method with what `answers` gives, and throws for others. */
class FakeEngine {
  readonly index = 0;
  readonly state: InstanceState = {
    kind: "serving",
    rank: 0 as Rank,
    ready: { uri: "u0", contexts: 1, socket: "/s" },
  };
  readonly superblock = { ms: true, uuid: "uuid-0" };
  readonly calls: { readonly method: string; readonly request: unknown }[] = [];
  readonly answers: Readonly<Record<string, (request: never) => unknown>>;
  stopExpected = false;

  constructor(answers: FakeEngine["answers"]) {
    this.answers = answers;
  }

  async call(method: { readonly name: string }, request: unknown): Promise<unknown> {
    this.calls.push({ method: method.name, request });
    const answer = this.answers[method.name];
    if (answer === undefined) throw new Error(`unexpected call ${method.name}`);
    return answer(request as never);
  }

  expectStop(): void {
    this.stopExpected = true;
  }
}

function system(answers: FakeEngine["answers"], role: "bootstrap" | "none" = "bootstrap") {
  const engine = new FakeEngine(answers);
  const harness = new Harness([engine as unknown as EngineInstance], silentLogger);
  const leadership = new Leadership({ accessPoints, role, self });
  const first = { uuid: "uuid-0", rank: parseRank(0), address: self, uri: "u0", contexts: 1 };
  if (role === "bootstrap") leadership.open(new SqliteMemberStore(":memory:"), first);
  const service = mgmtService({ systemName: "daos_server", harness, leadership, log: silentLogger });
  const transport = createRouterTransport((router) => router.service(mgmt.MgmtSvc, service), {
    router: { interceptors: [faultInterceptor] },
  });
  const client: Client<typeof mgmt.MgmtSvc> = createClient(mgmt.MgmtSvc, transport);
  return { client, engine, leadership };
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
};

describe("Join", () => {
  it("asks the engine for a rank and keeps the member", async () => {
    const { client, engine, leadership } = system({
      join: () => ({ status: 0, rank: 5, state: mgmt.JoinResp_State.IN }),
    });
    expect(await client.join(joining)).toMatchObject({ status: 0, rank: 5 });
    expect(engine.calls).toMatchObject([
      { method: "join", request: { uuid: "uuid-9", rank: NIL_RANK, nctxs: 3 } },
    ]);
    expect(leadership.membership().list().at(-1)).toEqual({
      uuid: "uuid-9",
      rank: 5,
      address: { host: "0.0.0.0", port: 10002 },
      uri: joining.uri,
      contexts: 3,
    });
  });

  it("answers a member that comes back by itself: the engine would refuse it", async () => {
    const { client, engine } = system({
      join: () => ({ status: 0, rank: 5, state: mgmt.JoinResp_State.IN }),
    });
    await client.join(joining);
    for (const rank of [NIL_RANK, 5])
      expect(await client.join({ ...joining, rank })).toMatchObject({ status: 0, rank: 5 });
    expect(engine.calls).toHaveLength(1);
  });

  it("keeps nothing of a join that the engine refuses or leaves out", async () => {
    for (const answer of [
      { status: -1004, rank: 0, state: mgmt.JoinResp_State.IN },
      { status: 0, rank: 5, state: mgmt.JoinResp_State.OUT },
    ]) {
      const { client, leadership } = system({ join: () => answer });
      expect(await client.join(joining)).toMatchObject(answer);
      expect(leadership.membership().list()).toHaveLength(1);
    }
  });

  it("refuses a rank that belongs to another engine, and joins at the wrong host", async () => {
    const { client, engine } = system({});
    expect(await faultOf(client.join({ ...joining, rank: 0 }))).toMatchObject({
      code: FaultCode.memberConflict,
    });
    expect(engine.calls).toEqual([]);
    const elsewhere = system({}, "none");
    expect(await faultOf(elsewhere.client.join(joining))).toMatchObject({
      code: FaultCode.notLeader,
      reason: "try 10.0.0.1:10001",
    });
  });

  it("decides joins one after the other", async () => {
    let under = 0;
    let most = 0;
    let next = 1;
    const { client, leadership } = system({
      join: async () => {
        most = Math.max(most, ++under);
        await new Promise((resolve) => setImmediate(resolve));
        under--;
        return { status: 0, rank: next++, state: mgmt.JoinResp_State.IN };
      },
    });
    const uuids = Array.from({ length: 20 }, (_, index) => `uuid-${index + 1}`);
    await Promise.all(uuids.map((uuid) => client.join({ ...joining, uuid, uri: uuid })));
    expect(most).toBe(1);
    expect(
      leadership
        .membership()
        .list()
        .map(({ rank }) => rank),
    ).toEqual(Array.from({ length: 21 }, (_, rank) => rank));
  });
});

describe("calls for the engine with the management service", () => {
  it("are forwarded on the leader, and their status comes back as it is", async () => {
    const { client, engine } = system({ poolCreate: () => ({ status: -1007, svcreps: [] }) });
    expect(await client.poolCreate({ scmbytes: 5n, uuid: "p" })).toMatchObject({ status: -1007 });
    expect(engine.calls).toMatchObject([{ method: "poolCreate", request: { scmbytes: 5n, uuid: "p" } }]);
  });

  it("are refused elsewhere", async () => {
    const { client } = system({}, "none");
    expect(await faultOf(client.listPools({}))).toMatchObject({ code: FaultCode.notLeader });
  });

  it.each([
    ["poolDestroy", drpcMethods.poolDestroy],
    ["listPools", drpcMethods.listPools],
    ["poolGetACL", drpcMethods.poolGetAcl],
    ["poolOverwriteACL", drpcMethods.poolOverwriteAcl],
    ["poolUpdateACL", drpcMethods.poolUpdateAcl],
    ["poolDeleteACL", drpcMethods.poolDeleteAcl],
    ["getAttachInfo", drpcMethods.getAttachInfo],
    ["bioHealthQuery", drpcMethods.bioHealthQuery],
    ["smdListDevs", drpcMethods.smdListDevs],
    ["smdListPools", drpcMethods.smdListPools],
  ] as const)("%s reaches its own method", async (rpc, method) => {
    const { client, engine } = system({ [method.name]: () => ({ status: 0 }) });
    await client[rpc]({});
    expect(engine.calls.map((call) => call.method)).toEqual([method.name]);
  });
});

describe("the leader", () => {
  it("is told by every host of the system", async () => {
    const { client } = system({}, "none");
    const expected = { currentLeader: "10.0.0.1:10001", replicas: ["10.0.0.1:10001"] };
    expect(await client.leaderQuery({})).toMatchObject(expected);
    expect(await client.leaderQuery({ system: "daos_server" })).toMatchObject(expected);
    expect(await faultOf(client.leaderQuery({ system: "other" }))).toMatchObject({
      code: FaultCode.otherSystem,
    });
  });
});

describe("KillRank", () => {
  it("counts an engine that is gone before it has answered as stopped", async () => {
    const lost = new Fault({
      domain: "drpc",
      code: FaultCode.drpcConnectionLost,
      description: "lost",
      resolution: "none",
    });
    const { client, engine } = system({ killRank: () => Promise.reject(lost) });
    expect(await client.killRank({ rank: 0 })).toMatchObject({ status: 0 });
    expect(engine.stopExpected).toBe(true);
  });

  it("is refused for a rank of another host", async () => {
    const { client, engine } = system({});
    expect(await faultOf(client.killRank({ rank: 7 }))).toMatchObject({ code: FaultCode.engineNotHere });
    expect(engine.stopExpected).toBe(false);
  });
});

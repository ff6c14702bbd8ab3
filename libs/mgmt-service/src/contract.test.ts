import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import { leaderOf } from "@daos/election/testing";
import { Harness } from "@daos/harness";
import type { EngineInstance } from "@daos/instance";
import { silentLogger } from "@daos/log";
import { memberOf } from "@daos/membership/testing";
import { drpc, mgmt } from "@daos/proto";
import { type DrpcExchange, engineContract, serviceContract, withoutAdditions } from "@daos/proto/testing";
import { faultInterceptor } from "@daos/rpc";
import { JoinCoordinator, MsReplicas, PoolCoordinator, ServerRequests } from "@daos/system";
import { describe, expect, it } from "vitest";
import { mgmtService } from "./mgmt-service.ts";

const self = { host: "10.0.0.1", port: 10001 };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** What the recorded engine has received: the name of the method and the bytes of its body. */
interface Received {
  readonly method: string;
  readonly body: string;
}

/** The service of a system of two ranks, on an engine that answers every call with the recorded body. */
async function serviceOn(answer: Uint8Array, received: Received[]): Promise<Client<typeof mgmt.MgmtSvc>> {
  const engine = {
    index: 0,
    runsReplica: true,
    superblock: { ms: true, uuid: "uuid-0", rank: 0, validRank: true },
    state: { kind: "serving", rank: 0, ready: { uri: "u0", contexts: 1, socket: "/s" } },
    call: async (
      { name, request, response }: { name: string; request: DescMessage; response: DescMessage },
      body: MessageInitShape<DescMessage>,
    ) => {
      received.push({ method: name, body: hex(toBinary(request, create(request, body))) });
      return fromBinary(response, answer);
    },
  };
  const harness = new Harness([engine as unknown as EngineInstance], silentLogger);
  const leadership = await leaderOf(self, [memberOf(0), memberOf(1)], { ranksFrom: "engine" });
  const replicas = new MsReplicas({
    harness,
    self,
    accessPoints: () => [{ address: self, hasReplica: true }],
    configured: [self],
    callEngine: () => Promise.reject(new Error("unexpected call to another host")),
    log: silentLogger,
  });
  const joins = new JoinCoordinator({ leadership, replicas, log: silentLogger });
  const service = mgmtService({
    systemName: "daos_server",
    harness,
    leadership,
    replicas,
    requests: new ServerRequests({ harness, leadership, joins, log: silentLogger }),
    pools: new PoolCoordinator({ leadership, replicas, log: silentLogger }),
    callLeader: () => Promise.reject(new Error("unexpected call of the leader")),
    mayDirect: async () => true,
    authorizeCaller: async () => undefined,
    log: silentLogger,
  });
  const transport = createRouterTransport((router) => router.service(mgmt.MgmtSvc, service), {
    router: { interceptors: [faultInterceptor] },
  });
  return createClient(mgmt.MgmtSvc, transport);
}

/** Calls that the service passes on to the engine as they are, by the name of the dRPC method. */
const PASSED_ON: ReadonlyMap<string, keyof typeof mgmt.MgmtSvc.method> = new Map([
  ["poolCreate", "poolCreate"],
  ["poolDestroy", "poolDestroy"],
  ["listPools", "listPools"],
  ["poolGetAcl", "poolGetACL"],
  ["poolOverwriteAcl", "poolOverwriteACL"],
  ["poolUpdateAcl", "poolUpdateACL"],
  ["poolDeleteAcl", "poolDeleteACL"],
  ["bioHealthQuery", "bioHealthQuery"],
  ["smdListDevs", "smdListDevs"],
  ["smdListPools", "smdListPools"],
]);

async function answerOf(
  client: Client<typeof mgmt.MgmtSvc>,
  rpc: keyof typeof mgmt.MgmtSvc.method,
  request: Uint8Array,
) {
  const { input, output } = mgmt.MgmtSvc.method[rpc] as { input: DescMessage; output: DescMessage };
  const call = client[rpc] as (message: MessageShape<DescMessage>) => Promise<MessageShape<DescMessage>>;
  return hex(toBinary(output, withoutAdditions(output, await call(fromBinary(input, request)))));
}

const calls = engineContract().flatMap(({ exchanges }) =>
  exchanges.filter((one): one is DrpcExchange => "in" in one && PASSED_ON.has(one.method)),
);

describe("mgmt.MgmtSvc", () => {
  it.each(calls)("passes on the bytes of: $name", async (one) => {
    const rpc = PASSED_ON.get(one.method);
    if (rpc === undefined) throw new Error(`no RPC for ${one.method}`);
    const { body } = fromBinary(drpc.CallSchema, one.in);
    const answer = fromBinary(drpc.ResponseSchema, one.out).body;
    const received: Received[] = [];
    const client = await serviceOn(answer, received);
    expect(await answerOf(client, rpc, body)).toBe(hex(answer));
    expect(received).toEqual([{ method: one.method, body: hex(body) }]);
  });

  it("has recorded calls of every method that it passes on", () => {
    expect(new Set(calls.map(({ method }) => method))).toEqual(new Set(PASSED_ON.keys()));
  });

  it.each(serviceContract().filter(({ rpc }) => rpc.startsWith("mgmt.MgmtSvc/")))(
    "answers clients of release 0.8.0: $name",
    async (one) => {
      const name = one.rpc.split("/")[1];
      const rpc = Object.entries(mgmt.MgmtSvc.method).find(([, method]) => method.name === name)?.[0];
      const client = await serviceOn(new Uint8Array(), []);
      expect(await answerOf(client, rpc as keyof typeof mgmt.MgmtSvc.method, one.in)).toBe(hex(one.out));
    },
  );
});

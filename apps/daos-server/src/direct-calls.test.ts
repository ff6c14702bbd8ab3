import type { SecureClientSessionOptions } from "node:http2";
import { create, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { MgmtClient } from "@daos/control-client";
import { type DrpcMethod, drpcMethods } from "@daos/drpc";
import { followerOf, leaderOf } from "@daos/election/testing";
import type { Harness } from "@daos/harness";
import type { HostAddress } from "@daos/hostlist";
import { createLogger, silentLogger } from "@daos/log";
import { mgmtService } from "@daos/mgmt-service";
import { mgmt } from "@daos/proto";
import { authorizeCaller, clientTlsOptions } from "@daos/security";
import { inDays, TestAuthority, type TestCertificate, TestCertificateFiles } from "@daos/security/testing";
import { JoinCoordinator, MsReplicas, PoolCoordinator, ServerRequests } from "@daos/system";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { limitedService } from "./limit-requests.ts";
import { type GrpcListener, listenGrpc } from "./listen-grpc.ts";

const authority = new TestAuthority();
const admin = authority.issue("admin");
const HERE = "127.0.0.1";
/** The address of a server that is no access point. */
const MEMBER = "127.0.0.3";
const NOT_LEADER = -2008;

let files: TestCertificateFiles;
const running: GrpcListener[] = [];
/** The lines of the audit log. */
let lines: string[] = [];
/** The requests to the engines of all hosts: `pool leader: poolDestroy`. */
let asked: string[] = [];

beforeEach(() => {
  files = new TestCertificateFiles();
  asked = [];
  lines = [];
});
afterEach(async () => {
  for (const listener of running.splice(0)) await listener.close();
  files[Symbol.dispose]();
});

/** A server with one engine and TLS. It leads the system, unless another host leads. */
async function serve(
  name: string,
  status: number,
  others: () => readonly HostAddress[],
  leader?: HostAddress,
): Promise<HostAddress> {
  const transport = files.transport("server", authority.pem, authority.issue("server"));
  const engine = {
    call: async ({ name: method, response }: DrpcMethod<DescMessage, DescMessage>) => {
      asked.push(`${name}: ${method}`);
      return create(response, { status });
    },
    stop: async () => {
      asked.push(`${name}: stop`);
      return 0;
    },
    start: () => void asked.push(`${name}: start`),
    erase: async () => void asked.push(`${name}: erase`),
  };
  const harness = {
    hasMsInstance: true,
    msInstance: () => engine,
    findRank: () => Promise.resolve(engine),
    findIdentity: () => Promise.resolve(engine),
  } as unknown as Harness;
  const self = { host: name, port: 1 };
  const leadership = leader === undefined ? await leaderOf(self, []) : followerOf(leader, self);
  const client = new MgmtClient(() => clientTlsOptions(transport));
  const replicas = new MsReplicas({
    harness,
    self,
    accessPoints: () => others().map((address) => ({ address, hasReplica: true })),
    configured: [self],
    callEngine: (...args) => client.callEngine(...args),
    log: silentLogger,
  });
  const joins = new JoinCoordinator({ leadership, replicas, log: silentLogger });
  const audit = createLogger(
    ({ level, component, message, fields }) =>
      lines.push(
        `${level} ${component} ${message} ${JSON.stringify({ ...fields, ms: undefined }, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value))}`,
      ),
    { level: "INFO", component: name },
  );
  const listener = await listenGrpc({
    host: HERE,
    port: 0,
    transport,
    log: silentLogger,
    audit,
    routes: (router) =>
      limitedService(
        router,
        mgmt.MgmtSvc,
        mgmtService({
          systemName: "daos_server",
          harness,
          leadership,
          replicas,
          requests: new ServerRequests({ harness, leadership, joins, log: silentLogger }),
          pools: new PoolCoordinator({ leadership, replicas, log: silentLogger }),
          callLeader: (...args) => client.callLeader(...args),
          mayDirect: async (address) => address !== MEMBER,
          authorizeCaller: (certificate, path, from) =>
            authorizeCaller(certificate, { transport, path, from }),
          log: silentLogger,
        }),
      ),
  });
  running.push(listener);
  return { host: HERE, port: listener.port };
}

/** A client of a host, with one of this machine's addresses. */
async function clientOf({ host, port }: HostAddress, own: TestCertificate, localAddress = HERE) {
  const tls = await clientTlsOptions(files.transport("client", authority.pem, own));
  const nodeOptions: SecureClientSessionOptions & { readonly localAddress: string } = {
    ...tls,
    localAddress,
  };
  return createClient(mgmt.MgmtSvc, createGrpcTransport({ baseUrl: `https://${host}:${port}`, nodeOptions }));
}

async function refusalOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.catch((reason: unknown) => reason);
  if (!(error instanceof ConnectError)) throw new Error("it succeeded");
  return `${Code[error.code]}: ${error.rawMessage}`;
}

const uuid = "00000000-0000-4000-8000-000000000001";
const body = toBinary(mgmt.PoolDestroyReqSchema, create(mgmt.PoolDestroyReqSchema, { uuid, force: true }));
const destroy = { method: drpcMethods.poolDestroy.method, body: new Uint8Array(body) };
const callerOf = ({ certificate }: TestCertificate) => new Uint8Array(certificate.raw);

describe("calls between servers over TLS", () => {
  const CALLS: readonly (readonly [
    string,
    string,
    (client: Client<typeof mgmt.MgmtSvc>) => Promise<unknown>,
  ])[] = [
    ["PrepShutdown", "prepShutdown", (client) => client.prepShutdown({ rank: 0 })],
    ["KillRank", "stop", (client) => client.killRank({ rank: 0, force: true })],
    ["StartRank", "start", (client) => client.startRank({ rank: 0 })],
    ["EraseRank", "erase", (client) => client.eraseRank({ rank: 0, uuid })],
    ["CallEngine", "poolDestroy", (client) => client.callEngine({ ...destroy, caller: callerOf(admin) })],
  ];

  it.each(CALLS)(
    "%s is refused for a server that is no access point, and reaches the engine for an access point",
    async (name, method, call) => {
      const host = await serve("here", 0, () => []);
      const server = authority.issue("server");
      const refusal = await refusalOf(call(await clientOf(host, server, MEMBER)));
      expect(refusal).toMatch(/^PermissionDenied: /);
      expect(refusal).toContain(`${name} is not allowed to the server at ${MEMBER}`);
      expect(asked).toEqual([]);
      await call(await clientOf(host, server));
      expect(asked).toEqual([`here: ${method}`]);
    },
  );

  it.each([
    ["no certificate", () => new Uint8Array(), "presented no client certificate"],
    ["bytes that are no certificate", () => Uint8Array.of(1, 2, 3), "presented no client certificate"],
    ["the certificate of a server", () => callerOf(authority.issue("server")), "of the role server"],
    ["the certificate of an agent", () => callerOf(authority.issue("agent")), "of the role agent"],
    ["a certificate of another CA", () => callerOf(new TestAuthority().issue("admin")), "was not issued by"],
    [
      "a certificate that has expired",
      () => callerOf(authority.issue("admin", { notBefore: inDays(-9), notAfter: inDays(-1) })),
      "expired",
    ],
  ])("CallEngine refuses an access point that destroys a pool with %s", async (_, caller, reason) => {
    const client = await clientOf(await serve("here", 0, () => []), authority.issue("server"));
    const refusal = await refusalOf(client.callEngine({ ...destroy, caller: caller() }));
    expect(refusal).toMatch(/^PermissionDenied: /);
    expect(refusal).toContain("/mgmt.MgmtSvc/PoolDestroy is not allowed to the client");
    expect(refusal).toContain(reason);
    expect(asked).toEqual([]);
  });

  it("PoolDestroy of an administrator reaches the engine that leads on another access point", async () => {
    const leader = await serve("pool leader", 0, () => []);
    const follower = await serve("follower", NOT_LEADER, () => [leader]);
    expect((await (await clientOf(follower, admin)).poolDestroy({ uuid, force: true })).status).toBe(0);
    expect(asked).toEqual(["follower: poolDestroy", "pool leader: poolDestroy"]);
  });

  it("PoolDestroy is audited on each server, with user, address and outcome", async () => {
    const leader = await serve("pool leader", 0, () => []);
    const follower = await serve("follower", NOT_LEADER, () => [leader]);
    const alice = authority.issue("admin", {
      subject: { organization: "DAOS", user: "alice", commonName: "admin" },
    });
    await (await clientOf(follower, alice, "127.0.0.7")).poolDestroy({ uuid, force: true });
    expect(lines).toEqual([
      'INFO pool leader PoolDestroy {"user":"alice","role":"admin","address":"unknown","via":"127.0.0.1","outcome":"OK"}',
      `INFO follower PoolDestroy {"user":"alice","role":"admin","address":"127.0.0.7","outcome":"OK","pool":"${uuid}","force":true}`,
    ]);
  });

  it("PoolCreate and PoolDestroy are recorded and audited by the leader, with the client of the forwarding access point", async () => {
    const leader = await serve("leader", 0, () => []);
    const follower = await serve("follower", NOT_LEADER, () => [], leader);
    const alice = authority.issue("admin", {
      subject: { organization: "DAOS", user: "alice", commonName: "admin" },
    });
    const client = await clientOf(follower, alice, "127.0.0.7");
    expect((await client.poolCreate({ uuid, label: "fast", scmbytes: 1n })).status).toBe(0);
    const listed = await (await clientOf(leader, admin)).listPools({ recorded: true });
    expect(listed.pools).toMatchObject([{ label: "fast", createdBy: "alice at 127.0.0.7" }]);
    await client.poolDestroy({ uuid });
    expect(asked).toEqual(["leader: poolCreate", "leader: listPools", "leader: poolDestroy"]);
    expect(lines.filter((line) => line.includes("PoolDestroy"))).toEqual([
      `INFO leader PoolDestroy {"user":"alice","role":"admin","address":"127.0.0.7","via":"127.0.0.1","outcome":"OK","pool":"${uuid}"}`,
      `INFO follower PoolDestroy {"user":"alice","role":"admin","address":"127.0.0.7","outcome":"OK","pool":"${uuid}"}`,
    ]);
    expect(lines.filter((line) => line.includes("PoolCreate"))).toEqual([
      expect.stringMatching(/^INFO leader .*"user":"alice".*"label":"fast","scm":"1"/),
      expect.stringMatching(/^INFO follower .*"user":"alice".*"label":"fast","scm":"1"/),
    ]);
  });

  it("CallLeader refuses an access point that creates a pool with an invalid label", async () => {
    const client = await clientOf(await serve("here", 0, () => []), authority.issue("server"));
    const request = create(mgmt.PoolCreateReqSchema, { uuid, label: "a/b" });
    const bytes = new Uint8Array(toBinary(mgmt.PoolCreateReqSchema, request));
    const call = { method: drpcMethods.poolCreate.method, body: bytes, caller: callerOf(admin) };
    expect(await refusalOf(client.callLeader(call))).toMatch(/^InvalidArgument: .*label/s);
    expect(asked).toEqual([]);
  });

  it("the audit has a line for a failed call and for a refused call, but none for a call that only reads", async () => {
    const host = await serve("here", -1012, () => []);
    const client = await clientOf(host, admin);
    await client.poolDestroy({ uuid });
    await refusalOf(client.poolDestroy({ uuid: "x\ny" }));
    await refusalOf((await clientOf(host, authority.issue("agent"))).poolDestroy({ uuid }));
    await refusalOf((await clientOf(host, authority.issue("server"), MEMBER)).killRank({ rank: 3 }));
    await client.leaderQuery({ system: "daos_server" });
    expect(lines).toEqual([
      expect.stringMatching(/^WARN here PoolDestroy .*"role":"admin".*"outcome":"DER_BUSY","pool":/),
      expect.stringMatching(/^WARN here PoolDestroy .*"outcome":"INVALID_ARGUMENT","pool":"x\?y","reason":/),
      expect.stringMatching(
        /^WARN here PoolDestroy .*"role":"agent".*"outcome":"PERMISSION_DENIED","reason":/,
      ),
      expect.stringMatching(/^WARN here KillRank .*"role":"server".*"PERMISSION_DENIED","rank":3,"reason":/),
    ]);
  });

  it("GetAttachInfo of an agent reaches the engine that leads on another access point", async () => {
    const leader = await serve("pool leader", 0, () => []);
    const follower = await serve("follower", NOT_LEADER, () => [leader]);
    await (await clientOf(follower, authority.issue("agent"))).getAttachInfo({ sys: "daos_server" });
    expect(asked).toEqual(["follower: getAttachInfo", "pool leader: getAttachInfo"]);
  });
});

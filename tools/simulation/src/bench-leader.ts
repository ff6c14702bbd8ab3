import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import type { TransportConfig } from "@daos/config";
import { MgmtClient } from "@daos/control-client";
import { systemService } from "@daos/ctl-service";
import { Leadership, StaticLeader } from "@daos/election";
import { Harness } from "@daos/harness";
import { silentLogger } from "@daos/log";
import { type Member, type MemberStore, SqliteMemberStore } from "@daos/member-store";
import { mgmtService } from "@daos/mgmt-service";
import { ctl, mgmt } from "@daos/proto";
import { parseRank } from "@daos/rank";
import { faultInterceptor } from "@daos/rpc";
import { grpcHandlers } from "@daos/rpc/server";
import { createGrpcServer, DEFAULT_LIMITS } from "@daos/security";
import { delay } from "@daos/sys";
import { JoinCoordinator, MsReplicas, PoolCoordinator, ServerRequests, SystemActions } from "@daos/system";

/** The requests to the leader's process. */
export type ToLeader = { readonly kind: "report" } | { readonly kind: "stop"; readonly timeoutMs: number };

/** The figures that it reports. */
export interface FromLeader {
  readonly port: number;
  readonly commits: number;
  readonly members: number;
  readonly peakKiB: number;
  /** The answer to a query of all members. */
  readonly queryBytes: readonly number[];
}

const self = { host: "127.0.0.1", port: 10_001 };
const { signal } = new AbortController();

/**
 * The leader in its own process: the real gRPC server and handlers, and the real SQLite store on disk. The engine that assigns
 * ranks is in this process too.
 *
 * @param numbers the number of members, and the ports of their hosts
 */
export async function runLeader(
  [count = 0, ...ports]: readonly number[],
  transport = { allowInsecure: true } as TransportConfig,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "daos-bench-"));
  process.on("exit", () => rmSync(directory, { recursive: true }));
  process.on("SIGTERM", () => process.exit(0));
  const store = new SqliteMemberStore(join(directory, "members.db"));
  const members = Array.from({ length: count }, (_, rank) => memberOf(rank, ports));
  if (count > 0) await fill(store, members);
  const election = new StaticLeader({ accessPoints: [self], self, openStore: async () => store });
  const leadership = new Leadership({ election, self, ranksFrom: "engine", log: silentLogger });
  void leadership.run(signal);
  const harness = new Harness([], silentLogger);
  let nextRank = count;
  const engine = {
    call: async () => create(mgmt.JoinRespSchema, { status: 0, rank: nextRank++ }),
  };
  const replicas = new MsReplicas({
    harness: { msInstance: () => engine as unknown as ReturnType<Harness["msInstance"]> },
    self,
    accessPoints: () => leadership.accessPoints,
    configured: [self],
    callEngine: () => Promise.reject(new Error("there is one access point")),
    log: silentLogger,
  });
  const joins = new JoinCoordinator({ leadership, replicas, log: silentLogger });
  const requests = new ServerRequests({ harness, leadership, joins, log: silentLogger });
  const calls = new MgmtClient(async () => undefined);
  const actions = new SystemActions({ leadership, harness, calls, log: silentLogger });
  const handlers = grpcHandlers({
    readMaxBytes: DEFAULT_LIMITS.maxMessageBytes,
    interceptors: [faultInterceptor],
    routes: (router) => {
      router.service(
        mgmt.MgmtSvc,
        mgmtService({
          systemName: "daos_server",
          harness,
          leadership,
          replicas,
          requests,
          pools: new PoolCoordinator({ leadership, replicas, log: silentLogger }),
          callLeader: () => Promise.reject(new Error("there is one access point")),
          mayDirect: async () => true,
          authorizeCaller: async () => undefined,
          log: silentLogger,
        }),
      );
      router.service(ctl.MgmtCtl, systemService({ leadership, actions, log: silentLogger }));
    },
  });
  // All hosts have one address here, so the limits per address are off.
  const limits = {
    ...DEFAULT_LIMITS,
    maxConnectionsPerAddress: DEFAULT_LIMITS.maxConnections,
    connectionBurst: DEFAULT_LIMITS.maxConnections,
    connectionsPerSecond: DEFAULT_LIMITS.maxConnections,
  };
  const { server } = await createGrpcServer({ transport, log: silentLogger, ...handlers, limits });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, () => resolve()));
  while (!leadership.leadsHere || !isReady(leadership)) await delay(10);
  const { port } = server.address() as AddressInfo;
  const report = () => {
    const membership = leadership.membership();
    const answer: FromLeader = {
      port,
      commits: membership.commits,
      members: membership.list().length,
      peakKiB: process.resourceUsage().maxRSS,
      queryBytes: count === 0 ? [] : [...queryBytes(members)],
    };
    process.send?.(answer);
  };
  process.on("message", (question: ToLeader) => {
    if (question.kind === "report") report();
    else void stop(leadership, actions, question.timeoutMs);
  });
  report();
}

function isReady(leadership: Leadership): boolean {
  try {
    leadership.membership();
    return true;
  } catch {
    return false;
  }
}

async function stop(leadership: Leadership, actions: SystemActions, timeoutMs: number): Promise<void> {
  const begun = performance.now();
  const results = await actions.stop(leadership.membership().list(), {
    force: false,
    fanout: 128,
    timeoutMs,
    signal,
  });
  const ms = performance.now() - begun;
  const failed = results.filter(({ fault }) => fault !== undefined).length;
  const stopped = leadership
    .membership()
    .list()
    .filter(({ state }) => state === "stopped").length;
  process.send?.({ ms, stopped, failed });
}

function memberOf(rank: number, ports: readonly number[]): Member {
  const port = ports[rank % Math.max(1, ports.length)];
  return {
    uuid: `00000000-0000-4000-8000-${rank.toString(16).padStart(12, "0")}`,
    rank: parseRank(rank),
    address:
      port === undefined ? { host: `10.0.0.${rank % 256}`, port: 10_001 } : { host: "127.0.0.1", port },
    uri: `ofi+tcp://10.0.0.${rank % 256}:${31_416 + (rank >> 8)}`,
    contexts: 2,
    state: "joined",
    reason: "",
    since: 1_795_478_400_000,
    incarnation: 1,
    faultDomain: `/rack${rank % 16}/node${rank % 256}`,
    // No host sends reports here, so none may become overdue.
    reports: false,
  };
}

async function fill(store: MemberStore, members: readonly Member[]): Promise<void> {
  await store.commit(
    members.map((member) => ({ kind: "put", member })),
    { signal },
  );
}

/** In the form that the leader sends. */
function queryBytes(members: readonly Member[]): Uint8Array {
  const message = create(ctl.SystemQueryRespSchema, {
    members: members.map(({ uuid, rank, address, uri, contexts, incarnation, since, faultDomain }) => ({
      addr: `${address.host}:${address.port}`,
      uuid,
      rank,
      state: ctl.MemberState.MEMBER_JOINED,
      since: BigInt(since),
      incarnation,
      uri,
      nctxs: contexts,
      faultDomain,
    })),
  });
  return toBinary(ctl.SystemQueryRespSchema, message);
}

import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join as joinPath } from "node:path";
import { type EngineConfig, faultNoEngines, type ServerConfig, type TransportConfig } from "@daos/config";
import { type AskOptions, MgmtClient, type ReportMessage } from "@daos/control-client";
import { ctlService } from "@daos/ctl-service";
import { DrpcServer, removeDeadSockets } from "@daos/drpc";
import { isLoopback, replicaRole } from "@daos/election";
import { Harness } from "@daos/harness";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { EngineInstance, faultStorageLost, findEngine, type JoinRequest, type Owner } from "@daos/instance";
import type { LevelSwitch, Logger } from "@daos/log";
import { EngineReporter, type JoinReply, joinSystem } from "@daos/member-agent";
import { mgmtService } from "@daos/mgmt-service";
import { NetworkProvider } from "@daos/network";
import type { HelperLocation } from "@daos/pbin";
import { ctl, mgmt } from "@daos/proto";
import { clientTlsOptions } from "@daos/security";
import { ProcessCommandRunner } from "@daos/sys";
import { EngineGroup, Joins } from "@daos/system";
import { controlAddress, refuseLoopback } from "./control-address.ts";
import { drpcModules } from "./drpc-modules.ts";
import { findUser } from "./find-owner.ts";
import { limitedService } from "./limit-requests.ts";
import { listenGrpc } from "./listen-grpc.ts";
import { localAddresses, resolveHost } from "./local-addresses.ts";
import { openManagement } from "./management.ts";
import { mayDirect } from "./may-direct.ts";
import { startMetrics } from "./metrics.ts";
import { sampleHealth } from "./sample-health.ts";
import { stateDirectories } from "./state-directory.ts";
import { StorageLocks } from "./storage-lock.ts";
import { storageProviders } from "./storage-providers.ts";

export interface ServerOptions {
  readonly config: ServerConfig;
  readonly log: Logger;
  /** The level of `log`, which administrators may change. */
  readonly logLevel: LevelSwitch;
  /** Directory of the engine's executable when it is not on PATH, or the only place for it with `onlyEngine`. */
  readonly engineDirectory: string;
  /** The engine in `engineDirectory` is used whatever is on PATH: the emulated one. */
  readonly onlyEngine: boolean;
  readonly autoFormat: boolean;
  readonly readyTimeoutMs: number;
  /** Who owns what root formats, from `user_name`; then the server only provisions. */
  readonly owner?: Owner | undefined;
  /** Where the privileged helper is; looked for in the usual places if not given. */
  readonly helper?: HelperLocation | undefined;
  /** Called once, when every engine serves. */
  readonly onServing: () => void;
  /** Gets what reads the certificates again, once the server listens. */
  readonly onReloadable: (reload: () => Promise<void>) => void;
}

/** Everything listens here. */
const ANY_ADDRESS = "0.0.0.0";

/**
 * Runs the control plane of one host until `signal` stops it: dRPC, gRPC, then the engines; stopped in reverse.
 *
 * @throws Fault of what could not be started, or of the last engine when none is left
 */
export async function runServer(options: ServerOptions, signal: AbortSignal): Promise<void> {
  const { config, log, owner } = options;
  if (config.engines.length === 0) throw faultNoEngines(config.path);
  const names = { localAddresses: localAddresses(), resolve: resolveHost };
  await refuseLoopback({ config, ...names });
  const role = await replicaRole(config.accessPoints, { port: config.port, ...names });
  const self = await controlAddress({ config, isAccessPoint: role !== "none", ...names });
  using management = openManagement({
    config,
    role,
    self,
    hasReplica: () => harness.instances.some(hasReplica),
    stopExcluded: ({ address, rank }, { signal: until }) =>
      mgmtClient.killRank(address, rank, { force: false, signal: until }),
    log: log.child("leader"),
  });
  const { leadership, finder } = management;
  const mgmtClient = new MgmtClient(() => clientTlsOptions(config.transport));

  const runner = new ProcessCommandRunner();
  const { scm, bdev, history, mayMount } = await storageProviders({
    runner,
    log,
    helper: options.helper,
    stateDirectories: stateDirectories(config.path, config.socketDir),
    spdkSocket: config.spdkSocket,
    signal,
  });
  const network = new NetworkProvider({ runner, log });
  for (const { fabricIface, provider, pinnedNumaNode } of config.engines) {
    await network.check(fabricIface, provider, { signal });
    if (pinnedNumaNode !== undefined && provider !== "sm") {
      await network.checkNumaNode(fabricIface, pinnedNumaNode);
    }
  }

  const ofiDomains = await findOfiDomains(config.engines);

  const faultDomain = config.faultPath ?? `/${hostname()}`;
  const joinOnce = (
    { uuid, rank, uri, contexts, recorded }: JoinRequest,
    wait: AskOptions,
  ): Promise<JoinReply> => {
    const addr = `${ANY_ADDRESS}:${config.port}`;
    const request = { uuid, rank, uri, nctxs: contexts, addr, faultDomain, reports: true, recorded };
    return finder.ask((host, until) => mgmtClient.join(host, request, until), wait);
  };
  const serving = new Set<EngineInstance>();
  const onChange = (instance: EngineInstance) => {
    harness.changed(instance);
    reporter.changed();
    if (instance.state.kind !== "serving" || serving.has(instance)) return;
    if (serving.add(instance).size === harness.instances.length) options.onServing();
  };

  /** Rejects when the system would begin anew without the members that it has: nothing may serve then. */
  const unfit = Promise.withResolvers<never>();
  using locks = new StorageLocks();
  const onStorageReady = async (
    { index, config: { scm: at }, superblock }: EngineInstance,
    wait: { readonly signal: AbortSignal },
  ) => {
    // Root, who only provisions, leaves what is in the storage to the server's user.
    if (owner !== undefined) return;
    await locks.take(at.mount, wait);
    if (index !== 0 || superblock === undefined) return;
    try {
      await management.storageReady(at.mount, superblock.uuid, wait);
    } catch (error) {
      if (!wait.signal.aborted) unfit.reject(error);
      throw error;
    }
  };

  const harness = new Harness(
    config.engines.map(
      (engine) =>
        new EngineInstance({
          config: engine,
          replica: engine.index === 0 ? role : "none",
          msAddress: formatHostAddress(self),
          scm,
          bdev,
          findEngine: () => findEngine(options.onlyEngine ? "" : process.env.PATH, options.engineDirectory),
          join: (request, { signal: until }) =>
            joinSystem(request, { attempt: joinOnce, log, signal: until }),
          onStorageReady,
          lockFd: () => locks.descriptor(engine.scm.mount),
          verifyStorage: async ({ index, config: { scm: at } }) => {
            const losses = index === 0 ? await management.lossesIn(at.mount) : [];
            if (losses.length > 0) throw faultStorageLost(index, at.mount, losses);
          },
          onStorageReleased: async ({ index, config: { scm: at } }) => {
            if (index === 0) await management.storageReleased();
            locks.release(at.mount);
          },
          onChange,
          log: log.child("instance", { index: engine.index }),
          engineLog: log,
          mayMount: mayMount(engine.scm),
          owner,
          recreateSuperblocks: config.recreateSuperblocks,
          autoFormat: options.autoFormat,
          provisionOnly: owner !== undefined,
          readyTimeoutMs: options.readyTimeoutMs,
          ofiDomain: ofiDomains.get(engine.fabricIface),
          environment: config.engine === "emulated" ? emulatorEnvironment(engine) : undefined,
        }),
    ),
    log.child("harness"),
  );
  const mgmtLog = log.child("mgmt");
  const engines = new EngineGroup({
    harness,
    self,
    accessPoints: () => leadership.accessPoints,
    callEngine: (...args) => mgmtClient.callEngine(...args),
    log: mgmtLog,
  });
  const joins = new Joins({ leadership, engines, log: mgmtLog });
  const mgmtOptions = {
    systemName: config.name,
    harness,
    leadership,
    engines,
    joins,
    mayDirect: mayDirect({
      hosts: () => [
        ...config.accessPoints,
        ...leadership.accessPoints.map(({ address }) => address),
        ...(leadership.leader === undefined ? [] : [leadership.leader]),
      ],
      localAddresses,
      resolve: resolveHost,
    }),
    log: mgmtLog,
  };
  const reporter = new EngineReporter({
    self,
    engines: harness.instances,
    finder,
    send: (host, report: ReportMessage, wait) => mgmtClient.reportEngines(host, report, wait),
    log: log.child("report"),
  });

  // What is started goes on the stack; it is stopped from the top, whichever way this function ends.
  await using stack = new AsyncDisposableStack();
  const drpc = new DrpcServer({
    path: joinPath(config.socketDir, "daos_server.sock"),
    log: log.child("drpc"),
    modules: drpcModules({
      harness,
      socketDir: config.socketDir,
      reporter,
      transport: config.transport,
      log: log.child("drpc"),
    }),
  });
  await drpc.listen();
  const isEngineSocket = (name: string) => /^daos_io_server.*\.sock$/.test(name);
  stack.defer(async () => {
    await drpc.close();
    await removeDeadSockets(config.socketDir, isEngineSocket);
  });
  await removeDeadSockets(config.socketDir, isEngineSocket);

  const metrics = await startMetrics({ config, harness, leadership, log: log.child("metrics") });
  stack.defer(() => metrics?.close());
  const listenHost = listenAddress(config.transport, self);
  const grpc = await listenGrpc({
    host: listenHost,
    port: config.port,
    transport: config.transport,
    log: log.child("grpc"),
    observer: metrics?.interceptor,
    routes: (router) => {
      limitedService(
        router,
        ctl.MgmtCtl,
        ctlService({
          harness,
          leadership,
          scm,
          bdev,
          history,
          controllers: { include: config.bdevInclude, exclude: config.bdevExclude },
          network,
          members: mgmtClient,
          findUser,
          log,
          logLevel: options.logLevel,
        }),
      );
      if (owner === undefined) limitedService(router, mgmt.MgmtSvc, mgmtService(mgmtOptions));
    },
  });
  options.onReloadable(() => grpc.reload());
  stack.defer(() => grpc.close());
  log.info(`listening on ${listenHost}:${config.port}`, { system: config.name, role, pid: process.pid });

  // Engines, leadership, reports and samples end together, whichever ends first.
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const parts = [
    harness.run(until),
    ...(owner === undefined ? [leadership.run(until), reporter.run(until)] : []),
  ];
  const samples = sampleHealth({ scan: (wait) => bdev.scan(wait), log: log.child("health"), signal: until });
  try {
    await Promise.race([...parts, unfit.promise]);
  } finally {
    ended.abort(new DOMException("the server ends", "AbortError"));
    await Promise.allSettled([...parts, samples]);
  }
}

/**
 * Without certificates the loopback only, as whoever reaches the port is an administrator; access points with an address
 * in the network ask for more, and the whole network is served then.
 */
function listenAddress({ allowInsecure }: TransportConfig, self: HostAddress): string {
  return allowInsecure && isLoopback(self.host) ? self.host : ANY_ADDRESS;
}

/** In a plain directory the emulated engine cannot see how large its SCM is meant to be. */
function emulatorEnvironment({ scm }: EngineConfig): Readonly<Record<string, string>> {
  return scm.class === "ram" ? { DAOS_EMULATOR_SCM_BYTES: `${BigInt(scm.sizeGiB) << 30n}` } : {};
}

/** The RDMA device behind each fabric interface that has one, `mlx5_0` for `ib0`: what `ofi+verbs` calls its domain. */
async function findOfiDomains(engines: readonly EngineConfig[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const { fabricIface } of engines) {
    const [device] = await readdir(`/sys/class/net/${fabricIface}/device/infiniband`).catch(() => []);
    if (device !== undefined) found.set(fabricIface, device);
  }
  return found;
}

/** It serves and has a replica of the data plane's management service. */
function hasReplica({ state, superblock }: EngineInstance): boolean {
  return state.kind === "serving" && superblock?.ms === true;
}

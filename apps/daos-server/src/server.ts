import { join as joinPath } from "node:path";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { describeConfig, type EngineConfig, faultNoEngines, type ServerConfig } from "@daos/config";
import { MgmtClient } from "@daos/control-client";
import { ctlService, type SupportSource } from "@daos/ctl-service";
import { DrpcServer, removeDeadSockets } from "@daos/drpc";
import { replicaRole } from "@daos/election";
import { healthService } from "@daos/health-service";
import { composeHost } from "@daos/host";
import { formatHostAddress } from "@daos/hostlist";
import type { EngineInstance, Owner } from "@daos/instance";
import type { LevelSwitch, Logger } from "@daos/log";
import { mgmtService } from "@daos/mgmt-service";
import { NetworkProvider } from "@daos/network";
import type { HelperLocation } from "@daos/pbin";
import { ctl, mgmt, grpc as standard } from "@daos/proto";
import { clientTlsSource, judgeCaller, shareOf } from "@daos/security";
import { ProcessCommandRunner } from "@daos/sys";
import { peerKey } from "./audit/audit-interceptor.ts";
import { configuredControllers, wishedHugepages } from "./configured-devices.ts";
import { controlAddress, refuseLoopback } from "./control-address.ts";
import { drpcModules } from "./drpc-modules.ts";
import { faultDomain } from "./fault-domain.ts";
import { faultInsecureDevices } from "./faults.ts";
import { findEngineOf } from "./find-engine-of.ts";
import { findUser } from "./find-owner.ts";
import { limitedService } from "./limit-requests.ts";
import { listenAddress } from "./listen-address.ts";
import { listenGrpc } from "./listen-grpc.ts";
import { localAddresses, resolveHost } from "./local-addresses.ts";
import { localTransport, ownAddresses } from "./local-calls.ts";
import { mayDirect } from "./may-direct.ts";
import { openMembersPort } from "./members-port.ts";
import { openMembersState } from "./members-state.ts";
import { type DeviceSample, startMetrics } from "./metrics.ts";
import { DAOS_RELEASE, VERSION } from "./release.ts";
import { sampleHealth } from "./sample-health.ts";
import { stateDirectories } from "./state-directory.ts";
import { StorageLocks } from "./storage-lock.ts";
import { storageProviders } from "./storage-providers.ts";
import { hostItems, supportDirectory } from "./support/host-items.ts";
import { serverItems } from "./support/server-items.ts";

export interface ServerOptions {
  readonly config: ServerConfig;
  readonly log: Logger;
  /** The log of calls that change something. */
  readonly audit: Logger;
  /** The level of `log`, which administrators may change. */
  readonly logLevel: LevelSwitch;
  readonly autoFormat: boolean;
  readonly readyTimeoutMs: number;
  /** Who owns what root formats, from `user_name`; then the server only provisions. */
  readonly owner?: Owner | undefined;
  /** Where the privileged helper is; looked for in the usual places if not given. */
  readonly helper?: HelperLocation | undefined;
  /** Called once, when every engine serves. */
  readonly onServing: () => void;
  /** Called before the first engine starts, and whenever the state of one has changed. */
  readonly onEngines: (engines: readonly EngineInstance[]) => void;
  /** Gets what reads the certificates again, once the server listens. */
  readonly onReloadable: (reload: () => Promise<void>) => void;
}

/**
 * Runs the control plane of one host until `signal` stops it: dRPC, gRPC, then the engines; stopped in reverse.
 *
 * @throws Fault of what could not be started, or of the last engine when none is left
 */
export async function runServer(options: ServerOptions, signal: AbortSignal): Promise<void> {
  const { config, log, owner } = options;
  if (config.engines.length === 0) throw faultNoEngines(config.path);
  // Storage is not formatted for engines that cannot start.
  if (owner === undefined) await findEngineOf(config);
  const names = { localAddresses: localAddresses(), resolve: resolveHost };
  await refuseLoopback({ config, ...names });
  const role = await replicaRole(config.accessPoints, { port: config.port, ...names });
  const self = await controlAddress({ config, isAccessPoint: role !== "none", ...names });
  using mgmtClient = new MgmtClient(clientTlsSource(config.transport));

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

  const ofiDomains = new Map<string, string | undefined>();
  for (const { fabricIface } of config.engines)
    ofiDomains.set(fabricIface, await network.domainOf(fabricIface));

  const domain = await faultDomain(config, { runner, signal });
  log.info("fault domain", { domain });

  using locks = new StorageLocks();
  const membersState = role === "none" ? undefined : await openMembersState(config, log);
  using members = openMembersPort({ config, self, state: membersState, log: log.child("leader") });
  const host = composeHost({
    self,
    role,
    accessPoints: config.accessPoints,
    faultDomain: domain,
    members: members.port,
    failureDetection: config.failureDetection,
    calls: mgmtClient,
    engines: config.engines.map((engine) => ({
      config: engine,
      scm,
      bdev,
      findEngine: () => findEngineOf(config),
      takeStorage: (mount, wait) => locks.take(mount, wait),
      lockFd: () => locks.descriptor(engine.scm.mount),
      releaseStorage: (mount) => locks.release(mount),
      log: log.child("instance", { index: engine.index }),
      engineLog: log,
      mayMount: mayMount(engine.scm),
      owner,
      recreateSuperblocks: config.recreateSuperblocks,
      autoFormat: options.autoFormat,
      readyTimeoutMs: options.readyTimeoutMs,
      ofiDomain: ofiDomains.get(engine.fabricIface),
      environment: config.engine === "emulated" ? emulatorEnvironment(engine) : undefined,
    })),
    provisionOnly: owner !== undefined,
    onServing: options.onServing,
    onChange: () => options.onEngines(host.harness.instances),
    log,
  });
  const { harness, leadership, reporter } = host;

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

  const listenHost = listenAddress(config, { self, localAddresses: localAddresses() });
  let devices: DeviceSample | undefined;
  const metrics = await startMetrics({
    config,
    host: listenHost,
    harness,
    leadership,
    devices: () => devices,
    log: log.child("metrics"),
  });
  stack.defer(() => metrics?.close());
  const support: SupportSource = {
    directory: supportDirectory(),
    items: (logBytes) => [
      ...hostItems({ config, scm, bdev, network, runner, logBytes }),
      ...serverItems({ harness, leadership, metrics: metrics?.render }),
    ],
  };
  const routes = (router: ConnectRouter) => {
    limitedService(
      router,
      ctl.MgmtCtl,
      ctlService({
        harness,
        leadership,
        scm,
        bdev,
        history,
        refuseDevices:
          config.transport.allowInsecure && !config.allowInsecureDevices ? faultInsecureDevices : undefined,
        controllers: configuredControllers(config),
        hugepages: wishedHugepages(config),
        network,
        actions: host.actions,
        findUser,
        support,
        release: { version: VERSION, daosRelease: DAOS_RELEASE },
        log,
        logLevel: options.logLevel,
        configuration: { file: config.path, describe: () => describeConfig(config) },
      }),
    );
    const services = new Map([
      ["", () => true],
      [ctl.MgmtCtl.typeName, () => true],
      [mgmt.MgmtSvc.typeName, () => leadership.leader !== undefined],
    ]);
    limitedService(router, standard.Health, healthService({ services, signal, kindOf: clientKind }));
    if (owner === undefined) {
      limitedService(
        router,
        mgmt.MgmtSvc,
        mgmtService({
          systemName: config.name,
          ...host,
          mayDirect: mayDirect({
            hosts: () => [
              ...config.accessPoints,
              ...leadership.accessPoints.map(({ address }) => address),
              ...(leadership.leader === undefined ? [] : [leadership.leader]),
            ],
            localAddresses,
            resolve: resolveHost,
          }),
          judgeCaller: (certificate, path, from) =>
            judgeCaller(certificate, { transport: config.transport, path, from }),
          log: log.child("mgmt"),
        }),
      );
    }
  };
  const grpc = await listenGrpc({
    host: listenHost,
    port: config.port,
    transport: config.transport,
    log: log.child("grpc"),
    audit: options.audit,
    observer: metrics?.interceptor,
    routes,
  });
  for (const own of await ownAddresses({ self, accessPoints: config.accessPoints, resolve: resolveHost }))
    mgmtClient.answerLocally(own, localTransport(self, routes));
  options.onReloadable(async () => {
    await grpc.reload();
    await metrics?.reload();
  });
  options.onEngines(harness.instances);
  stack.defer(() => grpc.close());
  const where = formatHostAddress({ host: listenHost, port: config.port });
  log.info(`listening on ${where}`, { system: config.name, role, pid: process.pid });

  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const scan = async (wait: { readonly signal: AbortSignal }) => {
    devices = { controllers: await bdev.scan(wait), readAt: new Date() };
  };
  const samples = sampleHealth({ scan, log: log.child("health"), signal: until });
  try {
    await host.run(signal);
  } finally {
    ended.abort(new DOMException("the server ends", "AbortError"));
    await Promise.allSettled([samples]);
  }
}

/** In a plain directory the emulated engine cannot see how large its SCM is meant to be. */
function emulatorEnvironment({ scm }: EngineConfig): Readonly<Record<string, string>> {
  return scm.class === "ram" ? { DAOS_EMULATOR_SCM_BYTES: `${BigInt(scm.sizeGiB) << 30n}` } : {};
}

/** The role of a client, as texts name it. */
function clientKind({ values }: HandlerContext): string {
  const peer = values.get(peerKey);
  return peer === undefined ? "this host" : shareOf(peer);
}

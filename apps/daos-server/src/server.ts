import { faultNoEngines, type ServerConfig } from "@daos/config";
import { MgmtClient } from "@daos/control-client";
import type { SupportSource } from "@daos/ctl-service";
import { replicaRole } from "@daos/election";
import { composeHost } from "@daos/host";
import { formatHostAddress } from "@daos/hostlist";
import type { EngineInstance, Owner } from "@daos/instance";
import type { LevelSwitch, Logger } from "@daos/log";
import { NetworkProvider } from "@daos/network";
import type { HelperLocation } from "@daos/pbin";
import { clientTlsSource } from "@daos/security";
import { ProcessCommandRunner } from "@daos/sys";
import { checkFabric } from "./check-fabric.ts";
import { controlAddress, refuseLoopback } from "./control-address.ts";
import { enginePorts } from "./engine-ports.ts";
import { faultDomain } from "./fault-domain.ts";
import { findEngineOf } from "./find-engine-of.ts";
import { grpcRoutes } from "./grpc-routes.ts";
import { listenAddress } from "./listen-address.ts";
import { listenDrpc } from "./listen-drpc.ts";
import { listenGrpc } from "./listen-grpc.ts";
import { localAddresses, resolveHost } from "./local-addresses.ts";
import { localTransport, ownAddresses } from "./local-calls.ts";
import { openMembersPort } from "./members-port.ts";
import { openMembersState } from "./members-state.ts";
import { type DeviceSample, startMetrics } from "./metrics.ts";
import { sampleHealth } from "./sample-health.ts";
import { stateDirectories } from "./state-directory.ts";
import { StorageLocks } from "./storage-lock.ts";
import { storageProviders } from "./storage-providers.ts";
import { configItems, hostItems, supportDirectory } from "./support/host-items.ts";
import { serverItems } from "./support/server-items.ts";

export interface ServerOptions {
  readonly config: ServerConfig;
  readonly log: Logger;
  /** The audit of calls that change something. */
  readonly audit: Logger;
  /** The level of `log`. Administrators may change it. */
  readonly logLevel: LevelSwitch;
  readonly autoFormat: boolean;
  readonly readyTimeoutMs: number;
  /** The owner of the storage that root formats, from `user_name`. With an owner the server only provisions storage. */
  readonly owner?: Owner | undefined;
  /** The privileged helper; searched in the usual places by default. */
  readonly helper?: HelperLocation | undefined;
  /** Called once, when all engines serve. */
  readonly onServing: () => void;
  /** Called before the first engine starts, and after each change of an engine's state. */
  readonly onEngines: (engines: readonly EngineInstance[]) => void;
  /** Receives the function that reads the certificates again, once the server listens. */
  readonly onReloadable: (reload: () => Promise<void>) => void;
}

/**
 * Runs the control plane of one host until `signal` stops it. It starts dRPC, gRPC and then the engines, and stops them in
 * reverse order.
 *
 * @throws Fault of the part that could not be started, or of the last engine when all engines have failed
 */
export async function runServer(options: ServerOptions, signal: AbortSignal): Promise<void> {
  const { config, log, owner } = options;
  if (config.engines.length === 0) throw faultNoEngines(config.path);
  // Checked first, so that storage is not formatted for engines that cannot start.
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
  const ofiDomains = await checkFabric(config.engines, network, { signal });

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
    engines: config.engines.map((engine) =>
      enginePorts(engine, {
        ...options,
        scm,
        bdev,
        mayMount,
        locks,
        ofiDomain: ofiDomains.get(engine.fabricIface),
      }),
    ),
    provisionOnly: owner !== undefined,
    onServing: options.onServing,
    onChange: () => options.onEngines(host.harness.instances),
    log,
  });
  const { harness, leadership, reporter } = host;

  // Each started part goes on the stack. The parts are stopped in reverse order, however this function ends.
  await using stack = new AsyncDisposableStack();
  stack.use(await listenDrpc({ config, harness, reporter, log: log.child("drpc") }));

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
      ...configItems(config),
      ...hostItems({ config, scm, bdev, network, runner, logBytes }),
      ...serverItems({ harness, leadership, metrics: metrics?.render }),
    ],
  };
  const routes = grpcRoutes({
    config,
    host,
    storage: { scm, bdev, history },
    network,
    support,
    provisionOnly: owner !== undefined,
    log,
    logLevel: options.logLevel,
    signal,
  });
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

import { MgmtClient } from "@daos/control-client";
import { type ReplicaRole, replicaRole } from "@daos/election";
import { composeHost, type Host } from "@daos/host";
import type { HostAddress } from "@daos/hostlist";
import { NetworkProvider } from "@daos/network";
import { clientTlsSource } from "@daos/security";
import { type CommandRunner, ProcessCommandRunner } from "@daos/sys";
import { checkFabric } from "./check-fabric.ts";
import { controlAddress, refuseLoopback } from "./control-address.ts";
import { enginePorts } from "./engine-ports.ts";
import { faultDomain } from "./fault-domain.ts";
import { localAddresses, resolveHost } from "./local-addresses.ts";
import { openMembersPort } from "./members-port.ts";
import { openMembersState } from "./members-state.ts";
import { requireOwnAddress } from "./require-own-address.ts";
import type { ServerOptions } from "./server-options.ts";
import { stateDirectories } from "./state-directory.ts";
import { StorageLocks } from "./storage-lock.ts";
import { type StorageProviders, storageProviders } from "./storage-providers.ts";

/** The composed control plane of this host. It does not run or listen yet. */
export interface OpenedHost extends Disposable {
  /** The control address of this host. */
  readonly self: HostAddress;
  readonly role: ReplicaRole;
  readonly host: Host;
  readonly storage: StorageProviders;
  readonly network: NetworkProvider;
  readonly runner: CommandRunner;
  readonly mgmtClient: MgmtClient;
}

/** Examines this machine and composes the host. @throws Fault for a configuration that does not match this machine */
export async function openHost(options: ServerOptions, signal: AbortSignal): Promise<OpenedHost> {
  const { config, log, owner } = options;
  const names = { localAddresses: localAddresses(), resolve: resolveHost };
  await refuseLoopback({ config, ...names });
  const role = await replicaRole(config.accessPoints, { port: config.port, ...names });
  const self = await controlAddress({ config, isAccessPoint: role !== "none", ...names });
  const directories = stateDirectories(config.path, config.socketDir);
  await requireOwnAddress({ config, role, self, ...names, directories, log });
  using stack = new DisposableStack();
  const mgmtClient = stack.use(new MgmtClient(clientTlsSource(config.transport)));

  const runner = new ProcessCommandRunner();
  const storage = await storageProviders({
    runner,
    log,
    helper: options.helper,
    stateDirectories: directories,
    spdkSocket: config.spdkSocket,
    signal,
  });
  const network = new NetworkProvider({ runner, log });
  const ofiDomains = await checkFabric(config.engines, network, { signal });

  const domain = await faultDomain(config, { runner, signal });
  log.info("fault domain", { domain });

  const locks = stack.use(new StorageLocks());
  const membersState = role === "none" ? undefined : await openMembersState(config, log);
  const members = stack.use(openMembersPort({ config, self, state: membersState, log: log.child("leader") }));
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
        ...storage,
        locks,
        ofiDomain: ofiDomains.get(engine.fabricIface),
      }),
    ),
    provisionOnly: owner !== undefined,
    onServing: options.onServing,
    onChange: () => options.onEngines(host.harness.instances),
    log,
  });

  const opened = stack.move();
  return { self, role, host, storage, network, runner, mgmtClient, [Symbol.dispose]: () => opened.dispose() };
}

import { mkdir, readdir } from "node:fs/promises";
import { join as joinPath } from "node:path";
import type { EngineConfig, ServerConfig } from "@daos/config";
import { ctlService } from "@daos/ctl-service";
import { DrpcServer, removeDeadSockets } from "@daos/drpc";
import { Harness } from "@daos/harness";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { EngineInstance, findEngine, type JoinRequest, type Owner } from "@daos/instance";
import type { LevelSwitch, Logger } from "@daos/log";
import { Leadership, replicaRole, SqliteMemberStore } from "@daos/membership";
import { type JoinAnswer, Joins, mgmtService } from "@daos/mgmt-service";
import { NetworkProvider } from "@daos/network";
import type { HelperLocation } from "@daos/pbin";
import { ctl, mgmt } from "@daos/proto";
import { clientTlsOptions } from "@daos/security";
import { ProcessCommandRunner } from "@daos/sys";
import { drpcModules } from "./drpc-modules.ts";
import { faultNoEngines } from "./faults.ts";
import { findUser } from "./find-owner.ts";
import { joinSystem } from "./join-system.ts";
import { listenGrpc } from "./listen-grpc.ts";
import { localAddresses, resolveHost } from "./local-addresses.ts";
import { startMetrics } from "./metrics.ts";
import { MgmtClient } from "./mgmt-client.ts";
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
  const role = await replicaRole(config.accessPoints, {
    port: config.port,
    localAddresses: localAddresses(),
    resolve: resolveHost,
  });
  const self = await controlAddress(config, role !== "none");
  const leadership = new Leadership({ accessPoints: config.accessPoints, role, self });
  const mgmtClient = new MgmtClient(() => clientTlsOptions(config.transport));

  const runner = new ProcessCommandRunner();
  const { scm, bdev, mayMount } = await storageProviders({ runner, log, helper: options.helper, signal });
  const network = new NetworkProvider({ runner, log });
  for (const { fabricIface, provider, pinnedNumaNode } of config.engines) {
    await network.check(fabricIface, provider, { signal });
    if (pinnedNumaNode !== undefined && provider !== "sm") {
      await network.checkNumaNode(fabricIface, pinnedNumaNode);
    }
  }

  const ofiDomains = await findOfiDomains(config.engines);

  const serving = new Set<EngineInstance>();
  const onServing = async (instance: EngineInstance) => {
    if (instance.superblock?.ms === true && leadership.leadsHere)
      await openMembership(instance, leadership, self);
    if (serving.add(instance).size === harness.instances.length) options.onServing();
  };
  const join = (request: JoinRequest, wait: { readonly signal: AbortSignal }) =>
    joinSystem(request, { attempt: joinOnce, leader: () => leadership.leader, log, signal: wait.signal });
  const joinOnce = async (
    request: JoinRequest,
    wait: { readonly signal: AbortSignal },
  ): Promise<JoinAnswer> => {
    const { uuid, rank, uri, contexts } = request;
    const address = `${ANY_ADDRESS}:${config.port}`;
    if (leadership.leadsHere) return joins.join({ uuid, rank, uri, contexts, address }, self.host, wait);
    return mgmtClient.join(leadership.leader, { uuid, rank, uri, nctxs: contexts, addr: address }, wait);
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
          join,
          onServing,
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
  const mgmtOptions = { systemName: config.name, harness, leadership, log: log.child("mgmt") };
  const joins = new Joins(mgmtOptions);

  // What is started goes on the stack; it is stopped from the top, whichever way this function ends.
  await using stack = new AsyncDisposableStack();
  const drpc = new DrpcServer({
    path: joinPath(config.socketDir, "daos_server.sock"),
    log: log.child("drpc"),
    modules: drpcModules({ harness, transport: config.transport, log: log.child("drpc") }),
  });
  await drpc.listen();
  const isEngineSocket = (name: string) => /^daos_io_server.*\.sock$/.test(name);
  stack.defer(async () => {
    await drpc.close();
    await removeDeadSockets(config.socketDir, isEngineSocket);
  });
  await removeDeadSockets(config.socketDir, isEngineSocket);

  const metrics = await startMetrics({ config, harness, log: log.child("metrics") });
  stack.defer(() => metrics?.close());
  const grpc = await listenGrpc({
    host: ANY_ADDRESS,
    port: config.port,
    transport: config.transport,
    log: log.child("grpc"),
    observer: metrics?.interceptor,
    routes: (router) => {
      router.service(
        ctl.MgmtCtl,
        ctlService({
          harness,
          leadership,
          scm,
          bdev,
          controllers: { include: config.bdevInclude, exclude: config.bdevExclude },
          network,
          members: mgmtClient,
          findUser,
          log,
          logLevel: options.logLevel,
        }),
      );
      if (owner === undefined) router.service(mgmt.MgmtSvc, mgmtService(mgmtOptions));
    },
  });
  options.onReloadable(() => grpc.reload());
  stack.defer(() => grpc.close());
  stack.defer(() => leadership.close());
  log.info(`listening on ${ANY_ADDRESS}:${config.port}`, { system: config.name, role, pid: process.pid });

  await harness.run(signal);
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

/** The control address that other hosts know this one by: of an access point its own entry, resolved. */
async function controlAddress(config: ServerConfig, isAccessPoint: boolean): Promise<HostAddress> {
  const { port } = config;
  const own = localAddresses();
  if (isAccessPoint) {
    for (const accessPoint of config.accessPoints) {
      const address = (await resolveHost(accessPoint.host)).find((one) => own.has(one));
      if (accessPoint.port === port && address !== undefined) return { host: address, port };
    }
  }
  const outside = [...own].find((address) => !address.includes(":") && !address.startsWith("127."));
  return { host: outside ?? "127.0.0.1", port };
}

/** The first replica serves: its host leads, and its own engine is a member like any other. */
async function openMembership(
  instance: EngineInstance,
  leadership: Leadership,
  self: HostAddress,
): Promise<void> {
  const { state, superblock, config } = instance;
  if (state.kind !== "serving" || superblock === undefined) throw new Error("membership opened too early");
  const directory = joinPath(config.scm.mount, "control_plane");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  leadership.open(new SqliteMemberStore(joinPath(directory, "members.db")), {
    uuid: superblock.uuid,
    rank: state.rank,
    address: self,
    uri: state.ready.uri,
    contexts: state.ready.contexts,
  });
}
